import type { Command } from 'commander';
import { EXIT } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { readFlags } from '../flags/table.js';
import { ORGANIZATION } from './connection-options.js';
import { presentConnections } from '../views/connections.js';

export function registerConnectionList(parent: Command, attach: Attach): void {
  const command = describe(parent.command('list'), {
    flags: ORGANIZATION,
    summary: 'List the connections.',
    examples: [
      ['wa-reconcile connection list', 'list all, with the status of their history'],
      ['wa-reconcile connection list --json | jq -r ".connections[].name"', 'print only the names'],
    ],
    exits: DATABASE_EXITS,
  });
  attach(command, list);
}

async function list(call: Call): Promise<Outcome> {
  const [{ withContext }, { listConnections }] = await Promise.all([
    import('../session.js'),
    import('../../commands/connections/list.js'),
  ]);
  const result = await withContext(call, { command: 'connection list' }, (ctx) =>
    listConnections(ctx, readFlags(ORGANIZATION, call).values.organization),
  );
  return { presentation: presentConnections(result), exitCode: EXIT.ok };
}
