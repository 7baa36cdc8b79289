import { createHash } from 'node:crypto';
import { amount } from '../model/amount.js';
import { rejectWords } from '../model/facts.js';
import { remedy, type Remedy } from '../model/remedy.js';
import type { Nameless, UnclaimedWaba } from '../model/run-result.js';
import {
  compareSeverity,
  isAtLeast,
  worstSeverity,
  type Provider,
  type Severity,
} from '../model/enumerations.js';
import type { EntryGroup } from '../store/queries/report.js';
import type { AlertAck } from '../store/tables/alert-acks.js';
import type { ConnectionRow } from '../store/tables/connections.js';
import { BAD_SIGNATURE } from '../store/tables/webhook-log.js';
import type { RejectGroup } from '../store/tables/rejects.js';
import { rfc3339 } from '../model/time.js';

/** What an alert can be about, most urgent first: conditions that block everything else come first. */
export const ALERT_KINDS = [
  'messages_missing',
  'messages_different',
  'messages_doubled',
  'messages_unfounded',
  'raw_entries_altered',
  'raw_entries_gone',
  'bad_signature',
  'entries_failed',
  'rejects',
  'crm_differs',
  'finding',
  'partner_removed',
  'silent',
  'failed',
  'crm_not_compared',
  'run_died',
  'no_history',
  'chunk_missing',
  'history_owed',
  'entries_pending',
  'pending_facts',
  'media_expiring',
  'media_expired',
  'media_denied',
  'media_mismatch',
  'declined',
  'foreign_messages',
  'foreign_marks',
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

/** How bad each kind is; that of a `finding` is the check's own. */
const SEVERITY_OF: Readonly<Record<Exclude<AlertKind, 'finding'>, Severity>> = {
  messages_missing: 'loss',
  messages_different: 'loss',
  messages_doubled: 'loss',
  messages_unfounded: 'loss',
  raw_entries_altered: 'loss',
  raw_entries_gone: 'loss',
  bad_signature: 'loss',
  entries_failed: 'loss',
  rejects: 'loss',
  crm_differs: 'loss',
  partner_removed: 'degraded',
  silent: 'degraded',
  failed: 'degraded',
  crm_not_compared: 'degraded',
  run_died: 'degraded',
  no_history: 'degraded',
  chunk_missing: 'degraded',
  history_owed: 'degraded',
  entries_pending: 'degraded',
  pending_facts: 'degraded',
  media_expiring: 'degraded',
  media_expired: 'degraded',
  media_denied: 'degraded',
  media_mismatch: 'degraded',
  declined: 'note',
  foreign_messages: 'note',
  foreign_marks: 'note',
};

/** Who accepted an alert, and for how long. */
interface Acknowledgement {
  by: string;
  host: string;
  at: string;
  until: string | null;
  reason: string | null;
}

export interface Alert {
  /** Constant across runs for the same kind, connection and subject; `finding:CHECK` for findings of a verify check. */
  id: string;
  kind: AlertKind;
  severity: Severity;
  /** Null if it concerns the whole database. */
  connection: string | null;
  connectionId: string | null;
  /** Its subject besides the connection: a check, a run, why entries wait. */
  subject: string | null;
  /** Since when, RFC 3339: of lost messages, the time of the oldest; null if unknown. */
  since: string | null;
  count: number | null;
  /** One sentence for people. */
  message: string;
  /** What to run next; null if only a person can fix it. */
  remedy: Remedy | null;
  /** Constant while nothing changes. An acknowledgement holds until it changes. */
  state: string;
  acknowledged: Acknowledgement | null;
}

interface AlertDetails {
  /** Ms since 1970. */
  since: number | null;
  message: string;
  /** A change here makes it a new alert: a time, a list, a count. */
  state: string | number | null;
  subject?: string;
  count?: number;
  remedy?: Remedy | null;
}

/** The id of the alert about a run that died. */
export function diedAlertId(runId: string): string {
  return idOf('run_died', null, runId);
}

function idOf(
  kind: Exclude<AlertKind, 'finding'>,
  connectionId: string | null,
  subject: string | null,
): string {
  return `${kind.replaceAll('_', '-')}-${digest([kind, connectionId, subject])}`;
}

/** Raises an alert; `connection` is null if it concerns the whole database. */
export function alert(
  kind: Exclude<AlertKind, 'finding'>,
  connection: { id: string; name: string } | null,
  details: AlertDetails,
): Alert {
  return raise(kind, SEVERITY_OF[kind], connection, details);
}

/** A finding of `verify` as an alert; `subject` is the check. */
export function findingAlert(severity: Severity, details: AlertDetails & { subject: string }): Alert {
  return raise('finding', severity, null, details);
}

function raise(
  kind: AlertKind,
  severity: Severity,
  connection: { id: string; name: string } | null,
  { since, message, state, subject, count, remedy }: AlertDetails,
): Alert {
  return {
    id: kind === 'finding' ? `finding:${subject ?? ''}` : idOf(kind, connection?.id ?? null, subject ?? null),
    kind,
    severity,
    connection: connection?.name ?? null,
    connectionId: connection?.id ?? null,
    subject: subject ?? null,
    since: rfc3339(since),
    count: count ?? null,
    message,
    remedy: remedy ?? null,
    state: digest([severity, state]),
    acknowledged: null,
  };
}

/** Short enough to type; a database has a few dozen alerts. */
function digest(parts: readonly (string | number | null)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 8);
}

