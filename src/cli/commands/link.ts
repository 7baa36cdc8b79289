import type { Command } from 'commander';
import type { LinkOptions } from '../../commands/devices/types.js';
import { ConfigError, EXIT } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { exitCodeOf } from '../exit.js';
import { text, toggle } from '../flags/kinds.js';
import { connection, organization } from '../flags/shared.js';
import { contradiction, group, readFlags, type Line } from '../flags/table.js';
import { presentLink } from '../views/devices.js';
import { needConnection } from '../prompts.js';

/** Messages per transaction, as a replay has it. */
const BATCH_SIZE = 1000;

const FLAGS = {
  connection: connection('the connection whose phone is to be linked'),
  pairingCode: toggle('show a code to type on the phone, instead of a QR code'),
  phone: text(
    'number',
    'with --pairing-code: the number, where WhatsApp spells it otherwise',
    'a phone number',
  ),
  ...group('Connection:', { organization: organization() }),
};

/** Gives the command itself, for `link status`. */
export function registerLink(parent: Command, attach: Attach): Command {
  const command = parent.command('link');
  describe(command, {
    flags: FLAGS,
    summary: 'Link wa-reconcile to a phone, as a device of its own.',
    details:
      'Shows a QR code on stderr, or a pairing code, and waits until the phone has agreed ' +
      'and has sent what it sends to a new device; that is stored and replayed as ' +
      'history. The connections of other programs are not touched: each linked device has ' +
      'a login of its own. Only the phone of the connection is accepted.\n\n' +
      'The device lies encrypted in the database, under a key that you keep: ' +
      'WA_RECONCILE_SECRET_KEY, or a file that WA_RECONCILE_SECRET_KEY_FILE names. Make ' +
      'one with: openssl rand -base64 32',
    examples: [
      ['wa-reconcile link --connection main', 'shows a QR code to scan'],
      ['wa-reconcile link --connection main --pairing-code', 'shows a code to type on the phone'],
      ['wa-reconcile link status', 'what is linked'],
      ['wa-reconcile unlink --connection main', 'takes it back'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'linked, and all that the phone sent is in the database',
      [EXIT.failure]: 'it failed: another phone, no line to WhatsApp, another login took over',
      [EXIT.usage]: 'wrong usage or configuration; no secret key, or another one',
      [EXIT.partial]: 'linked, but something that the phone sent could not be had or read',
      [EXIT.locked]: 'another run uses the database or the device (it is named)',
      [EXIT.notLinked]: 'not linked: nobody scanned the code, or the phone took it back',
      [EXIT.interrupted]: 'interrupted; the same command goes on',
    },
  });
  attach(command, link);
  return command;
}

async function link(call: Call): Promise<Outcome> {
  const [{ readDeviceOptions }, { withContext }, { pairingDisplay }] = await Promise.all([
    import('../device-options.js'),
    import('../session.js'),
    import('../ui/pairing.js'),
  ]);
  const { connection: name, pairingCode, phone, ...rest } = readLinkFlags(call);
  const reference = needConnection(call, name, 'link');
  const device = readDeviceOptions(call);
  if (device.secretKey === null) {
    // Said before the database is opened, or created.
    const { missingSecretKey } = await import('../../commands/devices/secret-key.js');
    throw missingSecretKey();
  }
  const display = pairingDisplay(call, reference);
  const options: LinkOptions = {
    ...device,
    connection: reference,
    organization: rest.organization,
    method: pairingCode ? { kind: 'code', phone } : { kind: 'qr' },
    batchSize: BATCH_SIZE,
    onStep: display.show,
    recordedOptions: { connection: reference, pairingCode },
  };
  const { linkDevice } = await import('../../commands/devices/link.js');
  try {
    const result = await withContext(
      call,
      { command: 'link', lock: 'shared', interruptible: 'batches' },
      (ctx) => linkDevice(ctx, options),
    );
    return { presentation: presentLink(result), exitCode: exitCodeOf(result.status) };
  } finally {
    display.close();
  }
}

/** Throws ConfigError. */
function readLinkFlags(line: Line) {
  const { values, origin } = readFlags(FLAGS, line);
  const { phone, pairingCode } = values;
  if (phone !== undefined && !pairingCode) {
    throw contradiction(
      `${origin('phone').place} is for --pairing-code: a QR code needs no number.`,
      'Add --pairing-code, or leave the number out.',
    );
  }
  if (phone !== undefined && !/^\+?[\d\s().-]{8,24}$/.test(phone)) {
    throw new ConfigError(`${origin('phone').place}: the phone is no international number.`, {
      remedy: 'Write it with its country code, for example +5511912345678.',
      code: 'invalid_phone',
    });
  }
  return values;
}
