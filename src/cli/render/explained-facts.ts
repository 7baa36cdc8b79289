import type { Change, ExplainedFact, Outcome } from '../../core/explain/result.js';
import type { Look } from './look.js';
import { reasonInWords } from './reasons.js';
import { sanitize, truncate } from './sanitize.js';

const INDENT = '  ';

/** A fact as two lines: what it is and what it did; then where it stands, and when. `withRun`: runs differ. */
export function factLines(fact: ExplainedFact, look: Look, withRun: boolean): string[] {
  const words = sanitize(factInWords(fact));
  const outcome = paintOutcome(fact.outcome, outcomeInWords(fact), look);
  const came = fact.receivedAt === null ? `stored ${clock(fact.storedAt)}` : clock(fact.receivedAt);
  const details = [
    ...(fact.at === null ? [] : [`${timeWord(fact)} ${clock(fact.at)}`]),
    ...(fact.chunk === null || fact.kind === 'history_chunk' ? [] : [chunkInWords(fact)]),
    ...(withRun && fact.runId !== null ? [`run ${fact.runId.slice(0, 13)}`] : []),
  ];
  const place = `${sanitize(fact.entryOrigin)}${fact.path === '$' ? '' : `  ${sanitize(shortPath(fact.path))}`}`;
  return [
    `${look.dim(came)}  ${words}  ${outcome}`,
    `${INDENT}${look.cyan(place)}`,
    ...(details.length === 0 ? [] : [`${INDENT}${look.dim(details.join(' · '))}`]),
    ...(fact.excerpt === null ? [] : [`${INDENT}“${truncate(sanitize(fact.excerpt), 60)}”`]),
  ];
}

/** `2025-09-16 11:31:00`, UTC. */
export function clock(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ');
}

/** `history message (text) in`, `status read`, `edit`, … */
function factInWords(fact: ExplainedFact): string {
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
      return fact.type === 'removed' ? 'reaction taken back' : `reaction of the ${type}`;
    case 'address_book':
      return fact.type === 'remove' ? 'removed from the address book' : 'entered in the address book';
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
      return 'an entry that was not understood';
  }
}

const ORIGINS = {
  live: 'live message',
  standby: 'live message of another program’s conversation',
  history: 'history message',
  echo: 'echo of the app',
  follow_up: 'media follow-up',
} as const;

function chunkInWords({ chunk }: ExplainedFact): string {
  if (chunk === null) return 'chunk';
  const { phase, chunkOrder, progress } = chunk;
  return `chunk ${phase ?? '?'}/${chunkOrder ?? '?'}${progress === null ? '' : ` (${progress} %)`}`;
}

function timeWord({ kind }: ExplainedFact): string {
  return kind === 'message' ? 'sent' : 'at';
}

/** What became of it, in words. */
function outcomeInWords(fact: ExplainedFact): string {
  const changes = fact.changes.map(changeInWords).join(', ');
  const waited = fact.reason === 'waited_for_message' ? 'came before its message: ' : '';
  switch (fact.outcome) {
    case 'created':
      return 'brought the row';
    case 'changed':
      return `${waited}${changes}`;
    case 'unchanged':
      return `${waited}changed nothing`;
    case 'stored':
      return 'in the database';
    case 'applied':
      return 'applied';
    case 'noted':
      return sanitize(fact.reason ?? '');
    case 'missing':
      return fact.reason === null ? 'MISSING' : `MISSING: ${explainReason(fact.reason)}`;
    case 'different':
      return `DIFFERENT: ${fact.reason === null ? 'the row is not what this says' : explainReason(fact.reason)}`;
    case 'unread':
      return sanitize(explainReason(fact.reason ?? ''));
    case 'pending':
    case 'rejected':
    case 'skipped': {
      const taken = fact.takenBy === null ? '' : ` (row ${fact.takenBy.messageId})`;
      return `${fact.outcome}: ${explainReason(fact.reason ?? '')}${taken}`;
    }
  }
}

const OWN_REASONS = new Map([
  ['not_replayed', 'its entry waits to be replayed'],
  ['no_message_yet', 'its message never came'],
  ['in_another_conversation', 'the message is in another conversation'],
  ['not_applied', 'neither applied nor pending'],
  ['doubled', 'its message is there twice, under both of its ids'],
  ['unknown_connection', 'its connection is not known'],
  ['other_connection', 'the replay was for another connection'],
]);

/** A reason in words; those of `explain` itself first. */
export function explainReason(reason: string): string {
  return OWN_REASONS.get(reason) ?? sanitize(reasonInWords(reason));
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
    return to === null ? `not ${name}` : `${name} ${sanitize(clock(to))}`;
  const word = (value: string | null | undefined): string => {
    if (value === null || value === undefined) return '–';
    return sanitize(field === 'timestamp' ? clock(value) : value);
  };
  return from === null || from === undefined ? `${name} ${word(to)}` : `${name} ${word(from)} → ${word(to)}`;
}

export function paintOutcome(outcome: Outcome, words: string, look: Look): string {
  switch (outcome) {
    case 'created':
    case 'stored':
    case 'changed':
    case 'applied':
      return look.green(words);
    case 'missing':
    case 'different':
    case 'unread':
      return look.red(words);
    case 'pending':
    case 'rejected':
      return look.yellow(words);
    case 'skipped':
    case 'unchanged':
    case 'noted':
      return look.dim(words);
  }
}

/** What leads to the only change of a webhook is the same everywhere, and left out. */
function shortPath(path: string): string {
  const [, rest] = /\.entry\[0\]\.changes\[0\]\.value(\..*)$/.exec(path) ?? [];
  return rest === undefined ? path : `…${rest}`;
}