/**
 * The alerts with their acknowledgements, in reading order: worst first, acknowledged ones last. An acknowledgement
 * ends at its time, and when the alert's state changes.
 */
export function acknowledge(raised: readonly Alert[], acks: readonly AlertAck[], now: number): Alert[] {
  const byId = new Map(acks.map((ack) => [ack.alertId, ack]));
  return raised
    .map((alert) => {
      const ack = byId.get(alert.id);
      if (ack?.state !== alert.state || (ack.until !== null && ack.until <= now)) return alert;
      const { ackedBy, host, ackedAt, until, reason } = ack;
      return {
        ...alert,
        acknowledged: {
          by: ackedBy,
          host,
          at: new Date(ackedAt).toISOString(),
          until: rfc3339(until),
          reason,
        },
      };
    })
    .sort(
      (a, b) =>
        Number(a.acknowledged !== null) - Number(b.acknowledged !== null) ||
        compareSeverity(a.severity, b.severity) ||
        ALERT_KINDS.indexOf(a.kind) - ALERT_KINDS.indexOf(b.kind) ||
        (a.connection ?? '').localeCompare(b.connection ?? '', 'en'),
    );
}

/** Number of alerts by severity. Losses are counted item by item, everything else alert by alert. */
export interface AlertCounts {
  /** Lost messages, entries and items. */
  lost: number;
  degraded: number;
  notes: number;
  /** Of any severity; excluded from the other figures. */
  acknowledged: number;
}

export function countAlerts(alerts: readonly Alert[]): AlertCounts {
  const open = openAlerts(alerts);
  const of = (severity: Severity): Alert[] => open.filter((alert) => alert.severity === severity);
  return {
    lost: of('loss').reduce((sum, { count }) => sum + (count ?? 1), 0),
    degraded: of('degraded').length,
    notes: of('note').length,
    acknowledged: alerts.length - open.length,
  };
}

/** The worst unacknowledged severity; null if there is none. */
export function worstOpen(alerts: readonly Alert[]): Severity | null {
  return worstSeverity(openAlerts(alerts).map(({ severity }) => severity));
}

/** Whether an unacknowledged alert is at least as severe as `threshold`. */
export function hasOpen(alerts: readonly Alert[], threshold: Severity): boolean {
  const worst = worstOpen(alerts);
  return worst !== null && isAtLeast(worst, threshold);
}

function openAlerts(alerts: readonly Alert[]): Alert[] {
  return alerts.filter(({ acknowledged }) => acknowledged === null);
}

/** Messages that name no raw entry: true, nothing to do, and worth knowing, because they have no evidence. */
export function foreignAlert(connection: { id: string; name: string }, count: number): Alert[] {
  if (count === 0) return [];
  return [
    alert('foreign_messages', connection, {
      since: null,
      state: count,
      count,
      message: `${amount(count, 'message has', 'messages have')} no raw log entry: another program wrote ${count === 1 ? 'it' : 'them'}, or the entry was deleted. Nothing here can verify ${count === 1 ? 'it' : 'them'}.`,
    }),
  ];
}

