import { acknowledge, brokenAlerts, namelessOf, namelessRemedy, rejectAlert } from '../../audit/alert.js';
import { markReadable } from '../../audit/readable-again.js';
import { readEntryGroups } from '../../store/queries/report.js';
import { readAlertAcks } from '../../store/tables/alert-acks.js';
import { readRejectGroups } from '../../store/tables/rejects.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import type { AuditResult } from '../../audit/audit-book.js';
import type { AuditedItem } from '../../audit/outcome.js';
import { readUnclaimed } from '../../audit/unclaimed-waba.js';
import { auditLog, selectionOf } from '../../audit/audit-log.js';
import { sourceRemedy, STORE_AGAIN, type LostEntry } from '../../audit/source-remedy.js';
import { countLost, LossTally, type LogAudit } from '../../audit/losses.js';
import { amount } from '../../model/amount.js';
import { signatureWords, type SignatureCounts } from '../../model/run-result.js';
import { RawLog } from '../../rawlog/raw-log.js';
import { judgeAgain, type SignedTexts } from '../../rules/signatures.js';
import { readOrphanOwners, type OrphanOwner } from '../../store/tables/altered-entries.js';
import type { ConnectionRow } from '../../store/tables/connections.js';
import { NO_SCOPE } from '../../store/tables/webhook-log.js';
import {
  DEDUPE_REMEDY,
  explainRemedy,
  joined,
  RELINK_REMEDY,
  REPLAY_ALL_REMEDY,
  UNLINK_REMEDY,
  type Check,
  type Conclusion,
  type Recorder,
  type VerifyView,
} from './check.js';

/**
 * The accounting proof: decodes the whole raw log again and finds every message item in the database, exactly once and
 * as logged, or skipped for a reason, or rejected on record. Memory does not grow with the log.
 */
export const rawLogCheck: Check = {
  severity: 'loss',
  async run(view, recorder) {
    const tally = new LossTally();
    const audit = await auditLog({
      ...view,
      item: (item) => {
        tally.add(item);
        return record(recorder, item);
      },
    });
    const log = tally.end(audit);
    view.audited?.(log);
    recorder.checked = audit.total.items;
    const { found, noted } = recorder;
    return {
      ...(await conclude(log, view)),
      ...(found === 0 && noted > 0 && (await areAccepted(view)) ? { notes: 0 } : {}),
    };
  },
};

/** Entries that cannot be read are alerts of `rejects`: those accepted there are no notes here either. */
async function areAccepted({ sql, since, now }: VerifyView): Promise<boolean> {
  const raised = brokenAlerts(await readEntryGroups(sql, since));
  const alerts = acknowledge(raised, await readAlertAcks(sql), now);
  return alerts.length > 0 && alerts.every(({ acknowledged }) => acknowledged !== null);
}

async function record(recorder: Recorder, item: AuditedItem): Promise<void> {
  switch (item.outcome) {
    case 'there':
    case 'skipped':
    case 'rejected':
      await recorder.good(item);
      break;
    case 'missing':
      await recorder.finding('+', item);
      break;
    case 'unrecorded':
      await recorder.finding(item.isMessage ? '+' : '*', item);
      break;
    case 'different':
    case 'doubled':
    case 'unapplied':
      await recorder.finding('*', item);
      break;
    case 'unfounded':
      await recorder.finding('-', item);
      break;
    case 'unrecorded_chunk':
    case 'lacking_name':
    case 'entry_damaged':
    case 'entry_misfiled':
    case 'entry_failed':
    case 'entry_pending':
    case 'entry_unknown_connection':
    case 'entry_orphaned':
      await recorder.finding('!', item);
      break;
    case 'entry_unreadable':
    case 'entry_unrecognized':
      await recorder.note('!', item);
  }
}

