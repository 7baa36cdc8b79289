import type { Command } from 'commander';
import type { ConnectionList } from '../../core/connections/list.js';
import { EXIT } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { readFlags } from '../flags/table.js';
import { connectionGrid, renderConnectionTable } from '../render/connections.js';
import { nextLines } from '../render/next-lines.js';
import type { Presentation } from '../render/presentation.js';
import { ORGANIZATION } from './connection-options.js';

export function registerConnectionList(parent: Command, attach: Attach): void {
  const command = describe(parent.command('list'), {
    flags: ORGANIZATION,
    summary: 'List the connections.',
    examples: [
      ['wa-reconcile connection list', 'all of them, with the state of their history'],
      ['wa-reconcile connection list --json | jq -r ".connections[].name"', 'their names'],
    ],
    exits: DATABASE_EXITS,
  });
  attach(command, list);
}

async function list(call: Call): Promise<Outcome> {
  const [{ withContext }, { listConnections }] = await Promise.all([
    import('../session.js'),
    import('../../core/connections/list.js'),
  ]);
  const result = await withContext(call, { command: 'connection list' }, (ctx) =>
    listConnections(ctx, readFlags(ORGANIZATION, call).values.organization),
  );
  return { presentation: present(result), exitCode: EXIT.ok };
}

function present(result: ConnectionList): Presentation {
  const { connections } = result;
  const grid = connectionGrid(connections);
  return {
    json: result,
    lines: connections,
    csv: grid,
    markdown: [grid],
    text: (look) =>
      connections.length === 0
        ? [
            'There are no connections yet.',
            '',
            look.bold('Next'),
            ...nextLines(
              [
                remedy(
                  'replay',
                  ['LOG', '--register'],
                  'replays a log, and creates the connections that it names',
                ),
                remedy('connection add', [], 'adds one yourself'),
              ],
              look,
            ).map((line) => `  ${line}`),
          ].join('\n')
        : renderConnectionTable(connections, look),
  };
}
