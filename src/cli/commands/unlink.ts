import type { Command } from 'commander';
import { EXIT } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { toggle } from '../flags/kinds.js';
import { connection, organization } from '../flags/shared.js';
import { group, readFlags } from '../flags/table.js';
import { confirmByTyping, needConnection } from '../prompts.js';
import { presentUnlink } from '../views/devices.js';

const FLAGS = {
  connection: connection('the connection whose device to unlink'),
  forget: toggle('only delete it here, without WhatsApp: for a lost key'),
  ...group('Connection:', { organization: organization() }),
};

export function registerUnlink(parent: Command, attach: Attach): void {
  const command = parent.command('unlink');
  describe(command, {
    flags: FLAGS,
    summary: 'Unlink the device of a connection.',
    details:
      'Logs the device out at WhatsApp, which removes it from the phone’s list, and deletes its keys. ' +
      'No other command logs a device out. Messages stay.',
    examples: [
      ['wa-reconcile unlink --connection main', 'asks for its name first'],
      ['wa-reconcile unlink --connection main --yes', 'in a script'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.failure]: 'no connection to WhatsApp, or not confirmed: nothing changed',
      [EXIT.usage]: 'wrong usage or configuration; wrong key; --yes is missing',
      [EXIT.notLinked]: 'nothing is linked',
      [EXIT.interrupted]: 'interrupted; nothing was changed',
    },
  });
  attach(command, unlink);
}

async function unlink(call: Call): Promise<Outcome> {
  const [{ readDeviceOptions }, { withContext }, devices] = await Promise.all([
    import('../device-options.js'),
    import('../session.js'),
    import('../../commands/devices/unlink.js'),
  ]);
  const { values } = readFlags(FLAGS, call);
  const reference = needConnection(call, values.connection, 'unlink');
  const device = readDeviceOptions(call);
  const session = { command: 'unlink' };
  const planned = await withContext(call, session, (ctx) =>
    devices.planUnlink(ctx, reference, values.organization),
  );
  // Asked between two sessions: an open question must not lock others out of the embedded database.
  await confirmByTyping(
    call,
    `The device of '${planned.connection.name}' will be unlinked.`,
    planned.connection.name,
  );
  const result = await withContext(call, { ...session, lock: 'shared', interruptible: 'batches' }, (ctx) =>
    devices.unlinkDevice(ctx, { ...device, connection: planned.connection.id, forget: values.forget }),
  );
  return { presentation: presentUnlink(result), exitCode: EXIT.ok };
}
