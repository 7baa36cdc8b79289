import { Option, type Command } from 'commander';
import { EXIT } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { presentDeviceStatus } from '../views/devices.js';
import { organizationOption } from './connection-options.js';

export function registerLinkStatus(parent: Command, attach: Attach): void {
  const command = parent
    .command('status')
    .addOption(new Option('--connection <name>', 'only this connection'))
    .addOption(new Option('--check', 'log in for a moment: does WhatsApp still know the device?'))
    .addOption(organizationOption());
  describe(command, {
    summary: 'Show the linked devices.',
    details: 'Says whether the secret key opens them. Asks nobody, unless told to with --check.',
    examples: [
      ['wa-reconcile link status', 'every device'],
      [
        'wa-reconcile link status --connection main --check --json',
        'one, as WhatsApp sees it, for a program',
      ],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'there are linked devices',
      [EXIT.notLinked]: 'nothing is linked, or with --check: not any more',
    },
  });
  attach(command, status);
}

async function status(call: Call): Promise<Outcome> {
  const [{ resolveLinkSettings }, { readDeviceOptions }, { withContext }, { deviceStatus }] =
    await Promise.all([
      import('../settings/link.js'),
      import('../settings/device.js'),
      import('../session.js'),
      import('../../core/devices/status.js'),
    ]);
  const { connection, organization, check } = resolveLinkSettings(call);
  const options = {
    ...readDeviceOptions(call),
    ...(connection === undefined ? {} : { connection }),
    ...(organization === undefined ? {} : { organization }),
    check,
  };
  const result = await withContext(
    call,
    { command: 'link status', interruptible: check ? 'reading' : null },
    (ctx) => deviceStatus(ctx, options),
  );
  const isGone = result.devices.some(({ whatsapp }) => whatsapp === 'logged_out');
  const exitCode = result.devices.length === 0 || isGone ? EXIT.notLinked : EXIT.ok;
  return { presentation: presentDeviceStatus(result), exitCode };
}
