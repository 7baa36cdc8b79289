import { amount, count as countWords } from '../model/amount.js';
import { MEDIA_STATES, type Provider } from '../model/enumerations.js';
import { remedy } from '../model/remedy.js';
import type { Nameless } from '../model/run-result.js';
import { minuteOf } from '../model/time.js';
import type { EntryGroup, PendingFactGroup } from '../store/queries/report.js';
import type { ConnectionRow } from '../store/tables/connections.js';
import type { MediaCount } from '../store/tables/media-files.js';
import { alert, namelessOf, namelessRemedy, type Alert } from './alert.js';

const NUMBERS_NAMED = 3;

/** Reasons of entries that a run is processing, and resumes by itself after a kill. */
const IN_WORK = new Set(['unfinished', 'unfinished, requeued', 'requeued']);

/** A connection as an alert names it. */
type Named = Pick<ConnectionRow, 'id' | 'name'>;

/** Facts about entries that may wait. */
export interface WaitingFacts {
  /** Entries with their owners (null: none). */
  entries: readonly { group: EntryGroup; connection: ConnectionRow | null }[];
  /** Every connection there is. */
  connections: readonly ConnectionRow[];
  /** Whose pending entries may be that name a WABA alone; null without any. */
  unclaimed: Nameless | null;
  /** Whether a run is active that may have put entries back. */
  isAtWork: boolean;
}

/** Updates of a connection that have waited too long for their message. */
export function pendingFactAlert(row: Named, pendingFacts: PendingFactGroup | undefined): Alert[] {
  if (pendingFacts === undefined || pendingFacts.old.count === 0) return [];
  const { count, firstAt, lastAt } = pendingFacts.old;
  return [
    alert('pending_facts', row, {
      since: firstAt,
      state: lastAt,
      count,
      message: `${amount(count, 'status, edit or reaction has', 'statuses, edits or reactions have')} been pending for more than a day: target message not received.`,
      remedy: remedy(
        'verify',
        ['--check', 'pending_facts', '--connection', row.name],
        'lists the missing target messages',
      ),
    }),
  ];
}

/** Files fetched by this tool that are about to be lost, or already are. */
export function mediaAlerts(row: Named, media: readonly MediaCount[]): Alert[] {
  return MEDIA_STATES.flatMap((state): Alert[] => {
    const counts = media.filter((one) => one.state === state && one.due > 0);
    const due = counts.reduce((sum, one) => sum + one.due, 0);
    if (due === 0) return [];
    const [them, their] = due === 1 ? ['it', 'its message'] : ['them', 'their messages'];
    const lists = remedy('verify', ['--check', 'media_owed', '--connection', row.name], `lists ${their}`);
    const again = remedy('media fetch', [row.name, '--again'], `asks for ${them} once more`);
    const soonest = leastOf(counts.map(({ firstDueAt }) => firstDueAt));
    // One more of them is a new matter, and so is another one in the place of one that came after all.
    const known = `${due} ${Math.max(...counts.map(({ lastAt }) => lastAt))}`;
    switch (state) {
      case 'fetched':
        return [];
      case 'expired':
        return [
          alert('media_expired', row, {
            since: soonest,
            state: due,
            count: due,
            message: `${amount(due, 'file was', 'files were')} not fetched before WhatsApp forgot ${them}.`,
            remedy: lists,
          }),
        ];
      case 'owed':
        return [
          alert('media_expiring', row, {
            since: null,
            state: soonest,
            count: due,
            message: `${amount(due, 'file has', 'files have')} not been fetched, and Meta forgets ${due === 1 ? 'it' : 'the first of them'} ${soonest === null ? 'within a day' : `at ${minuteOf(soonest)}`}.`,
            remedy: remedy('media fetch', [row.name], `fetches ${them}`),
          }),
        ];
      case 'denied':
        return [
          alert('media_denied', row, {
            since: null,
            state: known,
            count: due,
            message: `${amount(due, 'file was', 'files were')} refused, and ${due === 1 ? 'is' : 'are'} not here.`,
            remedy: again,
          }),
        ];
      case 'mismatch':
        return [
          alert('media_mismatch', row, {
            since: null,
            state: known,
            count: due,
            message: `${amount(due, 'file was', 'files were')} not what the message announced, and ${due === 1 ? 'was' : 'were'} not kept.`,
            remedy: again,
          }),
        ];
    }
  });
}

function leastOf(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
}

interface Waiting {
  connection: ConnectionRow | null;
  reason: string;
  count: number;
  since: number;
  newest: number;
  numbers: Set<string>;
  nameless: number;
  providers: Set<Provider>;
}

/** Waiting entries, by reason and owner. */
export function pendingAlerts(facts: WaitingFacts): Alert[] {
  const waiting = new Map<string, Waiting>();
  for (const { group, connection } of facts.entries) {
    if (group.status !== 'pending') continue;
    const reason = group.reason ?? 'pending';
    if (facts.isAtWork && IN_WORK.has(reason)) continue;
    const key = `${connection?.id ?? ''} ${reason}`;
    const known: Waiting = waiting.get(key) ?? {
      connection,
      reason,
      count: 0,
      since: group.firstStoredAt,
      newest: group.lastStoredAt,
      numbers: new Set(),
      nameless: 0,
      providers: new Set(),
    };
    known.count += group.count;
    known.since = Math.min(known.since, group.firstStoredAt);
    known.newest = Math.max(known.newest, group.lastStoredAt);
    known.providers.add(group.provider);
    for (const number of group.phoneNumberIds) known.numbers.add(number);
    if (group.phoneNumberIds.length === 0 && group.scope === null) known.nameless += group.count;
    waiting.set(key, known);
  }
  return [...waiting.values()].map((one) => pendingAlert(one, facts));
}

function pendingAlert(waiting: Waiting, { connections, unclaimed }: WaitingFacts): Alert {
  const { connection, count, since, newest, reason } = waiting;
  const entries = amount(count, 'entry is', 'entries are');
  const isUnknown = reason === 'unknown_connection' && connection === null;
  const isNameless = isUnknown && waiting.nameless === count;
  const message = isNameless
    ? `${entries} pending: ${count === 1 ? 'it names' : 'they name'} no connection, so say which one ${count === 1 ? 'it belongs' : 'they belong'} to.`
    : isUnknown
      ? `${entries} pending for a connection that does not exist yet: phone_number_id ${listOf([...waiting.numbers].sort(), NUMBERS_NAMED)}.`
      : `${entries} pending (${reason.replaceAll('_', ' ')}).`;
  return alert('entries_pending', connection, {
    since,
    state: newest,
    subject: reason,
    count,
    message,
    remedy: isNameless
      ? namelessRemedy(namelessOf(connections, waiting.providers, unclaimed))
      : isUnknown
        ? remedy('replay', ['--register'], 'creates the connections that the entries name, and imports them')
        : remedy('replay', [], 'imports the pending entries'),
  });
}

/** `1/3, 1/5 and 12 more`. */
export function listOf(words: readonly string[], most: number): string {
  const shown = words.slice(0, most).join(', ');
  return words.length > most ? `${shown} and ${countWords(words.length - most)} more` : shown;
}
