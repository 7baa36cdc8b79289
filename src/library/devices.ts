import { linkDevice as runLink } from '../commands/devices/link.js';
import { createPhones } from '../commands/devices/phones.js';
import type { DeviceStatusResult, LinkResult, UnlinkResult } from '../commands/devices/result.js';
import { SecretKey } from '../commands/devices/secret-key.js';
import { deviceStatus as statusOf } from '../commands/devices/status.js';
import { unlinkDevice as runUnlink } from '../commands/devices/unlink.js';
import { importContact as runImport } from '../commands/import/import-contact.js';
import { PAGES_UNTIL, type ImportResult } from '../commands/import/types.js';
import { underLock, type LibraryContext } from './create-context.js';
import { OPTIONS, readOptions, recordedOf, type Given } from './options.js';

/**
 * Linked devices: `wa-reconcile/devices`. Separate, so that programs that only read or replay do not load WhatsApp Web.
 */

export type { DeviceStatusResult, LinkResult, UnlinkResult } from '../commands/devices/result.js';
export type { ImportResult } from '../commands/import/types.js';

/**
 * What happens while a device is linked. Declared here because the declaration inside needs Baileys' types, which do not
 * compile in a strict project that checks libraries.
 */
export type PairingStep =
  | { step: 'connecting' }
  /** The text of a QR code; each new one replaces the one before. */
  | { step: 'qr'; qr: string }
  | { step: 'pairing_code'; code: string }
  /** The phone has agreed; `refused`: it is not the connection's phone. `phone`: digits only. */
  | { step: 'paired' | 'refused'; account: { id: string; phone: string; device: number } }
  /** `percent`: what the phone says, 0 to 100. */
  | { step: 'syncing'; messages: number; announced: number; received: number; percent: number | null }
  /** Nothing has come for a few seconds. `chunks`: the files that are waited for, where `for` is `files`. */
  | {
      step: 'waiting';
      for: 'files' | 'history' | 'settings';
      chunks: { type: string | null; chunk: number | null }[];
      atMostMs: number;
    };

/** What every use of a linked device needs. */
export interface DeviceAccess {
  /** The key under which devices are stored: 32 bytes in base64, as in WA_RECONCILE_SECRET_KEY. */
  secretKey?: string;
  /** Uses this version of WhatsApp Web, for when WhatsApp refuses the built-in one. */
  whatsappVersion?: readonly [number, number, number];
}

export interface ConnectionChoice {
  /** Name, id, phone_number_id or phone. */
  connection: string;
  /** Its organization's slug, where two have a connection of that name. */
  organization?: string;
}

/** Messages per transaction. */
const BATCH_SIZE = 1000;

/**
 * Links a new device to a connection's phone. `onStep` gets the text of a QR code or a pairing code to show, and later
 * steps. Throws UserError if no one pairs it, or another phone does.
 */
export async function linkDevice(
  ctx: LibraryContext,
  options: DeviceAccess &
    ConnectionChoice & {
      onStep: (step: PairingStep) => void;
      /** Asks for a code to type on the phone instead of a QR code. */
      pairingCode?: boolean;
      /** With `pairingCode`: the number, where WhatsApp spells it otherwise. */
      phone?: string;
    },
): Promise<LinkResult> {
  const { connection, organization, onStep, pairingCode = false, phone } = options;
  return underLock(ctx, 'link', 'shared', (held) =>
    runLink(keyed(held, options), {
      ...accessOf(held, options),
      connection,
      organization,
      method: pairingCode ? { kind: 'code', phone } : { kind: 'qr' },
      batchSize: BATCH_SIZE,
      onStep,
      recordedOptions: { connection, pairingCode },
    }),
  );
}

/** The linked devices; `check` briefly logs in each one, to see whether WhatsApp still knows it. */
export async function deviceStatus(
  ctx: LibraryContext,
  options: DeviceAccess & Partial<ConnectionChoice> & { check?: boolean } = {},
): Promise<DeviceStatusResult> {
  const { connection, organization, check = false } = options;
  return underLock(ctx, 'link status', undefined, (held) =>
    statusOf(held, { ...accessOf(held, options), connection, organization, check }),
  );
}

/** Unlinks a connection's device at WhatsApp and removes it here; with `forget` only here. */
export async function unlinkDevice(
  ctx: LibraryContext,
  options: DeviceAccess & ConnectionChoice & { forget?: boolean },
): Promise<UnlinkResult> {
  const { connection, organization, forget = false } = options;
  return underLock(ctx, 'unlink', undefined, (held) =>
    runUnlink(held, { ...accessOf(held, options), connection, organization, forget }),
  );
}

/**
 * Imports a contact's history: from the raw log, else through the linked device. `outcome` says how it ended; silence
 * is not an error. Throws UserError `not_linked`, `secret_key_missing`, `unknown_contact` and the like.
 */
export async function importContact(
  ctx: LibraryContext,
  { secretKey, whatsappVersion, ...given }: DeviceAccess & Given<'importContact'>,
): Promise<ImportResult> {
  const options = readOptions('importContact', OPTIONS.importContact, given);
  const access = {
    ...(secretKey === undefined ? {} : { secretKey }),
    ...(whatsappVersion && { whatsappVersion }),
  };
  return underLock(ctx, 'import', 'shared', (held) =>
    runImport(
      keyed(held, access),
      {
        ...options,
        pages: options.pages ?? (options.until === undefined ? 1 : PAGES_UNTIL),
        // Who it is about is recorded as the run's target; the bound is `--since` on the command line.
        recordedOptions: recordedOf({ ...given, contact: undefined, until: undefined, since: given.until }),
      },
      createPhones(held, accessOf(held, access)),
    ),
  );
}

/** What comes from the phone is without erased people; the device's key tells who they are. */
function keyed(ctx: LibraryContext, { secretKey }: DeviceAccess): LibraryContext {
  return secretKey === undefined ? ctx : { ...ctx, secretKey: () => SecretKey.parse(secretKey, 'secretKey') };
}

function accessOf({ database, lockWaitMs }: LibraryContext, { secretKey, whatsappVersion }: DeviceAccess) {
  return {
    database,
    lockWaitMs,
    secretKey: secretKey === undefined ? null : SecretKey.parse(secretKey, 'secretKey'),
    version: whatsappVersion,
  };
}
