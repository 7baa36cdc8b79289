import type { Command } from 'commander';
import { EXIT } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { readFlags } from '../flags/table.js';
import { confirmByTyping } from '../prompts.js';
import { ORGANIZATION, referenceArgument } from './connection-options.js';
import { presentRemoved } from '../views/connections.js';

export function registerConnectionRemove(parent: Command, attach: Attach): void {
  const command = parent.command('remove').addArgument(referenceArgument());
  describe(command, {
    flags: ORGANIZATION,
    summary: 'Remove a connection that has no messages.',
    details:
      'Messages are never deleted, so a connection that has conversations cannot be removed. Raw ' +
      'entries stay: add it again and run `replay --all` to bring everything back.',
    examples: [
      ['wa-reconcile connection remove test', 'asks for its name first'],
      ['wa-reconcile connection remove test --yes', 'in a script'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.failure]: 'it has conversations or a linked device, or not confirmed',
      [EXIT.usage]: 'wrong usage or configuration; no such connection; --yes is missing',
    },
  });
  attach(command, remove);
}

async function remove(call: Call): Promise<Outcome> {
  const [{ withContext }, { planRemoval, removeConnection }] = await Promise.all([
    import('../session.js'),
    import('../../commands/connections/remove.js'),
  ]);
  const session = { command: 'connection remove' };
  const reference = call.args[0] ?? '';
  const organization = readFlags(ORGANIZATION, call).values.organization;
  const planned = await withContext(call, session, (ctx) => planRemoval(ctx, reference, organization));
  // Asked between two sessions: an open question must not lock others out of the embedded database.
  await confirmByTyping(call, `The connection '${planned.name}' will be removed.`, planned.name);
  const result = await withContext(call, { ...session, lock: 'exclusive' }, async (ctx) =>
    removeConnection(ctx, await planRemoval(ctx, planned.id)),
  );
  return { presentation: presentRemoved(result), exitCode: EXIT.ok };
}
