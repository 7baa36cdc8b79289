import { wamidPrefixes, wordsOfNames } from '../identity/name-words.js';
import { namesOfBytes, namesOfText } from '../ingest/batch/names-in-text.js';
import { RawLog } from '../rawlog/raw-log.js';
import { redactEntry } from '../rawlog/redact-entry.js';
import type { ErasedPeople } from '../rules/erased-people.js';
import { readStoredAuthors, readStoredNames } from '../store/queries/erasure.js';
import type { Sql } from '../store/sql.js';
import type { StoredEntry } from '../store/tables/stored-entries.js';
import { endErasures, holdErasedHashes, readErasedVersion, readHashesOf } from '../store/tables/erasures.js';

const NAMES_AT_ONCE = 10_000;

/** What the database has under names of erased people. */
export interface ErasedLeft {
  /** The names, as identities have them. Other people may name somebody as well, which stays theirs. */
  names: ReadonlySet<string>;
  /** The erasures of whose people something is left that would be removed. */
  erasures: ReadonlySet<string>;
}

/**
 * Looks for erased people under names that were learned after their rows were stored: in identities, in groups, and in every body of the raw
 * log, as there are only hashes to look by. `hashes`: of their names, each with its erasure.
 */
export async function findErasedLeft(
  sql: Sql,
  everybody: ErasedPeople,
  hashes: ReadonlyMap<string, string>,
): Promise<ErasedLeft> {
  const people = everybody.of(new Set(hashes.keys()));
  const names = new Set<string>();
  const erasures = new Set<string>();
  const note = (found: readonly string[]): void => {
    for (const name of found) names.add(name);
  };
  const isLeft = (found: readonly string[]): void => {
    note(found);
    for (const name of found) {
      const erasure = hashes.get(people.hashOf(name));
      if (erasure !== undefined) erasures.add(erasure);
    }
  };
  for (let after = ''; ;) {
    const page = await readStoredNames(sql, after, NAMES_AT_ONCE);
    isLeft(page.filter((name) => people.has(name)));
    const last = page.at(-1);
    if (last === undefined) break;
    after = last;
  }
  for (const author of await readStoredAuthors(sql)) isLeft(namesOfText(author, people));
  const log = await RawLog.open(sql);
  const naming: { entry: StoredEntry; found: string[] }[] = [];
  const redact = async (): Promise<void> => {
    const decoded = await log.decode(naming.map(({ entry }) => entry));
    for (const [at, one] of decoded.entries()) {
      const found = naming[at]?.found ?? [];
      const person = { names: new Set(found), words: wordsIn(found), messages: new Set<string>() };
      if (redactEntry(log, one, person).kind !== 'untouched') isLeft(found);
    }
    naming.length = 0;
  };
  for await (const { entry } of log.stored({ statuses: [] })) {
    isLeft(entry.chatIds.filter((name) => people.has(name)));
    const found = [...new Set(namesOfBytes(entry.rawBody, people))];
    if (found.length === 0) continue;
    note(found);
    naming.push({ entry, found });
    if (naming.length >= DECODED_AT_ONCE) await redact();
  }
  await redact();
  return { names, erasures };
}

const DECODED_AT_ONCE = 100;

function wordsIn(names: readonly string[]): string[] {
  return [...wordsOfNames(names), ...wamidPrefixes(names)];
}

/**
 * Ends the erasures that a run has reopened, in one transaction, where nothing is left under the names that it has learned. If another run
 * learns some meanwhile, that one looks.
 */
export async function endWhereNothingIsLeft(
  tx: Sql,
  erased: ErasedPeople,
  reopened: ReadonlyMap<string, number>,
): Promise<void> {
  const version = await readErasedVersion(tx);
  const left = await findErasedLeft(tx, erased, await readHashesOf(tx, [...reopened.keys()]));
  if ((await holdErasedHashes(tx, 'add')) !== version) return;
  await endErasures(tx, new Map([...reopened].filter(([id]) => !left.erasures.has(id))));
}
