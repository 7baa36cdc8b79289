import { ConfigError } from '../../model/errors.js';
import { minuteOf } from '../../model/time.js';
import { remedy } from '../../model/remedy.js';
import type { KeyedNames, KeyOpener, SealedThing } from '../../model/secrets.js';
import { ErasedPeople, erasedName } from '../../rules/erased-people.js';
import type { Sql } from '../../store/sql.js';
import {
  findErasures,
  readErasedHashes,
  readErasedVersion,
  readErasureDamage,
  readErasureKey,
  readUnfinishedErasures,
  type ErasureRow,
} from '../../store/tables/erasures.js';

/** What the sealed key of the erased names is bound to. */
export const ABOUT_ERASED = ['erased people'] as const;

/** The key by which erased people are recognized. */
export const ERASED_NAMES: SealedThing = {
  noun: 'What is left of the names of erased people',
  whenLost: [
    'Use the key with which they were erased. If it is lost, nobody can tell any more who they are:',
    remedy('erase', ['--allow-all'], 'forgets that they were erased; then their logs bring them back'),
  ],
};

/** The key of erased names, opened. Throws ConfigError. */
export function openErasedNames(
  sealed: Uint8Array,
  secretKey: (() => KeyOpener | null) | undefined,
): KeyedNames {
  const opener = secretKey?.() ?? null;
  if (opener !== null) return opener.openKey(sealed, ABOUT_ERASED, ERASED_NAMES);
  throw missingErasedKey();
}

/** For work that needs the key with which people were erased, when none is given. */
export function missingErasedKey(): ConfigError {
  return new ConfigError(
    'A secret key is required: people were erased from this database, and only the key can tell who they are.',
    {
      code: 'secret_key_missing',
      remedy: [
        'Set WA_RECONCILE_SECRET_KEY to the key with which they were erased, or WA_RECONCILE_SECRET_KEY_FILE to a file that contains it. If it is lost:',
        remedy('erase', ['--allow-all'], 'forgets that they were erased; then their logs bring them back'),
      ],
      inProgram: 'Give createContext the secretKey with which they were erased.',
    },
  );
}

/** What helps where the record of who was erased is damaged. */
export const FORGET_ERASED = remedy(
  'erase',
  ['--allow-all'],
  'forgets who was erased; then erase each of them again, or restore a backup from before',
);

/** Where the record of who was erased is damaged, nobody can tell any more who that was. Throws ConfigError `erasures_damaged`. */
export async function assertErasuresWhole(sql: Sql): Promise<void> {
  const { keyless, malformed, nameless } = await readErasureDamage(sql);
  if (keyless + malformed + nameless === 0) return;
  throw new ConfigError(
    'The record of erased people is damaged: some of them would not be recognized, and come back.',
    { code: 'erasures_damaged', remedy: ['Restore a backup from before. If there is none:', FORGET_ERASED] },
  );
}

/**
 * The people who were erased; null if nobody was. Throws ConfigError `secret_key_missing`, `secret_key_wrong`, `erasures_damaged`.
 */
export async function openErased(
  sql: Sql,
  secretKey: (() => KeyOpener | null) | undefined,
): Promise<ErasedPeople | null> {
  await assertErasuresWhole(sql);
  const sealed = await readErasureKey(sql);
  if (sealed === null) return null;
  // Before the hashes: who has more of them than this version is no harm.
  const version = await readErasedVersion(sql);
  const hashes = await readErasedHashes(sql);
  return hashes.size === 0 ? null : new ErasedPeople(openErasedNames(sealed, secretKey), hashes, version);
}

/**
 * The same for a run that applies stored entries: these have lost everybody whose erasure has ended, so that it needs no key. Null if none is
 * open. Throws ConfigError `secret_key_missing`, `secret_key_wrong`, `erasures_damaged`.
 */
export async function openErasing(
  sql: Sql,
  secretKey: (() => KeyOpener | null) | undefined,
): Promise<ErasedPeople | null> {
  if ((await readUnfinishedErasures(sql)).length === 0) return null;
  const opener = secretKey?.() ?? null;
  if (opener !== null) return openErased(sql, () => opener);
  throw new ConfigError(
    'A secret key is required: an erasure has not ended, and only the key can tell which stored items are of that person.',
    {
      code: 'secret_key_missing',
      remedy: [
        'Set WA_RECONCILE_SECRET_KEY to the key with which people were erased, or WA_RECONCILE_SECRET_KEY_FILE to a file that contains it. Or, with the key, first:',
        FINISH_ERASURE,
      ],
      inProgram: 'Give createContext the secretKey with which people were erased.',
    },
  );
}

/** What ends an erasure that has not. */
export const FINISH_ERASURE = remedy(
  'erase',
  ['CONTACT', '--apply'],
  'finishes it, with the same contact; which one that was is on record nowhere',
);

/** The same for a run that only has to know whom not to name: `unknown` where there is no key. Throws ConfigError `secret_key_wrong`. */
export async function findErased(
  sql: Sql,
  secretKey: (() => KeyOpener | null) | undefined,
): Promise<ErasedPeople | 'unknown' | null> {
  if ((await readErasureKey(sql)) === null) return null;
  const opener = secretKey?.() ?? null;
  return opener === null ? 'unknown' : openErased(sql, () => opener);
}

/** The erasures of people with one of these names, newest first. */
export function findErasuresOf(sql: Sql, key: KeyedNames, names: readonly string[]): Promise<ErasureRow[]> {
  return findErasures(
    sql,
    names.map((name) => erasedName(key, name)),
  );
}

/**
 * When the person with these names was erased, in ms since 1970; null if they were not. `unknown`: people were erased, and without the
 * key nobody can tell who. Throws ConfigError `secret_key_wrong`.
 */
export async function erasedAt(
  sql: Sql,
  names: readonly string[],
  secretKey: (() => KeyOpener | null) | undefined,
): Promise<number | 'unknown' | null> {
  const sealed = await readErasureKey(sql);
  if (sealed === null) return null;
  const opener = secretKey?.() ?? null;
  if (opener === null) return 'unknown';
  const key = openErasedNames(sealed, () => opener);
  const [newest] = await findErasuresOf(sql, key, names);
  return newest === undefined ? null : (newest.completedAt ?? newest.startedAt);
}

/** Says of a contact that nobody has data of when they were erased, or that only the key can tell; null: they were not. */
export function erasedWords(typed: string, at: number | 'unknown' | null): string | null {
  if (at === null) return null;
  if (at === 'unknown')
    return 'People were erased from this database; with WA_RECONCILE_SECRET_KEY set, the answer says whether this is one of them.';
  return `${typed} was erased on ${minuteOf(at)}`;
}