async function conclude({ result: audit, losses }: LogAudit, view: VerifyView): Promise<Conclusion> {
  const { total, open, entries } = audit;
  const counted = (counts: readonly (readonly [count: number, one: string, many?: string])[]) =>
    counts.map(([count, one, many = one]) => [count, amount(count, one, many)] as const);
  const sums = joined(
    counted([
      [total.there, 'in the database'],
      [total.skipped, 'skipped'],
      [total.rejected, 'rejected'],
      [
        total.missing,
        // A message has several items: a history copy, a live one, a redelivery.
        total.missing === total.missingMessages
          ? 'missing'
          : `missing (${amount(total.missingMessages, 'message')})`,
      ],
      [total.different + total.doubled, 'different'],
      [total.pending, 'pending'],
      [total.pruned, 'pruned'],
    ]),
    ', ',
  );
  const rest = joined(
    counted([
      [total.unsettled, 'other item is unaccounted for', 'other items are unaccounted for'],
      [
        total.unfounded,
        'message names a raw entry that does not hold it',
        'messages name raw entries that do not hold them',
      ],
      [open.damaged, 'entry does not match its hash', 'entries do not match their hashes'],
      [open.unread, 'imported entry cannot be read any more', 'imported entries cannot be read any more'],
      [
        open.misfiled,
        'entry is found by other contacts, numbers or fields than its body names',
        'entries are found by other contacts, numbers or fields than their bodies name',
      ],
      [open.unrecordedChunks, 'history chunk is not in the ledger', 'history chunks are not in the ledger'],
      [open.lackingNames, 'name of a contact is not stored', 'names of contacts are not stored'],
      [open.pending, 'pending entry', 'pending entries'],
      [open.unknownConnection, 'entry of an unknown connection', 'entries of unknown connections'],
      [open.failed, 'failed entry can be read now', 'failed entries can be read now'],
      [open.unreadable, 'unreadable entry', 'unreadable entries'],
      [open.unrecognized, 'part in an unknown format', 'parts in an unknown format'],
    ]),
  );
  const items = `${amount(total.items, 'message item')} in ${amount(entries, 'entry', 'entries')}`;
  const lost = countLost(losses);
  return {
    summary: `${items}${sums === '' ? '' : `: ${sums}`}${rest === '' ? '' : `; ${rest}`}`,
    remedy: await remedyFor(audit, view),
    // Entries waiting for a replay are not lost.
    severity: lost === 0 ? 'degraded' : 'loss',
    lost,
    missing: total.missingMessages,
    unaccounted: lostRows(audit) + open.unrecordedChunks + open.lackingNames,
    restorable: restorableIn(audit),
  };
}

/** What a replay of the raw log restores, each row once. */
function restorableIn({ total }: AuditResult): number {
  return total.missingMessages + total.differentRows + total.unsettled + total.unfoundedHeld;
}

function lostRows(audit: AuditResult): number {
  const { total, open } = audit;
  return (
    restorableIn(audit) +
    total.doubledRows +
    total.unfounded -
    total.unfoundedHeld +
    open.damaged +
    open.unread
  );
}

async function remedyFor(audit: AuditResult, { sql, connections }: VerifyView): Promise<Remedy | null> {
  const { total, open } = audit;
  if (audit.damagedExample !== null) return sourceRemedy(sql, audit.damagedExample, STORE_AGAIN);
  // Messages that have each other's ids: a replay would take one for the other.
  if (total.unfoundedHeld > 0 && total.differentRows > 0) return RELINK_REMEDY;
  if (restorableIn(audit) > 0) return REPLAY_ALL_REMEDY;
  if (open.unrecordedChunks + open.misfiled + open.lackingNames > 0) return REPLAY_ALL_REMEDY;
  // A replay finds one row and leaves the other.
  if (total.doubled + total.unfoundedCopies > 0) return DEDUPE_REMEDY;
  if (total.unfoundedHeld > 0) return REPLAY_ALL_REMEDY;
  if (audit.replacedExample !== null) return sourceRemedy(sql, audit.replacedExample, STORE_AGAIN);
  if (total.unfounded > 0) return UNLINK_REMEDY;
  if (open.failed > 0) return remedy('replay', ['--failed'], 'imports the failed entries again');
  if (open.pending > 0) return remedy('replay', [], 'imports the pending entries');
  if (open.nameless.entries > 0 && open.unknownConnection === open.nameless.entries) {
    const unclaimed = await readUnclaimed(sql, connections);
    return namelessRemedy(namelessOf(connections, open.nameless.providers, unclaimed));
  }
  const orphans = open.unknownConnection > 0 ? await readOrphanOwners(sql) : [];
  if (orphans.length > 0) return orphanRemedy(connections, orphans);
  if (open.unknownConnection > 0)
    return remedy('replay', ['--register'], 'creates the connections and imports their entries');
  return null;
}

/** Entries that were applied to the one connection that has lost their number get it back; others make connections anew. */
function orphanRemedy(connections: readonly ConnectionRow[], orphans: readonly OrphanOwner[]): Remedy {
  // An entry with nothing but statuses has no messages, and so says nothing about its owner.
  const [owner, another] = orphans.filter(({ connectionId }) => connectionId !== null);
  const row = connections.find(({ id }) => id === owner?.connectionId);
  const [number, second] = owner?.phoneNumberIds ?? [];
  return row === undefined || another !== undefined || number === undefined || second !== undefined
    ? remedy(
        'replay',
        ['--all', '--register'],
        'creates the connections that the entries name, and imports them',
      )
    : remedy(
        'connection edit',
        [row.name, '--phone-number-id', number],
        'gives the connection back the number that its entries name',
      );
}

