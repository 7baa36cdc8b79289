import { Option, type Command } from 'commander';
import { EXIT } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { confirmByTyping } from '../prompts.js';
import { presentUnlink } from '../views/devices.js';
import { organizationOption } from './connection-options.js';

export function registerUnlink(parent: Command, attach: Attach): void {
  const command = parent
    .command('unlink')
    .addOption(new Option('--connection <name>', 'the connection whose device is to go'))
    .addOption(new Option('--forget', 'only here, without asking WhatsApp: for a key that is lost'))
    .addOption(organizationOption());
  describe(command, {
    summary: 'Unlink the device of a connection.',
    details:
      'Logs it out at WhatsApp, so that it goes from the phone’s list, and forgets its keys. ' +
      'Nothing else ever logs out. Messages stay.',
    examples: [
      ['wa-reconcile unlink --connection main', 'asks for its name before it goes'],
      ['wa-reconcile unlink --connection main --yes', 'in a script'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.failure]: 'no line to WhatsApp, or you did not confirm: nothing changed',
      [EXIT.usage]: 'wrong usage or configuration; wrong key; --yes is missing',
      [EXIT.notLinked]: 'nothing is linked',
      [EXIT.interrupted]: 'interrupted; nothing was changed',
    },
  });
  attach(command, unlink);
}

async function unlink(call: Call): Promise<Outcome> {
  const [{ namedConnection, resolveLinkSettings }, { readDeviceOptions }, { withContext }, devices] =
    await Promise.all([
      import('../settings/link.js'),
      import('../settings/device.js'),
      import('../session.js'),
      import('../../core/devices/unlink.js'),
    ]);
  const settings = resolveLinkSettings(call);
  const { organization, forget } = settings;
  const reference = namedConnection(call, settings, 'unlink');
  const device = readDeviceOptions(call);
  const session = { command: 'unlink' };
  const { connection } = await withContext(call, session, (ctx) =>
    devices.planUnlink(ctx, reference, organization),
  );
  // Asked between two sessions: an open question must not keep others out of the embedded database.
  await confirmByTyping(call, `The device of '${connection.name}' will be unlinked.`, connection.name);
  const result = await withContext(call, { ...session, lock: 'shared', interruptible: 'batches' }, (ctx) =>
    devices.unlinkDevice(ctx, { ...device, connection: connection.id, forget }),
  );
  return { presentation: presentUnlink(result), exitCode: EXIT.ok };
}
