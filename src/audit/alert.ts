import { createHash } from 'node:crypto';
import type { Remedy } from '../model/remedy.js';
import type { Severity } from '../model/enumerations.js';

/** What an alert can be about, the most urgent first: what stands in the way of everything else comes before it. */
export const ALERT_KINDS = [
  'messages_missing',
  'messages_different',
  'messages_doubled',
  'raw_entries_altered',
  'raw_entries_gone',
  'entries_failed',
  'rejects',
  'finding',
  'partner_removed',
  'silent',
  'failed',
  'run_died',
  'no_history',
  'chunk_missing',
  'entries_pending',
  'pending_facts',
  'declined',
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

/** How bad each kind is; that of a `finding` is the check's own. */
const SEVERITY_OF: Readonly<Record<Exclude<AlertKind, 'finding'>, Severity>> = {
  messages_missing: 'loss',
  messages_different: 'loss',
  messages_doubled: 'loss',
  raw_entries_altered: 'loss',
  raw_entries_gone: 'loss',
  entries_failed: 'loss',
  rejects: 'loss',
  partner_removed: 'degraded',
  silent: 'degraded',
  failed: 'degraded',
  run_died: 'degraded',
  no_history: 'degraded',
  chunk_missing: 'degraded',
  entries_pending: 'degraded',
  pending_facts: 'degraded',
  declined: 'note',
};

/** Who accepted an alert, and for how long. */
export interface Acknowledgement {
  by: string;
  host: string;
  at: string;
  until: string | null;
  reason: string | null;
}

export interface Alert {
  /** The same in every run for the same kind, connection and subject. */
  id: string;
  kind: AlertKind;
  severity: Severity;
  /** Null for what concerns the whole database. */
  connection: string | null;
  connectionId: string | null;
  /** What it is about besides the connection: a check, a run, why entries wait. */
  subject: string | null;
  /** Since when, RFC 3339; null if that cannot be told. */
  since: string | null;
  count: number | null;
  /** One sentence for people. */
  message: string;
  /** What to type next; null if only a person can mend it. */
  remedy: Remedy | null;
  /** Stays the same for as long as nothing has changed. An acknowledgement holds until it changes. */
  state: string;
  acknowledged: Acknowledgement | null;
}

export interface AlertDetails {
  /** Ms since 1970. */
  since: number | null;
  message: string;
  /** What makes it a new matter when it changes: a time, a list, a count. */
  state: string | number | null;
  subject?: string;
  count?: number;
  remedy?: Remedy | null;
}

/** Raises an alert; `connection` is null for what concerns the whole database. */
export function alert(
  kind: Exclude<AlertKind, 'finding'>,
  connection: { id: string; name: string } | null,
  details: AlertDetails,
): Alert {
  return raise(kind, SEVERITY_OF[kind], connection, details);
}

/** What a check of `verify` found, as an alert; `subject` is the check. */
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
    id: `${kind.replaceAll('_', '-')}-${digest([kind, connection?.id ?? null, subject ?? null])}`,
    kind,
    severity,
    connection: connection?.name ?? null,
    connectionId: connection?.id ?? null,
    subject: subject ?? null,
    since: since === null ? null : new Date(since).toISOString(),
    count: count ?? null,
    message,
    remedy: remedy ?? null,
    state: digest([severity, state]),
    acknowledged: null,
  };
}

/** Short enough to be typed; a database has a few dozen alerts. */
function digest(parts: readonly (string | number | null)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 8);
}
