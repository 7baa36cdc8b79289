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

/** Messages per transaction, as in a replay. */
const BATCH_SIZE = 1000;

const FLAGS = {
  connection: connection('the connection whose phone to link'),
  pairingCode: toggle('show a code to type on the phone, instead of a QR code'),
  phone: text('number', 'with --pairing-code: the number as WhatsApp spells it', 'a phone number'),
  ...group('Connection:', { organization: organization() }),
};

/** Returns the command itself, for `link status`. */
export function registerLink(parent: Command, attach: Attach): Command {
  const command = parent.command('link');
  describe(command, {
    flags: FLAGS,
    summary: 'Link wa-reconcile to a phone as its own device.',
    details:
      'Shows a QR code or a pairing code on stderr, waits until the phone accepts it and has sent ' +
      'what it sends to a new device, then stores that and replays it as history. Connections of ' +
      'other programs are not touched: each linked device has its own login. Only the phone of ' +
      'the connection is accepted.\n\n' +
      'The credentials of the device are stored in the database, encrypted with a key that you ' +
      'keep: WA_RECONCILE_SECRET_KEY, or the file that WA_RECONCILE_SECRET_KEY_FILE names. ' +
      'Create one with: openssl rand -base64 32',
    examples: [
      ['wa-reconcile link --connection main', 'show a QR code to scan'],
      ['wa-reconcile link --connection main --pairing-code', 'show a code to type on the phone'],
      ['wa-reconcile link status', 'list the linked devices'],
      ['wa-reconcile unlink --connection main', 'unlink it again'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'linked, and everything the phone sent is in the database',
      [EXIT.failure]: 'it failed: wrong phone, no connection to WhatsApp, another login took over',
      [EXIT.usage]: 'wrong usage or configuration; secret key missing or wrong',
      [EXIT.partial]:
        'linked, but the phone stopped sending, or some of what it sent could not be downloaded or read',
      [EXIT.locked]: 'another run holds the database or the device; the message names it',
      [EXIT.notLinked]: 'not linked: the code was not scanned in time, or the phone unlinked the device',
      [EXIT.interrupted]: 'interrupted; rerun to resume',
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
    // Printed before the database is opened or created.
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
    throw new ConfigError(`${origin('phone').place}: not an international phone number.`, {
      remedy: 'Write it with its country code, for example +5511912345678.',
      code: 'invalid_phone',
    });
  }
  return values;
}
