import { isWamid } from '../../identity/wamid.js';
import { findEntriesAbout, findUnreadEntries, type FoundEntry } from '../../store/queries/explain.js';
import { readRejectsNaming } from '../../store/tables/rejects.js';
import { keyOf } from '../../rules/message-book.js';
import { originOf } from './fact-view.js';
import type { Fate } from './fates.js';
import type { Investigation } from './investigation.js';
import type { FatedItem } from './message-story.js';
import { itemNames, namesIn, patternsOf, wordsOfNames } from './names.js';
import type { LoggedItem, LoggedItems } from './read-items.js';
import type { Outcome } from './result.js';
import { scanLog } from './search-log.js';

/** Of a contact's entries no more than this is read: a day of the busiest, and no machine's memory. */
const MOST_BYTES = 64 * 1024 * 1024;
/** Rejected and unreadable entries are filed under nobody; so many of the newest are looked through. */
const MOST_REJECTS = 10_000;
const MOST_UNREAD = { failed: 1000, recent: 20_000 };

export interface ContactItems {
  items: LoggedItem[];
  /** Entries about the contact. */
  entries: number;
  /** Entries that name the contact and that nobody could read. */
  unreadable: { entry: LoggedItems['entry']; reason: string }[];
}

/** Everything that the raw log says about somebody with these names. */
export async function gatherContactItems(
  inv: Investigation,
  names: readonly string[],
): Promise<ContactItems> {
  const wanted = new Set(names);
  const pick = (logged: LoggedItems): LoggedItems | null => pickItems(inv, logged, wanted);
  const words = wordsOfNames(names);
  const { limit } = inv.options;
  const about = await findEntriesAbout(inv.sql, names, { limit: limit + 1 });
  const read = withinBounds(inv, about, limit);
  const rejects = await readRejectsNaming(inv.sql, words, MOST_REJECTS);
  const unread = await findUnreadEntries(inv.sql, patternsOf(words), MOST_UNREAD);
  const other = rejects.map((reject) => ({ id: reject.webhookLogId, bytes: 0 }));
  let decoded = await inv.decode([...read, ...other, ...unread], pick);
  // Somebody without a message is what one asks about when a conversation is gone: then every byte is worth a look.
  const isSilent = !decoded.some(({ items }) => items.some((item) => item.fact.kind === 'message'));
  if (inv.options.scan || isSilent) {
    const scanned = await inv.decode(await scanLog(inv, words), pick);
    decoded = [...decoded, ...scanned].sort((a, b) => (a.entry.id < b.entry.id ? -1 : 1));
  }
  return {
    items: decoded.flatMap(({ items }) => items),
    entries: decoded.filter(({ items }) => items.length > 0).length,
    unreadable: decoded.flatMap(({ entry, items, failure, unrecognized }) => {
      const reason = failure ?? unrecognized[0]?.reason;
      return items.length > 0 || reason === undefined ? [] : [{ entry, reason }];
    }),
  };
}

function withinBounds(inv: Investigation, found: readonly FoundEntry[], limit: number): FoundEntry[] {
  const kept: FoundEntry[] = [];
  let bytes = 0;
  for (const entry of found.slice(0, limit)) {
    bytes += entry.bytes;
    if (bytes > MOST_BYTES && kept.length > 0) break;
    kept.push(entry);
  }
  if (kept.length < found.length) {
    const more = found.length > limit ? 'more' : `${found.length - kept.length} more`;
    inv.cutOff(
      `Only the newest ${kept.length} entries about this contact were read; there are ${more} (--limit, at most ${MOST_BYTES / 1024 / 1024} MB).`,
    );
  }
  return kept;
}

/** An entry's items about the contact; the whole entry where nothing in it could be read. */
function pickItems(inv: Investigation, logged: LoggedItems, names: ReadonlySet<string>): LoggedItems | null {
  const items = logged.items.filter((item) => inv.concerns(item) && isAbout(item, names));
  const broken = logged.failure !== null || logged.unrecognized.length > 0;
  return items.length === 0 && !broken ? null : { ...logged, items };
}

function isAbout(item: LoggedItem, names: ReadonlySet<string>): boolean {
  switch (item.fact.kind) {
    case 'skipped':
      // A group's message is about everybody in it.
      return itemNames(item.raw(), names);
    case 'rejected':
      return itemNames(item.raw(), names);
    default:
      return namesIn(item.fact).some((name) => names.has(name));
  }
}

/** What became of the contact's items; one whose row went to somebody else is told so. */
export function fatesOfContact(
  fates: ReadonlyMap<LoggedItem, Fate>,
  leadIds: ReadonlySet<string>,
): FatedItem[] {
  return [...fates].map(([item, fate]) => {
    const { row } = fate;
    if (item.fact.kind !== 'message' || row === null || leadIds.has(row.leadId)) return { item, fate };
    return {
      item,
      fate: { ...fate, outcome: 'missing', reason: 'in_another_conversation', row: null, holder: row },
    };
  });
}

/** The better of two things that became of one message: it is where it belongs if any copy of it is. */
const BEST: readonly Outcome[] = [
  'created',
  'changed',
  'unchanged',
  'stored',
  'applied',
  'different',
  'pending',
  'missing',
  'rejected',
  'skipped',
  'unread',
  'noted',
];

/** A message of the raw log, however often it came. */
export interface LoggedMessage {
  outcome: Outcome;
  reason: string | null;
  item: LoggedItem;
}

/** The contact's messages, each counted once: a history copy, a live one and a redelivery are one message. */
export function messagesOf(fated: readonly FatedItem[]): LoggedMessage[] {
  const messages = new Map<string, LoggedMessage>();
  for (const { item, fate } of fated) {
    const key = messageKey(item, fate);
    if (key === null) continue;
    const known = messages.get(key);
    if (known !== undefined && BEST.indexOf(known.outcome) <= BEST.indexOf(fate.outcome)) continue;
    messages.set(key, { outcome: fate.outcome, reason: fate.reason, item });
  }
  return [...messages.values()];
}

function messageKey(item: LoggedItem, fate: Fate): string | null {
  const { fact, entry, connection, hint } = item;
  if (fate.row !== null && fact.kind === 'message') return `row ${fate.row.id}`;
  const told = fact.kind === 'skipped' && item.included !== null ? item.included : fact;
  const scope = connection?.id ?? hint.phoneNumberId ?? hint.session ?? '';
  switch (told.kind) {
    case 'message':
      return keyOf(scope, isWamid(told.externalId) ? told.externalId : (told.stanzaId ?? told.externalId));
    case 'skipped':
    case 'rejected':
      return told.subject === 'message' ? `${entry.id} ${told.path}` : null;
    default:
      return null;
  }
}

/** What is to be said about entries that nobody could read. */
export function noticeUnreadable(inv: Investigation, { unreadable }: ContactItems): void {
  for (const { entry, reason } of unreadable.slice(0, 5)) {
    inv.notice(`${originOf(entry)} names this contact, and was not understood: ${reason}.`);
  }
}
