import { remedy } from '../../model/remedy.js';
import { amount } from '../../model/amount.js';
import { older, totalLosses, type LogAudit, type Losses } from '../../audit/losses.js';
import { alert, findingAlert, type Alert, type AlertKind } from '../../audit/alert.js';
import { listOf } from '../../audit/waiting-alerts.js';
import type { CheckName, CheckResult } from './types.js';

const IDS_NAMED = 2;
const RESTORE = remedy('replay', ['--all'], 'restores them from the raw log');
const RESTORE_ONE = remedy('replay', ['--all'], 'restores it from the raw log');
const MERGE = remedy('dedupe', ['--apply'], 'merges each pair into one row');

/** Alerts that repeat one condition per connection, or an audit's findings. */
const COVERED: Partial<Record<CheckName, readonly AlertKind[]>> = {
  raw_log: [],
  rejects: ['rejects', 'entries_failed', 'bad_signature'],
  history_ledger: ['chunk_missing', 'history_owed', 'failed', 'no_history'],
  pending_facts: ['pending_facts'],
  media_owed: ['media_expiring', 'media_expired', 'media_denied', 'media_mismatch'],
};

/** An audit's findings for each connection, item by item. */
export function lossAlerts(
  { losses }: LogAudit,
  connections: readonly { id: string; name: string }[],
  checks: readonly CheckResult[],
): Alert[] {
  const byId = new Map(connections.map((connection) => [connection.id, connection]));
  const rawLog = checks.find(({ check }) => check === 'raw_log');
  return [
    ...[...losses].flatMap(([id, found]) => connectionLosses(byId.get(id) ?? null, found, checks)),
    ...entryAlerts(totalLosses(losses), rawLog),
  ];
}

function connectionLosses(
  connection: { id: string; name: string } | null,
  losses: Losses,
  checks: readonly CheckResult[],
): Alert[] {
  const rawLog = checks.find(({ check }) => check === 'raw_log');
  const { missing, different, unapplied, doubled, unfounded } = losses;
  const alerts: Alert[] = [];
  if (missing.count > 0) {
    const messages = amount(missing.count, 'message of the raw log is', 'messages of the raw log are');
    alerts.push(
      alert('messages_missing', connection, {
        since: missing.since,
        state: missing.digest,
        count: missing.count,
        message: `${messages} not in the database: ${named(missing)}.`,
        remedy: missing.count === 1 ? RESTORE_ONE : RESTORE,
      }),
    );
  }
  if (different.count + unapplied.count > 0) {
    const parts = [
      ...(different.count === 0
        ? []
        : [
            `${amount(different.count, 'message differs', 'messages differ')} from the raw log: ${named(different)}.`,
          ]),
      ...(unapplied.count === 0 ? [] : [`${updateWords(unapplied)}.`]),
    ];
    alerts.push(
      alert('messages_different', connection, {
        since: older(different.since, unapplied.since),
        state: different.digest + unapplied.digest,
        count: different.count + unapplied.count,
        message: parts.join(' '),
        remedy: RESTORE,
      }),
    );
  }
  if (doubled.count > 0) {
    alerts.push(
      alert('messages_doubled', connection, {
        since: doubled.since,
        state: doubled.digest,
        count: doubled.count,
        message: `${amount(doubled.count, 'message')} duplicated, under both of the message’s ids: ${named(doubled)}.`,
        remedy: checks.find(({ check }) => check === 'duplicate_ids')?.remedy ?? MERGE,
      }),
    );
  }
  if (unfounded.count > 0) {
    alerts.push(
      alert('messages_unfounded', connection, {
        since: unfounded.since,
        state: unfounded.digest,
        count: unfounded.count,
        message: `${amount(unfounded.count, 'message names a raw entry that does not hold it', 'messages name raw entries that do not hold them')}: ${named(unfounded)}.`,
        remedy: rawLog?.remedy ?? null,
      }),
    );
  }
  return alerts;
}

