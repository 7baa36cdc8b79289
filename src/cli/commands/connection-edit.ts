import type { Command } from 'commander';
import type { ConnectionChanges } from '../../commands/connections/save.js';
import { ConfigError, EXIT } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { readFlags } from '../flags/table.js';
import { FIELDS, referenceArgument } from './connection-options.js';
import { presentEdited } from '../views/connections.js';

export function registerConnectionEdit(parent: Command, attach: Attach): void {
  const command = describe(parent.command('edit').addArgument(referenceArgument()), {
    flags: FIELDS,
    summary: 'Change a connection.',
    details: 'Fields that are not given stay as they are. Messages and history are not touched.',
    examples: [
      ['wa-reconcile connection edit main --name "Main number"', 'rename it'],
      [
        'wa-reconcile connection edit main --phone-number-id 106540352242922',
        'the number moved to another account',
      ],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.usage]: 'wrong usage or configuration; no such connection; name or number taken',
    },
  });
  attach(command, edit);
}

async function edit(call: Call): Promise<Outcome> {
  const { organization, ...changes } = readFlags(FIELDS, call).values;
  rejectNoChange(changes);
  const [{ withContext }, { editConnection }] = await Promise.all([
    import('../session.js'),
    import('../../commands/connections/save.js'),
  ]);
  const result = await withContext(call, { command: 'connection edit', lock: 'exclusive' }, (ctx) =>
    editConnection(ctx, call.args[0] ?? '', changes, organization),
  );
  return { presentation: presentEdited(result), exitCode: EXIT.ok };
}

function rejectNoChange(changes: ConnectionChanges): void {
  if (Object.values(changes).every((value) => value === undefined)) {
    throw new ConfigError('No change was given.', {
      remedy: 'Give one or more of --name, --kind, --phone, --phone-number-id, --waba-id.',
    });
  }
}
