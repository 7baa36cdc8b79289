import { findEntriesAbout, findUnreadEntries, type FoundEntry } from '../../store/queries/explain.js';
import { readRejectsNaming } from '../../store/tables/rejects.js';
import { whoIsConcerned } from '../../rules/fact-traits.js';
import { nodesOf } from '../../rules/identity-evidence.js';
import { MessageNames } from '../../rules/message-names.js';
import { originOf } from './fact-view.js';
import type { ItemVerdict } from './item-verdicts.js';
import { type Investigation, scanLog } from './investigation.js';
import { itemNames } from '../../rules/item-names.js';
import { wordsOfNames } from '../../identity/name-words.js';
import { patternsOf, type EntryItem, type EntryItems } from './log-items.js';
import type { Outcome } from './result.js';

/** At most this much of a contact's entries is read: a day of the busiest contact, to keep memory flat. */
const MOST_BYTES = 64 * 1024 * 1024;
/** The index has no contact for rejected and unreadable entries; this many of the newest are searched. */
const MOST_REJECTS = 10_000;
const MOST_UNREAD = { failed: 1000, recent: 20_000 };

export interface ContactItems {
  items: EntryItem[];
  /** Entries about the contact. */
  entries: number;
  /** Entries that name the contact but could not be parsed. */
  unreadable: { entry: EntryItems['entry']; reason: string }[];
  /** Ids of entries about the contact, or found by its names, that are found by something else than their bodies say. */
  misfiled: string[];
}

/** Everything in the raw log about the contact with these names. */
export async function gatherContactItems(
  inv: Investigation,
  names: readonly string[],
): Promise<ContactItems> {
  const wanted = new Set(names);
  const pick = (logged: EntryItems): EntryItems | null => pickItems(inv, logged, wanted);
  const words = wordsOfNames(names);
  const { limit } = inv.options;
  const about = await findEntriesAbout(inv.sql, names, { limit: limit + 1 });
  const read = withinBounds(inv, about, limit);
  const rejects = await readRejectsNaming(inv.sql, words, MOST_REJECTS);
  const unread = await findUnreadEntries(inv.sql, patternsOf(words), MOST_UNREAD);
  const other = rejects.map((reject) => ({ id: reject.webhookLogId, bytes: 0 }));
  let decoded = await inv.decode([...read, ...other, ...unread], pick);
  // A contact without messages may have a lost conversation: search the whole log.
  const hasNoMessage = !decoded.some(({ items }) => items.some((item) => item.fact.kind === 'message'));
  if (inv.options.scan || hasNoMessage) {
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
    misfiled: decoded.flatMap((logged) =>
      logged.isMisfiled && (logged.items.length > 0 || isFiledUnder(logged, wanted)) ? [logged.entry.id] : [],
    ),
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
      `Only the newest ${kept.length} entries about this contact were read; there are ${more} (--limit; at most ${MOST_BYTES / 1024 / 1024} MB).`,
    );
  }
  return kept;
}

/** An entry's items about the contact; the whole entry if it was unreadable, or is filed under the contact and does not name it. */
function pickItems(inv: Investigation, logged: EntryItems, names: ReadonlySet<string>): EntryItems | null {
  const items = logged.items.filter((item) => inv.concerns(item) && isAbout(item, names));
  const broken = logged.failure !== null || logged.unrecognized.length > 0;
  const isOurs = logged.items.length === 0 || logged.items.some((item) => inv.concerns(item));
  const isStray = logged.isMisfiled && isOurs && isFiledUnder(logged, names);
  return items.length === 0 && !broken && !isStray ? null : { ...logged, items };
}

function isFiledUnder({ filedUnder }: EntryItems, names: ReadonlySet<string>): boolean {
  return filedUnder.some((name) => names.has(name));
}

function isAbout(item: EntryItem, names: ReadonlySet<string>): boolean {
  switch (item.fact.kind) {
    case 'skipped':
    case 'rejected':
      return itemNames(item.raw(), names);
    default:
      return whoIsConcerned(item.fact).some((who) => nodesOf(who).some(({ value }) => names.has(value)));
  }
}

/** The verdicts for this contact: a message stored under another lead is missing here. */
export function verdictsOfContact(
  verdicts: readonly ItemVerdict[],
  leadIds: ReadonlySet<string>,
): ItemVerdict[] {
  return verdicts.map((verdict) => {
    const { item, row } = verdict;
    if (item.fact.kind !== 'message' || row === null || leadIds.has(row.leadId)) return verdict;
    return {
      ...verdict,
      outcome: 'missing',
      reason: 'in_another_conversation',
      row: null,
      holder: row,
    };
  });
}

/**
 * Outcomes of copies of one message: the message takes the best one, and its row differs if it differs from any copy.
 */
const BEST: readonly Outcome[] = [
  'different',
  'created',
  'changed',
  'unchanged',
  'stored',
  'applied',
  'pending',
  'missing',
  'rejected',
  'skipped',
  'unread',
  'noted',
];

/** The contact's messages, each counted once: a history copy, a live one and a redelivery are one message. */
export function messagesOf(verdicts: readonly ItemVerdict[]): ItemVerdict[] {
  const messages = new Map<string, ItemVerdict>();
  const names = new MessageNames();
  for (const verdict of verdicts) {
    const key = messageKey(verdict, names);
    if (key === null) continue;
    const known = messages.get(key);
    if (known === undefined || BEST.indexOf(known.outcome) > BEST.indexOf(verdict.outcome))
      messages.set(key, verdict);
  }
  return [...messages.values()];
}

function messageKey({ item, row }: ItemVerdict, names: MessageNames): string | null {
  const { entry, connection, hint } = item;
  if (row !== null && item.fact.kind === 'message') return `row ${row.id}`;
  const fact = item.fact.kind === 'skipped' && item.included !== null ? item.included : item.fact;
  const scope = connection?.id ?? hint.phoneNumberId ?? hint.session ?? '';
  switch (fact.kind) {
    case 'message':
      return names.keyOf(scope, fact);
    case 'skipped':
    case 'rejected':
      return fact.subject === 'message' ? `${entry.id} ${fact.path}` : null;
    default:
      return null;
  }
}

/** Adds a notice for entries that could not be parsed. */
export function noticeUnreadable(inv: Investigation, { unreadable }: ContactItems): void {
  for (const { entry, reason } of unreadable.slice(0, 5)) {
    inv.notice(`${originOf(entry)} names this contact, but could not be parsed: ${reason}.`);
  }
}