/** Another program's mark on a message. */
export function markWords(marks: readonly string[]): string {
  const words = marks.map((mark) => (mark === 'reply' ? 'a reply' : mark));
  return `marked as ${words.join(' and ')} by another program: no raw entry says so`;
}

/** Messages of the raw log marked by another program: the marks stay, and no entry explains them. */
export function markAlert(connection: { id: string; name: string }, count: number): Alert[] {
  if (count === 0) return [];
  return [
    alert('foreign_marks', connection, {
      since: null,
      state: count,
      count,
      message: `${amount(count, 'message is', 'messages are')} marked as deleted, edited or a reply by another program: no raw entry says so. The marks stay as they are.`,
    }),
  ];
}

/** Rejected items; `connection` is null for those without one. */
export function rejectAlert(
  connection: { id: string; name: string } | null,
  rejects: readonly RejectGroup[],
): Alert[] {
  const [most] = [...rejects].sort((a, b) => b.count - a.count);
  if (most === undefined) return [];
  const count = rejects.reduce((total, group) => total + group.count, 0);
  const reasons = rejects.map(
    (group) => `${rejectWords(group.reason)} (${group.count.toLocaleString('en-US')})`,
  );
  return [
    alert('rejects', connection, {
      since: Math.min(...rejects.map(({ firstAt }) => firstAt)),
      state: Math.max(...rejects.map(({ lastAt }) => lastAt)),
      count,
      message: `${amount(count, 'item was', 'items were')} rejected${reasons.length === 1 ? ` (${rejectWords(most.reason)})` : `: ${reasons.join(', ')}`}.`,
      remedy:
        most.isReadable === true
          ? remedy('replay', ['--all'], 'takes the item in, which is read without a fault now')
          : remedy('explain', [`log:${most.webhookLogId}`], 'shows the entry and what was rejected of it'),
    }),
  ];
}

/** Entries without results, because they are not JSON or in an unknown format. */
export function brokenAlerts(entries: readonly EntryGroup[]): Alert[] {
  const kinds = [
    {
      kind: 'bad_signature',
      status: 'failed',
      reason: BAD_SIGNATURE,
      one: 'has a body whose signature does not fit the app secret',
      many: 'have a body whose signature does not fit the app secret',
      advice: (it: string, count: number, unchecked: number) =>
        unchecked === 0
          ? 'Nothing of such a body was applied. If the secret was wrong, replay --failed with the right one.'
          : `${uncheckedWords(it, count, unchecked)} What such a body brought stays: explain shows it. If the secret was wrong, replay --failed with the right one; otherwise look at what it brought, and acknowledge this.`,
    },
    {
      kind: 'entries_failed',
      status: 'failed',
      reason: null,
      one: 'is invalid JSON',
      many: 'are invalid JSON',
      advice: (it: string) =>
        `Export ${it} again and replay the new file; raw discard removes what was stored by mistake.`,
    },
    {
      kind: 'entries_failed',
      status: 'unrecognized',
      reason: null,
      one: 'is in an unknown format',
      many: 'are in an unknown format',
      advice: (it: string) =>
        `${it === 'it' ? 'It is' : 'They are'} kept; a version that supports ${it} can replay ${it}. raw discard removes what was stored by mistake.`,
    },
  ] as const;
  return kinds.flatMap(({ kind, status, reason, one, many, advice }) => {
    const groups = entries.filter(
      (group) =>
        (group.status === status || (reason !== null && group.status === 'partial')) &&
        group.reason === reason,
    );
    const count = groups.reduce((total, group) => total + group.count, 0);
    const [first] = groups
      .flatMap(({ firstBroken }) => firstBroken ?? [])
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    if (first === undefined) return [];
    const { id, origin, isReadable = false } = first;
    const unchecked = groups.reduce((sum, group) => sum + (wasUnchecked(group) ? group.count : 0), 0);
    const lastStoredAt = Math.max(...groups.map((group) => group.lastStoredAt));
    const where = `the first at ${origin ?? `log:${id}`}`;
    // Only of the first is known that it can be read; the raw log's audit says the same of each that can.
    const isWaiting = isReadable && status === 'failed' && count === 1;
    const message = isWaiting
      ? `1 entry failed before and can be read now: ${origin ?? `log:${id}`}.`
      : `${amount(count, 'entry', 'entries')} ${count === 1 ? one : many}, ${where}. ${advice(count === 1 ? 'it' : 'them', count, unchecked)}`;
    return [
      raise(kind, isWaiting ? 'degraded' : SEVERITY_OF[kind], null, {
        since: Math.min(...groups.map(({ firstStoredAt }) => firstStoredAt)),
        // Found late, an entry is no newer than before, and yet is news.
        state: unchecked === 0 ? lastStoredAt : `${lastStoredAt} ${unchecked}`,
        subject: status,
        count,
        message,
        remedy: isReadable
          ? remedy('replay', [status === 'failed' ? '--failed' : '--all'], 'imports it: it can be read now')
          : remedy('explain', [`log:${id}`], `shows the first entry that ${one}`),
      }),
    ];
  });
}

