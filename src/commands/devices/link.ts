import type { ConnectionRecord } from '../../store/tables/connections.js';
import { readDevice } from '../../store/tables/linked-devices.js';
import { type PairOutcome, pairDevice } from '../../whatsapp/pair-device.js';
import { findConnection } from '../connections/find.js';
import type { Context } from '../../context.js';
import { openDirectory } from '../replay/open-directory.js';
import { withRun, type Ended } from '../../ingest/runs/with-run.js';
import { workOf } from '../../ingest/runs/work.js';
import { applyKept } from './apply-kept.js';
import { withDeviceLock } from './device-lock.js';
import { endedLink, failedLink } from './link-run.js';
import type { LinkOptions } from './options.js';
import { assertOwnDevice } from './own-device.js';
import { deviceViewOf, isSamePhone, ownNumberOf } from './own-number.js';
import { pairingError } from './pairing-error.js';
import { RawKeeper } from './raw-keeper.js';
import type { LinkResult } from './result.js';
import { missingSecretKey, type SecretKey } from './secret-key.js';
import { StoredDevice } from './stored-device.js';

type Linked = Extract<PairOutcome, { kind: 'linked' }>;

/**
 * Links the tool as a device of its own to a connection's WhatsApp account, and brings in what the phone sends to a new
 * device: stored the moment it comes, then replayed as history. A device that is stored already is logged in, and what a
 * kill left undone is finished. The caller holds the run lock (shared).
 *
 * Throws ConfigError for a missing or wrong key and for a connection that can have no device; LockedError when another
 * process has the device; UserError `wrong_number`, `not_linked` (nobody scanned; exit 6), `whatsapp_unreachable`,
 * `conflict`, `interrupted`.
 */
export async function linkDevice(ctx: Context, options: LinkOptions): Promise<LinkResult> {
  const connection = await findConnection(ctx, options.connection, options.organization);
  const phone = ownNumberOf(connection);
  const { secretKey } = options;
  if (secretKey === null) throw missingSecretKey();
  return withDeviceLock(ctx, options, connection, 'link', async (locked) => {
    await assertOwnDevice(locked, connection, phone);
    return withRun(
      locked,
      {
        command: 'link',
        options: options.recordedOptions,
        work: workOf('link', { connection: connection.id }),
        // It shows its own progress.
        announced: false,
        failed: (_, error) => failedLink(error),
      },
      ({ id: runId, newId }) =>
        pairAndApply(locked, options, { connection, phone, secretKey, run: { runId, newId } }),
    );
  });
}

interface Linking {
  connection: ConnectionRecord;
  phone: string;
  secretKey: SecretKey;
  run: { runId: string; newId: () => string };
}

async function pairAndApply(
  ctx: Context,
  options: LinkOptions,
  linking: Linking,
): Promise<Ended<LinkResult>> {
  const { connection, run } = linking;
  const { sql } = ctx.store;
  const directory = await openDirectory(sql, { register: false, connection: connection.id }, run.newId);
  const { secretKey } = linking;
  const keeper = new RawKeeper({ clock: ctx.clock, sql }, { connection, directory, secretKey, run });
  let linked: Linked;
  try {
    linked = await pair(ctx, options, linking, keeper);
  } finally {
    // However it ended: what came is confirmed to WhatsApp.
    await keeper.flush();
  }
  const applier = {
    runId: run.runId,
    newId: run.newId,
    batchSize: options.batchSize,
    target: { sql, dryRun: false },
  };
  const applied = await applyKept(ctx, applier, connection, directory);
  return endedLink({
    runId: run.runId,
    connection,
    pairing: linked,
    device: deviceViewOf(linked.account.id),
    applied,
    interrupted: ctx.signal.aborted,
  });
}

/** Pairs; a stored device that the phone has unlinked meanwhile is forgotten, and another one is paired. */
async function pair(
  ctx: Context,
  options: LinkOptions,
  { connection, phone, secretKey }: Linking,
  keeper: RawKeeper,
): Promise<Linked> {
  const storage = new StoredDevice(ctx, connection.id, secretKey);
  const { method, url, version, quietMs, stallMs } = options;
  for (let attempt = 1; ; attempt += 1) {
    const hadDevice = (await readDevice(ctx.store.sql, connection.id)) !== null;
    const outcome = await pairDevice({
      storage,
      method:
        method.kind === 'qr' ? method : { kind: 'code', phone: (method.phone ?? phone).replace(/\D/g, '') },
      accepts: (account) => isSamePhone(account.phone, phone),
      keeper,
      owed: hadDevice ? await keeper.owed() : [],
      onStep: options.onStep,
      signal: ctx.signal,
      log: (line) => {
        ctx.log.debug(line);
      },
      url,
      version,
      quietMs,
      stallMs,
    });
    if (outcome.kind === 'linked') return outcome;
    if (outcome.kind === 'logged_out') {
      // Its keys open nothing any more.
      await StoredDevice.forget(ctx, connection.id);
      if (hadDevice && attempt === 1) {
        ctx.emit({ event: 'notice', message: 'The device was unlinked on the phone: linking a new one.' });
        continue;
      }
    }
    throw pairingError(outcome, connection.name);
  }
}