/** Nothing was rejected or unreadable, or it is acknowledged: rejected items, invalid JSON, entries in an unknown format. */
export const rejectsCheck: Check = {
  severity: 'loss',
  async run(view, recorder) {
    const { sql, now, since } = view;
    const { entries, rejects: groups } = await markReadable(sql, {
      entries: view.restricted ? [] : await readEntryGroups(sql, since),
      rejects: await readRejectGroups(sql, since),
    });
    const of = (connectionId: string | null): typeof groups =>
      groups.filter((group) => group.connectionId === connectionId);
    const raised = [
      ...view.connections.flatMap((connection) => rejectAlert(connection, of(connection.id))),
      ...(view.restricted ? [] : [...rejectAlert(null, of(null)), ...brokenAlerts(entries)]),
    ];
    const alerts = acknowledge(raised, await readAlertAcks(sql), now);
    for (const { acknowledged, connectionId, id, message, count } of alerts) {
      recorder.checked += count ?? 1;
      const item = { connectionId, subject: id, detail: message };
      if (acknowledged === null) await recorder.finding('!', item, count ?? 1);
    }
    const { checked, found } = recorder;
    const open = alerts.filter(({ acknowledged }) => acknowledged === null);
    const lost = open.reduce((sum, { severity, count }) => sum + (severity === 'loss' ? (count ?? 1) : 0), 0);
    const acknowledged =
      found === checked ? 'none acknowledged' : `${(checked - found).toLocaleString('en-US')} acknowledged`;
    return {
      summary:
        checked === 0
          ? 'Nothing rejected or unreadable'
          : `${checked.toLocaleString('en-US')} rejected or unreadable, ${acknowledged}`,
      ...(found === checked ? {} : { acknowledged: checked - found }),
      severity: lost === 0 ? 'degraded' : 'loss',
      lost,
      remedy: open[0]?.remedy ?? null,
    };
  },
};

const RECORD_FORGED_REMEDY = remedy(
  'replay',
  ['--all'],
  'puts it on record, with the same secret, so that every command knows it from then on',
);

/**
 * The signatures that wrappers kept beside the stored bodies match the app's secret. A body that does not match may be
 * forged, whether it was left out or applied before a secret was given. The bytes that were signed are
 * gone from an entry that was altered since. Runs only with a known secret.
 */
export const signaturesCheck: Check = {
  severity: 'loss',
  async run(view, recorder) {
    const counts: SignatureCounts = { valid: 0, bad: 0, uncheckable: 0, sha1: 0, unsigned: 0 };
    let example: { subject: string; isKnown: boolean } | null = null;
    let altered = 0;
    let alteredExample: LostEntry | null = null;
    const log = await RawLog.open(view.sql);
    for await (const { entry, signatures, unsigned, refused, failure } of log.entries(
      selectionOf(view),
      view,
    )) {
      const connectionId = entry.connectionScope === NO_SCOPE ? null : entry.connectionScope;
      const subject = `log:${entry.id}`;
      if (failure?.reason === 'damaged') {
        altered += 1;
        const item = { connectionId, subject, detail: `${entry.origin ?? '-'}: ${failure.message}` };
        // Counted by `raw_log`, it is only shown here.
        if (view.checks.has('raw_log')) {
          await recorder.note('!', item);
        } else {
          alteredExample ??= { id: entry.id, runId: entry.runId, origin: entry.origin };
          await recorder.finding('!', item);
        }
        continue;
      }
      // Unread: other checks report it.
      if (failure !== null && failure.reason !== 'bad_signature') continue;
      const answers: SignedTexts = new WeakMap();
      for (const signed of signatures) {
        const judged = judgeAgain(signed, view.appSecrets, entry.verified, answers);
        // A body found bad and left out stays a forgery in the log until a secret matches.
        const verdict = judged !== 'valid' && refused.includes(signed.path) ? 'bad' : judged;
        recorder.checked += 1;
        counts[verdict] += 1;
        const item = { connectionId, subject, detail: `${entry.origin ?? '-'}: ${signed.path}: ${verdict}` };
        if (verdict !== 'bad') {
          await recorder.good(item);
          continue;
        }
        // One that was left out is an alert of `rejects`: counted there, it is only shown here.
        if (view.checks.has('rejects') && refused.includes(signed.path)) {
          await recorder.note('!', item);
          continue;
        }
        if (!refused.includes(signed.path)) view.forged?.(entry.id);
        example ??= { subject, isKnown: refused.includes(signed.path) };
        await recorder.finding('!', item);
      }
      recorder.checked += unsigned;
      counts.unsigned += unsigned;
      if (unsigned > 0)
        await recorder.good({ connectionId, subject, detail: `${entry.origin ?? '-'}: unsigned` });
    }
    const unchecked = `${amount(altered, 'altered entry', 'altered entries')}, not checked`;
    const words = signatureWords(counts);
    return {
      summary:
        joined([
          [words.length, words],
          [altered, unchecked],
        ]) || 'No webhooks',
      remedy:
        example !== null
          ? example.isKnown
            ? explainRemedy(example.subject)
            : RECORD_FORGED_REMEDY
          : alteredExample !== null
            ? await sourceRemedy(view.sql, alteredExample, STORE_AGAIN)
            : null,
      notes: 0,
    };
  },
};
