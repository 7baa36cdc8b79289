import {
  findEntriesAbout,
  findEntriesNear,
  scanEntries,
  type FoundEntry,
} from '../../store/queries/explain.js';
import type { Investigation } from './investigation.js';
import { patternsOf } from './names.js';

/** How far around an entry of a message its statuses are looked for; they follow within the day, and name nobody. */
const AFTER = { entries: 3000, maxBytes: 32 * 1024 * 1024 };
const BEFORE = { entries: 500, maxBytes: 8 * 1024 * 1024 };
/** A message comes a few times: live, in the history, by WhatsApp Web, once more. */
const MOST_ANCHORS = 4;
const MOST_ENTRIES = 500;
const SCAN_PAGE = { entries: 5000, maxBytes: 16 * 1024 * 1024 };
const SHORTEST_WORD = 5;
/** A search that has found so many entries has found what there is to be told. */
const MOST_SCANNED = 1000;

/** Entries that hold one of these ids and are about one of these people: the index of names, then their bytes. */
export async function findNamedEntries(
  inv: Investigation,
  ids: readonly string[],
  names: readonly string[],
): Promise<FoundEntry[]> {
  const found = await findEntriesAbout(inv.sql, names, { limit: MOST_ENTRIES, patterns: patternsOf(ids) });
  if (found.length === MOST_ENTRIES) {
    inv.cutOff(`Only the newest ${MOST_ENTRIES} entries that name the message were read.`);
  }
  return found;
}

/** Entries that hold one of these ids, stored soon before or after one of the anchors. */
export async function findNeighbours(
  inv: Investigation,
  ids: readonly string[],
  anchors: readonly string[],
): Promise<FoundEntry[]> {
  const patterns = patternsOf(ids);
  const found: FoundEntry[] = [];
  for (const anchor of anchors.slice(0, MOST_ANCHORS)) {
    found.push(...(await findEntriesNear(inv.sql, anchor, 'after', { ...AFTER, patterns })));
    found.push(...(await findEntriesNear(inv.sql, anchor, 'before', { ...BEFORE, patterns })));
  }
  return found;
}

/** Searches the bytes of the whole log for these words, newest first; says so, since that takes its time. */
export async function scanLog(inv: Investigation, words: readonly string[]): Promise<FoundEntry[]> {
  // Two digits stand in every body.
  const patterns = patternsOf(words.filter((word) => word.length >= SHORTEST_WORD));
  if (patterns.length === 0) {
    inv.cutOff('The bytes of the log were not searched: what was asked for is too short.');
    return [];
  }
  const { since } = inv.options;
  const found: FoundEntry[] = [];
  let looked = 0;
  let before: string | null = null;
  for (;;) {
    const page = await scanEntries(inv.sql, before, {
      ...SCAN_PAGE,
      patterns,
      ...(since === undefined ? {} : { since }),
    });
    if (page.last === null) break;
    if (looked === 0 && page.looked === SCAN_PAGE.entries) {
      inv.ctx.emit({ event: 'notice', message: 'Searching the bytes of the whole raw log …' });
    }
    looked += page.looked;
    before = page.last;
    found.push(...page.found);
    if (found.length >= MOST_SCANNED) {
      inv.cutOff(`The search of the log ended with ${found.length} entries found in the newest ${looked}.`);
      return found;
    }
    if (inv.ctx.signal.aborted) {
      inv.cutOff(`Interrupted: only the newest ${looked} entries of the log were searched.`);
      return found;
    }
  }
  inv.scanned = since === undefined;
  if (since !== undefined) {
    inv.cutOff(`Only entries received since ${new Date(since).toISOString()} were searched.`);
  }
  return found;
}
