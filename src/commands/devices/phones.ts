import { EXIT, UserError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import type { RunLock } from '../../store/locks/run-lock.js';
import { readConnectionRecords } from '../../store/tables/connections.js';
import { readDevice } from '../../store/tables/linked-devices.js';
import { createIdGenerator } from '../../store/uuid.js';
import type { HistorySession } from '../../whatsapp/history-session.js';
import { amount } from '../../model/amount.js';
import { storedPhone } from '../connections/find.js';
import type { Context } from '../../context.js';
import type { Phone, Phones } from '../import/phone.js';
import { openDirectory } from '../replay/open-directory.js';
import { lockDevice, assertOwnDevice } from './own-device.js';
import type { DeviceOptions } from './types.js';
import { RawKeeper } from './raw-keeper.js';
import { missingKeyOf } from './missing-key.js';
import { StoredDevice } from './stored-device.js';

/** A device that we hold until it is closed. */
interface OpenDevice {
  lock: RunLock;
  session: HistorySession;
  keeper: RawKeeper;
}

/**
 * The linked devices of the connections, brought online on demand. Anything a phone sends besides its answers is
 * stored, pending for the next replay. `runId` is the run that stores it.
 */
export function createPhones(ctx: Context, options: DeviceOptions & { runId?: string }): Phones {
  const phones = new Map<string, OpenDevice>();

  return {
    async open(connection): Promise<Phone> {
      let phone = phones.get(connection.id);
      if (phone === undefined) {
        await assertOwnNumber(ctx, connection);
        phone = await openDevice(ctx, options, connection, 'import');
        phones.set(connection.id, phone);
        await takeOwedFiles(ctx, phone);
      }
      const { session, lock, keeper } = phone;
      return {
        fetchPage: async (request) => {
          lock.assertHeld();
          const answer = await session.fetchPage(request);
          // Whoever applies it goes by what the raw log has of it: its time, and whether it came before.
          await keeper.flush();
          return answer;
        },
        otherAddress: (address) => {
          lock.assertHeld();
          return session.otherAddress(address);
        },
        settle: async () => {
          await session.settle();
          await keeper.flush();
        },
      };
    },
    async close() {
      const open = [...phones.values()];
      phones.clear();
      // Whatever happens to one, release every socket and lock.
      const closed = await Promise.allSettled(open.map(closeDevice));
      for (const end of closed) if (end.status === 'rejected') throw end.reason;
    },
  };
}

/**
 * Takes a connection's device and logs it in; `session.problem` says why it is offline. Everything is stored from the
 * first moment: it is confirmed to WhatsApp, requested or not. Throws UserError `not_linked`, LockedError, and
 * ConfigError for a missing or wrong key.
 */
export async function openDevice(
  ctx: Context,
  options: DeviceOptions & { runId?: string },
  connection: { id: string; name: string },
  command: string,
): Promise<OpenDevice> {
  const { sql } = ctx.store;
  if ((await readDevice(sql, connection.id)) === null) throw notLinked(connection.name);
  if (options.secretKey === null) throw await missingKeyOf(sql);
  const newId = createIdGenerator(ctx.clock);
  const directory = await openDirectory(sql, { register: false, connection: connection.id }, newId, ctx);
  const run = { runId: options.runId ?? newId(), newId };
  const { secretKey } = options;
  const keeper = new RawKeeper(ctx, { connection, directory, secretKey, run });
  const lock = await lockDevice(ctx, options, connection, command);
  try {
    const { openHistorySession } = await import('../../whatsapp/history-session.js');
    const { url, version } = options;
    const session = await openHistorySession({
      storage: new StoredDevice(ctx, connection, options.secretKey),
      signal: AbortSignal.any([ctx.signal, lock.lost]),
      keeper,
      onWaiting: (files, ms) => {
        ctx.emit({ event: 'notice', message: waitingFor(files, ms) });
      },
      log: (line) => {
        ctx.log.debug(line);
      },
      url,
      version,
    });
    return { lock, session, keeper };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Closes the socket, stores what is left, and releases the device. */
export async function closeDevice({ session, keeper, lock }: OpenDevice): Promise<void> {
  try {
    await session.end();
    await keeper.flush();
  } finally {
    await lock.release();
  }
}

/** Retries downloads that failed in an earlier session. */
async function takeOwedFiles(ctx: Context, { session, keeper }: OpenDevice): Promise<void> {
  if (session.problem !== null) return;
  const owed = await keeper.owed();
  if (owed.length === 0) return;
  ctx.emit({
    event: 'notice',
    message: `Downloading ${amount(owed.length, 'file')} of history that failed to download before.`,
  });
  await session.retry(owed);
  await keeper.flush();
}

/** The notice while a session waits for files. */
function waitingFor(files: number, ms: number): string {
  return `Waiting up to ${ms / 1000} s for ${amount(files, 'file')} of history that the phone has sent.`;
}

async function assertOwnNumber(ctx: Context, connection: { id: string; name: string }): Promise<void> {
  const [record] = await readConnectionRecords(ctx.store.sql, { id: connection.id });
  const phone = storedPhone(record?.displayPhoneNumber ?? null);
  if (phone !== undefined) await assertOwnDevice(ctx, connection, phone);
}

/** The error for a connection without a device (exit 6). */
export function notLinked(connection: string): UserError {
  return new UserError(`No WhatsApp device is linked to the connection '${connection}'.`, {
    code: 'not_linked',
    exitCode: EXIT.notLinked,
    remedy: remedy('link', ['--connection', connection], 'links one'),
  });
}
