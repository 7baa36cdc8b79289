import type { ErasedPeople, StoredNames } from '../../rules/erased-people.js';
import type { Sql } from '../../store/sql.js';
import {
  addErasedNames,
  findErasures,
  holdErasedHashes,
  readErasedHashes,
  reopenErasures,
} from '../../store/tables/erasures.js';
import type { PreparedEntry } from '../batch/batch.js';
import { namesOfBytes } from '../batch/names-in-text.js';

type Prepared = Pick<PreparedEntry, 'bytes' | 'chatIds'>;

/**
 * Stores the names of erased people that this run has learned, in the transaction that stores `entries`. Their erasures have not ended
 * until somebody has looked for rows under the new names (F2). Another run may have learned names meanwhile, and these entries may hold
 * items under them: then the erasure is left open. Nobody adds names until the transaction ends.
 */
export async function storeErasedNames(
  tx: Sql,
  erased: ErasedPeople,
  entries: Iterable<Prepared>,
): Promise<StoredNames> {
  const unstored = erased.unstored();
  const held = await holdErasedHashes(tx, unstored.size === 0 ? 'read' : 'add');
  const isCurrent = held === erased.version;
  const added: ReadonlySet<string> = isCurrent ? new Set() : erased.unknownOf(await readErasedHashes(tx));
  const missed = await openMissed(tx, erased.of(added), added.size === 0 ? [] : entries);
  if (unstored.size + missed.length === 0) {
    return { stored: [], added, reopened: new Map(), missed, version: held };
  }
  // Whoever is looking for rows of theirs has to look once more.
  const version = await addErasedNames(tx, unstored);
  const stored = [...unstored.keys()];
  return { stored, added, reopened: await reopenErasures(tx, stored), missed, version };
}

/** Takes the erasures from their end of whose people the entries hold items. Returns their ids. */
async function openMissed(tx: Sql, people: ErasedPeople, entries: Iterable<Prepared>): Promise<string[]> {
  const hashes = new Set<string>();
  for (const { bytes, chatIds } of entries) {
    const names = [...chatIds.filter((name) => people.has(name)), ...namesOfBytes(bytes, people)];
    for (const name of names) hashes.add(people.hashOf(name));
  }
  if (hashes.size === 0) return [];
  await reopenErasures(tx, [...hashes]);
  return (await findErasures(tx, [...hashes])).map(({ id }) => id);
}
