import type { Command } from 'commander';
import { EXIT } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { readFlags } from '../flags/table.js';
import { ORGANIZATION, referenceArgument } from './connection-options.js';
import { presentConnection } from '../views/connections.js';

export function registerConnectionShow(parent: Command, attach: Attach): void {
  const command = describe(parent.command('show').addArgument(referenceArgument()), {
    flags: ORGANIZATION,
    summary: 'Show one connection, the status of its history and its counts.',
    examples: [
      ['wa-reconcile connection show main', 'by name'],
      ['wa-reconcile connection show 106540352242922 --json', 'by phone_number_id, as JSON'],
    ],
    exits: { ...DATABASE_EXITS, [EXIT.usage]: 'wrong usage or configuration; no such connection' },
  });
  attach(command, show);
}

async function show(call: Call): Promise<Outcome> {
  const [{ withContext }, { showConnection }] = await Promise.all([
    import('../session.js'),
    import('../../commands/connections/list.js'),
  ]);
  const result = await withContext(call, { command: 'connection show' }, (ctx) =>
    showConnection(ctx, call.args[0] ?? '', readFlags(ORGANIZATION, call).values.organization),
  );
  return { presentation: presentConnection(result), exitCode: EXIT.ok };
}
