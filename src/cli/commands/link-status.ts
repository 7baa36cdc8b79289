import type { Command } from 'commander';
import { EXIT } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { toggle } from '../flags/kinds.js';
import { connection, organization } from '../flags/shared.js';
import { group, readFlags } from '../flags/table.js';
import { presentDeviceStatus } from '../views/devices.js';

const FLAGS = {
  connection: connection(),
  check: toggle('log in briefly to check that WhatsApp still knows the device'),
  ...group('Connection:', { organization: organization() }),
};

export function registerLinkStatus(parent: Command, attach: Attach): void {
  const command = parent.command('status');
  describe(command, {
    flags: FLAGS,
    summary: 'Show the linked devices.',
    details:
      'Shows whether the secret key decrypts them, and which of them the last import found unlinked. Contacts WhatsApp only with --check.',
    examples: [
      ['wa-reconcile link status', 'list every device'],
      ['wa-reconcile link status --connection main --check --json', 'check one device at WhatsApp, as JSON'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'there are linked devices',
      [EXIT.notLinked]:
        'nothing is linked, or a device was unlinked (found by the last import, or by --check)',
    },
  });
  attach(command, status);
}

async function status(call: Call): Promise<Outcome> {
  const [{ readDeviceOptions }, { withContext }, { deviceStatus }] = await Promise.all([
    import('../device-options.js'),
    import('../session.js'),
    import('../../commands/devices/status.js'),
  ]);
  const options = { ...readFlags(FLAGS, call).values, ...readDeviceOptions(call) };
  const result = await withContext(
    call,
    { command: 'link status', interruptible: options.check ? 'reading' : null },
    (ctx) => deviceStatus(ctx, options),
  );
  const isGone = result.devices.some(({ whatsapp }) => whatsapp === 'logged_out');
  const exitCode = result.devices.length === 0 || isGone ? EXIT.notLinked : EXIT.ok;
  return { presentation: presentDeviceStatus(result), exitCode };
}
