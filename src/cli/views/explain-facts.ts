import type { Change, ExplainedFact, Outcome } from '../../commands/explain/result.js';
import { reasonInWords } from './reasons.js';
import { faint, span, type Item, type Tone } from '../ui/document.js';

/** A fact: its kind and effect; below, its place in the log and its time. `withRun`: runs differ. */
export function factItem(fact: ExplainedFact, withRun: boolean): Item {
  const came = fact.receivedAt === null ? `stored ${clock(fact.storedAt)}` : clock(fact.receivedAt);
  const details = [
    ...(fact.at === null ? [] : [`${timeWord(fact)} ${clock(fact.at)}${otherClock(fact)}`]),
    ...(fact.chunk === null || fact.kind === 'history_chunk' ? [] : [chunkInWords(fact)]),
    ...(withRun && fact.runId !== null ? [`run ${fact.runId}`] : []),
  ];
  const place = `${fact.entryOrigin}${fact.path === '$' ? '' : `  ${shortPath(fact.path)}`}`;
  return {
    line: [faint(came), `  ${factInWords(fact)}  `, span(TONES[fact.outcome], outcomeInWords(fact))],
    under: [
      span('place', place),
      ...(details.length === 0 ? [] : [faint(details.join(' · '))]),
      ...(fact.excerpt === null ? [] : [`“${fact.excerpt}”`]),
    ],
  };
}

/** `2025-09-16 11:31:00`, UTC. */
export function clock(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ');
}

/** `history message (text) in`, `status read`, `edit`, … */
export function factInWords(fact: ExplainedFact): string {
  const type = fact.type ?? '';
  switch (fact.kind) {
    case 'message':
      return `${ORIGINS[fact.origin ?? 'live']} (${type}, ${fact.direction === 'OUTBOUND' ? 'outbound' : 'inbound'})`;
    case 'status':
      return `status ${fact.status ?? ''}`;
    case 'edit':
      return 'edit';
    case 'revoke':
      return 'revoke';
    case 'reaction':
      return fact.type === 'removed' ? 'reaction removed' : `reaction of the ${type}`;
    case 'address_book':
      return fact.type === 'remove' ? 'removed from the address book' : 'added to the address book';
    case 'profile':
      return `profile name of ${fact.names.join(', ')}`;
    case 'identity_link':
      return `link of ${fact.names.join(', ')}`;
    case 'history_chunk':
      return `history ${chunkInWords(fact)}`;
    case 'history_state':
      return `history ${type.replaceAll('_', ' ')}`;
    case 'event':
      return `event ${type}`;
    case 'skipped':
    case 'rejected':
      return type;
    case 'entry':
      return 'entry in an unknown format';
  }
}

const ORIGINS = {
  live: 'live message',
  standby: 'live message handled by another app (standby)',
  history: 'history message',
  echo: 'sent from the app (echo)',
  follow_up: 'media follow-up',
  adopted: 'message of a CRM or of an exported chat',
} as const;

function chunkInWords({ chunk }: ExplainedFact): string {
  if (chunk === null) return 'chunk';
  const { phase, chunkOrder, progress } = chunk;
  return `chunk ${phase ?? '?'}/${chunkOrder ?? '?'}${progress === null ? '' : ` (${progress} %)`}`;
}

/** The message names no time: whose this is. */
function otherClock({ atFrom }: ExplainedFact): string {
  switch (atFrom) {
    case null:
      return '';
    case 'crm_stored_at':
      return ' (when the CRM stored it)';
    case 'chat_export':
      return ' (to the minute, of the exported chat)';
    default:
      return ' (when it was received)';
  }
}

function timeWord({ kind }: ExplainedFact): string {
  return kind === 'message' ? 'sent' : 'at';
}

/** What became of it, in words. */
function outcomeInWords(fact: ExplainedFact): string {
  const changes = fact.changes.map(changeInWords).join(', ');
  const waited = fact.reason === 'waited_for_message' ? 'arrived before its message: ' : '';
  switch (fact.outcome) {
    case 'created':
      return 'created the row';
    case 'changed':
      return `${waited}${changes}`;
    case 'unchanged':
      return `${waited}changed nothing`;
    case 'stored':
      return 'in the database';
    case 'applied':
      return 'applied';
    case 'noted':
      return fact.reason ?? '';
    case 'missing':
      return fact.reason === null ? 'MISSING' : `MISSING: ${explainReason(fact.reason)}`;
    case 'different':
      return `DIFFERENT: ${fact.reason === null ? 'the row differs from this' : explainReason(fact.reason)}`;
    case 'unread':
      return explainReason(fact.reason ?? '');
    case 'pending':
    case 'rejected':
    case 'skipped': {
      const taken = fact.takenBy === null ? '' : ` (row ${fact.takenBy.messageId})`;
      return `${fact.outcome}: ${explainReason(fact.reason ?? '')}${taken}`;
    }
  }
}

const OWN_REASONS = new Map([
  ['not_replayed', 'its entry has not been replayed'],
  ['no_message_yet', 'target message not received'],
  ['in_another_conversation', 'the message is in another conversation'],
  ['no_lead', 'the message is there, but its contact has no lead'],
  ['not_applied', 'neither applied nor pending'],
  ['unfounded', 'the raw entry that it names does not hold it'],
  ['bad_signature', 'applied before the signature of its raw entry was found to be bad'],
  ['doubled', 'duplicate: several rows for this message'],
  ['unknown_connection', 'unknown connection'],
  ['other_connection', 'the replay was for another connection'],
]);

/** A reason in words; those of `explain` itself first. */
export function explainReason(reason: string): string {
  return OWN_REASONS.get(reason) ?? reasonInWords(reason);
}

const FIELDS = new Map([
  ['externalId', 'id'],
  ['timestamp', 'time'],
  ['editedAt', 'edited'],
  ['deletedAt', 'revoked'],
  ['answers', 'answers'],
]);

/** `status sent → read`, `text filled`, `edited 2025-09-16 12:31:00`. */
export function changeInWords({ field, from, to }: Change): string {
  const name = FIELDS.get(field) ?? field;
  if (to === undefined) return from === null ? `${name} filled` : `${name} changed`;
  if (from === undefined && to === null) return `${name} removed`;
  if (field === 'reaction') return 'reaction set';
  if (field === 'deletedAt' || field === 'editedAt')
    return to === null ? `not ${name}` : `${name} ${clock(to)}`;
  const word = (value: string | null | undefined): string => {
    if (value === null || value === undefined) return '–';
    return field === 'timestamp' ? clock(value) : value;
  };
  return from === null || from === undefined ? `${name} ${word(to)}` : `${name} ${word(from)} → ${word(to)}`;
}

const TONES: Readonly<Record<Outcome, Tone>> = {
  created: 'good',
  stored: 'good',
  changed: 'good',
  applied: 'good',
  missing: 'bad',
  different: 'bad',
  unread: 'bad',
  pending: 'warn',
  rejected: 'warn',
  skipped: 'faint',
  unchanged: 'faint',
  noted: 'faint',
};

/** Leaves out the path to the only change of a webhook, which is the same everywhere. */
function shortPath(path: string): string {
  const [, rest] = /\.entry\[0\]\.changes\[0\]\.value(\..*)$/.exec(path) ?? [];
  return rest === undefined ? path : `…${rest}`;
}