function entryAlerts(
  { damaged, unreplayed, orphaned, misfiled, unrecorded_chunk: chunks, lacking_name: names }: Losses,
  rawLog: CheckResult | undefined,
): Alert[] {
  const alerts: Alert[] = [];
  if (damaged.count > 0) {
    alerts.push(
      alert('raw_entries_altered', null, {
        since: null,
        state: damaged.digest,
        count: damaged.count,
        message: `${amount(damaged.count, 'raw entry is', 'raw entries are')} not what was stored (the bytes do not match their hash): ${named(damaged)}.`,
        remedy: rawLog?.remedy ?? null,
      }),
    );
  }
  if (chunks.count > 0) {
    alerts.push(
      findingAlert('degraded', {
        since: null,
        state: chunks.digest,
        subject: 'chunks',
        count: chunks.count,
        message: `${amount(chunks.count, 'history chunk of the raw log is', 'history chunks of the raw log are')} not in the ledger: ${named(chunks)}.`,
        remedy: RESTORE,
      }),
    );
  }
  if (misfiled.count > 0) {
    alerts.push(
      findingAlert('degraded', {
        since: null,
        state: misfiled.digest,
        subject: 'misfiled',
        count: misfiled.count,
        message: `${amount(misfiled.count, 'raw entry is', 'raw entries are')} found by other contacts, numbers or fields than the body names: ${named(misfiled)}.`,
        remedy: RESTORE,
      }),
    );
  }
  if (names.count > 0) {
    alerts.push(
      findingAlert('degraded', {
        since: null,
        state: names.digest,
        subject: 'names',
        count: names.count,
        message: `${amount(names.count, 'name that the raw log gives a contact is', 'names that the raw log gives contacts are')} not stored: ${named(names)}.`,
        remedy: RESTORE,
      }),
    );
  }
  if (unreplayed.count > 0) {
    alerts.push(
      findingAlert('degraded', {
        since: null,
        state: unreplayed.digest,
        subject: 'raw_log',
        count: unreplayed.count,
        message: `${amount(unreplayed.count, 'failed entry', 'failed entries')} can be read now: ${named(unreplayed)}.`,
        remedy: remedy('replay', ['--failed'], 'imports them'),
      }),
    );
  }
  if (orphaned.count > 0) {
    alerts.push(
      findingAlert('degraded', {
        since: null,
        state: orphaned.digest,
        subject: 'unknown_connection',
        count: orphaned.count,
        message: `${amount(orphaned.count, 'raw entry that was applied names', 'raw entries that were applied name')} a number that no connection has any more: ${named(orphaned)}.`,
        remedy: rawLog?.remedy ?? null,
      }),
    );
  }
  return alerts;
}

/** One message can lack several updates: name its id once. */
function updateWords(unapplied: Losses['unapplied']): string {
  const [id, ...others] = new Set(unapplied.samples);
  const what = amount(unapplied.count, 'status, edit or reaction', 'statuses, edits or reactions');
  const are = unapplied.count === 1 ? 'is' : 'are';
  return id !== undefined && others.length === 0 && unapplied.count === unapplied.samples.length
    ? `${what} of ${id} ${are} not applied`
    : `${what} ${are} not applied: ${named(unapplied)}`;
}

function named({ samples, count }: Losses['missing']): string {
  const shown = samples.slice(0, IDS_NAMED);
  const rest = count - shown.length;
  return rest > 0 ? `${shown.join(', ')} and ${rest.toLocaleString('en-US')} more` : listOf(shown, IDS_NAMED);
}

/** Duplicate rows beyond the verification's findings: of messages not in the raw log. */
export function duplicateAlert(
  { checks, audit }: { checks: readonly CheckResult[]; audit: LogAudit | null },
  duplicates: number,
): Alert[] {
  const byId = checks.find(({ check }) => check === 'duplicate_ids')?.found ?? 0;
  const known = byId + (audit === null ? 0 : totalLosses(audit.losses).doubled.count);
  const others = duplicates - known;
  if (others <= 0) return [];
  return [
    alert('messages_doubled', null, {
      since: null,
      state: others,
      count: others,
      message: `${amount(others, 'row is a duplicate', 'rows are duplicates')} of another message.`,
      remedy: MERGE,
    }),
  ];
}

/**
 * Every check with findings that no other alert covers. `renamed`: duplicates that an audit reports as rows not held by
 * their entry.
 */
export function findingAlerts(
  checks: readonly CheckResult[],
  others: readonly Alert[],
  renamed: number,
): Alert[] {
  return checks.flatMap(({ check, status, severity, state, remedy: advice, ...result }) => {
    const isRenamed = check === 'duplicate_ids' && renamed > 0;
    const found = isRenamed ? result.found - renamed : result.found;
    if (isRenamed && found <= 0) return [];
    const summary = isRenamed ? amount(found, 'duplicate row') : result.summary;
    // raw_entry's notes become alerts per connection, and so do history gaps.
    const isNews = status === 'findings' || (status === 'note' && check === 'ticket_rules');
    if (!isNews || severity === null) return [];
    const covering = COVERED[check];
    if (covering !== undefined && (check === 'raw_log' || others.some(({ kind }) => covering.includes(kind))))
      return [];
    const details = {
      since: null,
      state: `${found} ${state ?? ''}`,
      count: found,
      message: `${summary}.`,
      remedy: advice ?? remedy('verify', ['--check', check], 'lists what was found'),
    };
    return check === 'raw_entry'
      ? [alert('raw_entries_gone', null, details)]
      : [findingAlert(severity, { ...details, subject: check })];
  });
}