/** Whether a body of these entries was applied before its signature could be checked. */
function wasUnchecked({ counters }: EntryGroup): boolean {
  return counters !== null && 'unchecked' in counters;
}

function uncheckedWords(it: string, count: number, unchecked: number): string {
  const late = 'before the signature could be checked.';
  if (unchecked === count) return it === 'it' ? `It was applied ${late}` : `They were applied ${late}`;
  return `${amount(unchecked, 'of them was', 'of them were')} applied ${late}`;
}

/** Whose these providers' entries may be that name none. `unclaimed`: the same of those that name a WABA alone; null without any. */
export function namelessOf(
  connections: readonly Pick<ConnectionRow, 'name' | 'kind'>[],
  providers: ReadonlySet<Provider>,
  unclaimed: Nameless | null,
): Nameless {
  return (providers.has('meta') ? unclaimed : null) ?? { candidates: candidatesOf(connections, providers) };
}

function candidatesOf(
  connections: readonly Pick<ConnectionRow, 'name' | 'kind'>[],
  providers: ReadonlySet<Provider>,
): string[] {
  return connections
    .filter(({ kind }) => providers.has(kind === 'baileys' ? 'baileys' : 'meta'))
    .map(({ name }) => name);
}

/** Maximum connections named in one line. */
const CANDIDATES_NAMED = 5;

/** The connection for entries that name none: the only possible one, else the one a person names. */
export function namelessRemedy({ candidates, waba }: Nameless): Remedy {
  if (waba !== undefined) return wabaRemedy(candidates, waba);
  const [only, second] = candidates;
  if (only === undefined)
    return remedy(
      'connection add',
      [],
      'adds the connection; then replay --connection NAME imports the entries',
    );
  return second === undefined
    ? remedy('replay', ['--connection', only], 'imports the pending entries for this connection')
    : remedy(
        'replay',
        ['--connection', 'NAME'],
        `imports the entries that name none as those of NAME: ${eitherOf(candidates)}`,
      );
}

/** What ends the wait of entries whose WABA no connection has. */
function wabaRemedy(candidates: readonly string[], { wabaId, entryId, end }: UnclaimedWaba): Remedy {
  const [only = 'NAME', second] = candidates;
  switch (end) {
    case 'edit':
      return remedy(
        'connection edit',
        [second === undefined ? only : 'NAME', '--waba-id', wabaId],
        second === undefined
          ? 'gives the connection the WABA that its pending entries name; then replay imports them'
          : `gives NAME the WABA that the pending entries name; then replay imports them: ${eitherOf(candidates)}`,
      );
    case 'decide':
      return remedy(
        'connection add',
        ['--waba-id', wabaId],
        `adds the number of this WABA; then replay imports its entries. Decide: other entries name only the WABA that ${eitherOf(candidates)} has, so it cannot get this one; raw discard log:${entryId} takes the entry out if it was stored by mistake`,
      );
    case 'discard':
      return remedy(
        'raw discard',
        [`log:${entryId}`],
        'plans to take the entry out: what it names is no id of a WABA, and no connection can have it',
      );
  }
}

/** `a, b or c`; of many, the first. */
function eitherOf(names: readonly string[]): string {
  if (names.length < 2) return names.join('');
  if (names.length > CANDIDATES_NAMED) {
    const rest = (names.length - CANDIDATES_NAMED).toLocaleString('en-US');
    return `${names.slice(0, CANDIDATES_NAMED).join(', ')} or one of ${rest} more`;
  }
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1) ?? ''}`;
}
