import type { Context } from '../../context.js';
import { type Applied, applyEntries, type Applier } from '../../ingest/apply/execute-batch.js';
import type { PreparedEntry } from '../../ingest/batch/batch.js';
import type { ConnectionDirectory } from '../../ingest/batch/connection-directory.js';
import { prepareEntry } from '../../ingest/batch/prepare-entry.js';
import { withRun, type Ended, workOf, type RunEnd } from '../../ingest/runs/with-run.js';
import { amount } from '../../model/amount.js';
import { UserError } from '../../model/errors.js';
import { rawEntryOf } from '../../rawlog/raw-log.js';
import type { ConnectionRecord } from '../../store/tables/connections.js';
import { readOwedHistory } from '../../store/tables/history.js';
import { readDevice } from '../../store/tables/linked-devices.js';
import { type PairOutcome, pairDevice } from '../../whatsapp/pair-device.js';
import { findConnection } from '../connections/find.js';
import { deviceEntries, HISTORY } from '../import/save-page.js';
import { endReopened, openDirectory } from '../replay/open-directory.js';
import type { LinkOptions } from './types.js';
import type { LinkResult } from './result.js';
import { withDeviceLock, assertOwnDevice, deviceViewOf, isSamePhone, ownNumberOf } from './own-device.js';
import { pairingError } from './pairing-error.js';
import { RawKeeper } from './raw-keeper.js';
import { missingKeyOf } from './missing-key.js';
import type { SecretKey } from './secret-key.js';
import { StoredDevice } from './stored-device.js';

type Linked = Extract<PairOutcome, { kind: 'linked' }>;

/**
 * Links the tool as its own device to a connection's WhatsApp account, and imports what the phone sends to a new
 * device: stored on arrival, then replayed as history. An existing device is logged in, and work left by a kill is
 * finished. The caller holds the run lock (shared).
 *
 * Throws ConfigError for a missing or wrong key and for a connection that cannot have a device; LockedError when
 * another process has the device; UserError `wrong_number`, `not_linked` (not scanned in time; exit 6),
 * `whatsapp_unreachable`,
 * `conflict`, `interrupted`.
 */
export async function linkDevice(ctx: Context, options: LinkOptions): Promise<LinkResult> {
  const connection = await findConnection(ctx, options.connection, options.organization);
  const phone = ownNumberOf(connection);
  const { secretKey } = options;
  if (secretKey === null) throw await missingKeyOf(ctx.store.sql);
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
  const directory = await openDirectory(sql, { register: false, connection: connection.id }, run.newId, ctx);
  const { secretKey } = linking;
  const keeper = new RawKeeper(ctx, { connection, directory, secretKey, run });
  let linked: Linked;
  try {
    linked = await pair(ctx, options, linking, keeper);
  } finally {
    // However it ended, what came has been confirmed to WhatsApp.
    await keeper.flush();
  }
  const applier = {
    runId: run.runId,
    newId: run.newId,
    batchSize: options.batchSize,
    target: { sql, dryRun: false },
  };
  const { applied, chunks } = await applyKept(ctx, applier, connection, directory);
  const owed = (await readOwedHistory(sql)).find(({ connectionId }) => connectionId === connection.id);
  const missingFiles = { count: owed?.files ?? 0, error: owed?.error ?? null, chunks: linked.missing };
  const pairing = { ...linked, missingFiles, appliedChunks: chunks };
  return endedLink(run.runId, connection, pairing, applied, ctx.signal.aborted);
}

/** Pairs; forgets a stored device that the phone has since unlinked, and pairs another. */
async function pair(
  ctx: Context,
  options: LinkOptions,
  { connection, phone, secretKey }: Linking,
  keeper: RawKeeper,
): Promise<Linked> {
  const storage = new StoredDevice(ctx, connection, secretKey);
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
      // Its keys are useless now.
      await StoredDevice.forget(ctx, connection.id);
      if (hadDevice && attempt === 1) {
        ctx.emit({ event: 'notice', message: 'The device was unlinked on the phone: linking a new one.' });
        continue;
      }
    }
    throw pairingError(outcome, connection.name);
  }
}

/** The result of a `link`, and how its run is recorded. */
function endedLink(
  runId: string,
  connection: { id: string; name: string },
  pairing: Linked & Pick<LinkResult, 'missingFiles'> & { appliedChunks: number },
  { tally }: Applied,
  interrupted: boolean,
): Ended<LinkResult> {
  const { announced, received } = pairing.progress;
  const { missingFiles } = pairing;
  const hasCome = pairing.sync === 'complete' && received >= announced && missingFiles.count === 0;
  const isWhole = hasCome && !tally.hasLoss();
  const status = interrupted ? 'interrupted' : isWhole ? 'completed' : 'partial';
  const { messages, leads, contacts } = tally;
  const counters = {
    announced,
    received,
    seen: messages.seen,
    created: messages.created,
    updated: messages.updated,
    unchanged: messages.unchanged,
    leads: leads.created,
  };
  return {
    result: {
      schemaVersion: 1,
      command: 'link',
      runId,
      status,
      connection: { id: connection.id, name: connection.name },
      device: deviceViewOf(pairing.account.id),
      wasLinked: pairing.wasLinked,
      sync: pairing.sync,
      chunks: { announced, received, applied: pairing.appliedChunks },
      missingFiles,
      messages,
      contacts: contacts.seen,
      leads,
      problems: tally.problems,
      problemCount: tally.problemCount,
    },
    end: {
      status,
      counters,
      verdict: `${status}: linked, ${amount(messages.created, 'message')} created`,
      logs: [{ connectionId: connection.id, messagesImported: messages.created, counters }],
      synced: [connection.id],
    },
  };
}

/** How the run is recorded if nothing was linked. */
function failedLink(error: unknown): RunEnd {
  const code = error instanceof UserError ? error.code : 'bug';
  const status = code === 'interrupted' ? 'interrupted' : 'failed';
  return { status, counters: {}, verdict: `${status}: ${code}`, error: code };
}

/** Replays pending entries that the linked device stored, now or before a kill: as history, so no tickets. */
async function applyKept(
  ctx: Context,
  applier: Applier,
  connection: { id: string },
  directory: ConnectionDirectory,
): Promise<{ applied: Applied; chunks: number }> {
  let chunks = 0;
  async function* entries(): AsyncGenerator<PreparedEntry> {
    for await (const stored of deviceEntries(ctx.store.sql, connection)) {
      const entry = prepareEntry(rawEntryOf(stored), stored.storedAs, directory, new Set());
      if (entry.fields.includes('messaging-history.set')) chunks += 1;
      yield entry;
    }
  }
  const how = { settings: HISTORY, directory, claim: ['pending'] } as const;
  const applied = await applyEntries(ctx, applier, how, entries());
  await endReopened(ctx, directory.erased, applier.target);
  return { applied, chunks };
}
