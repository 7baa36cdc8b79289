import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { findErasedLeft } from '../../audit/erased-left.js';
import type { Context } from '../../context.js';
import { rehearse } from '../../ingest/runs/in-batch.js';
import { withRun, workOf, type RunEnd } from '../../ingest/runs/with-run.js';
import { amount } from '../../model/amount.js';
import { ConfigError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import type { KeyedNames } from '../../model/secrets.js';
import { ErasedPeople, erasedName } from '../../rules/erased-people.js';
import type { Gone } from '../../store/changes/erase-person.js';
import { ourTables, readMigrations } from '../../store/migrations/status.js';
import type { Sql } from '../../store/sql.js';
import {
  beginErasure,
  findErasures,
  readHashesOf,
  forgetErasures,
  readErasureKey,
  recordErasure,
  writeErasureKey,
} from '../../store/tables/erasures.js';
import { readWrittenInGroups } from '../../store/queries/erasure.js';
import { readSealed } from '../../store/queries/sealed.js';
import { vacuumFully } from '../../store/vacuum.js';
import { resolveContact } from '../contacts/resolve-contact.js';
import { sealedThing } from '../devices/sealed-things.js';
import { missingKeyOf } from '../devices/missing-key.js';
import { SecretKey } from '../devices/secret-key.js';
import {
  ABOUT_ERASED,
  assertErasuresWhole,
  findErasuresOf,
  openErasedNames,
} from '../contacts/erased-people.js';
import { bodiesOf } from './erase-bodies.js';
import { planRefusal } from './plan-refused.js';
import { describePerson, findPerson, needPerson, outOfReach, type FoundPerson } from './find-person.js';
import { redactTexts } from './redact-text.js';
import { nothingRemoved, removePerson, tablesOf, withMore, type Removed } from './remove-person.js';
import type { EraseOptions, EraseResult } from './types.js';

/** A plan is no run, and all of it is one transaction. */
const NO_RUN = '00000000-0000-0000-0000-000000000000';
const PLANNED_TOGETHER = 10_000;
/** After a conflict with a writer: a plan takes no lock. */
const RETRIES = 5;

/**
 * What `erase` would remove: it does the same work in one transaction, which is rolled back, so that no figure can differ. Throws
 * ConfigError `unknown_contact`, and `plan_refused` for a role or a database that cannot write.
 */
export async function planErase(ctx: Context, contact: string): Promise<EraseResult> {
  const { store } = ctx;
  const found = (await findUnfinished(ctx, contact)) ?? (await needPerson(store.sql, contact, ctx.secretKey));
  const { gone, removed } = await rehearse(
    store,
    async (tx) => {
      const within = { ...ctx, store: { ...store, sql: tx, transaction: oneTransaction(tx) } };
      const removed = nothingRemoved();
      let gone: Gone = {};
      await removePerson(
        within,
        found,
        {
          runId: NO_RUN,
          batchSize: PLANNED_TOGETHER,
          record: (_, rows) => {
            gone = withMore(gone, rows);
            return Promise.resolve();
          },
          unlink: () => Promise.resolve(),
        },
        removed,
      );
      return { gone, removed };
    },
    { retries: RETRIES },
  ).catch((error: unknown) => {
    throw planRefusal(error) ?? error;
  });
  const { identities } = found;
  return {
    ...resultOf(ctx, 'planned'),
    status: removed.isDone ? 'completed' : 'interrupted',
    identities,
    tables: tablesOf(gone),
    bodies: removed.bodies,
    outOfReach: outOfReach(ctx.store),
  };
}

function oneTransaction(tx: Sql): Context['store']['transaction'] {
  return (work) => work(tx);
}

/**
 * Erases a person: what is left are hashes of their names, by which their items are skipped when they come again. In this order, so that
 * a kill at any moment leaves nothing that brings them back, and a second call finishes: the hashes; the raw log; the journal; messages;
 * the rest, and with it the names by which they are found. Throws ConfigError.
 */
export async function erase(
  ctx: Context,
  { contact, secretKey, batchSize, vacuum = false }: EraseOptions,
): Promise<EraseResult> {
  const { sql } = ctx.store;
  if (secretKey === null) throw await missingKeyOf(sql, 'what is left of the names of an erased person');
  await assertOneKey(sql, secretKey);
  // A new key would hide that the hashes of the old one tell nothing any more.
  await assertErasuresWhole(sql);
  const names = await openKey(sql, secretKey);
  const person = await findAgain(sql, contact, names.key);
  const hashes = person.rows.names.map((name) => erasedName(names.key, name));
  const [begun] = await findErasures(sql, hashes);
  // The key of the names may be a new one.
  const id = begun?.id ?? idOf(person.rows.names.map((name) => erasedName(secretKey, name)));
  const removed = nothingRemoved();
  const result: EraseResult = await withRun<EraseResult>(
    ctx,
    {
      command: 'erase',
      // Whom it is about is on record nowhere.
      options: { apply: true },
      work: workOf('erase', { erasure: id }),
      failed: (message) =>
        endOf(removed, 'failed', redactTexts(JSON.stringify(message), person.person) ?? message),
    },
    async (run) => {
      await ctx.store.transaction(async (tx) => {
        if (names.sealed !== null) await writeErasureKey(tx, names.sealed);
        // What waits for a message of theirs in a group does not always say whose it is.
        const written = await readWrittenInGroups(tx, person.rows.authors);
        await beginErasure(tx, { id, runId: run.id, startedAt: ctx.clock() }, [
          ...hashes,
          ...written.map((message) => erasedName(names.key, message)),
        ]);
      });
      await removePerson(
        ctx,
        person,
        {
          runId: run.id,
          batchSize,
          record: async (tx, gone, completedAt) => {
            await recordErasure(tx, id, gone, completedAt);
            await run.checkpoint(tx, null, countersOf(removed));
          },
          unlink,
        },
        removed,
      );
      const status = removed.isDone ? 'completed' : 'interrupted';
      const [erasure] = await findErasures(sql, hashes);
      return {
        result: {
          ...resultOf(ctx, 'erased'),
          runId: run.id,
          status,
          tables: tablesOf(erasure?.counts ?? {}),
          bodies: bodiesOf(erasure?.counts ?? {}, removed.bodies),
          outOfReach: outOfReach(ctx.store),
        },
        end: endOf(removed, status),
      };
    },
  );
  if (!vacuum || result.status !== 'completed' || ctx.signal.aborted) return result;
  const vacuumed = await vacuumFully(sql, ourTables(await readMigrations()));
  return { ...result, vacuumed, outOfReach: outOfReach(ctx.store, vacuumed) };
}

/** Lifts an erasure: what comes of the person from now on is stored again. Null: of everybody; needs no key. */
export async function allowErased(ctx: Context, contact: string | null): Promise<EraseResult> {
  const { store } = ctx;
  if (contact === null) {
    return {
      ...resultOf(ctx, 'allowed'),
      allowed: await store.transaction((tx) => forgetErasures(tx, null)),
    };
  }
  const sealed = await readErasureKey(store.sql);
  const { names } = await resolveContact(store.sql, contact);
  const found =
    sealed === null || names.length === 0
      ? []
      : await findErasuresOf(store.sql, openErasedNames(sealed, ctx.secretKey), names);
  const [first] = found;
  if (first === undefined) {
    throw new ConfigError('This contact was not erased.', {
      code: 'not_erased',
      remedy: 'Name the person as when they were erased: by a phone number, a LID or a BSUID.',
    });
  }
  if (first.completedAt === null) {
    throw new ConfigError('The erasure of this contact was interrupted.', {
      code: 'erasure_unfinished',
      remedy: remedy('erase', [contact, '--apply', '--confirm', contact], 'finishes it'),
      inProgram: 'Call eraseContact with the contact and confirm: that finishes it.',
    });
  }
  const allowed = await store.transaction((tx) =>
    forgetErasures(
      tx,
      found.map(({ id }) => id),
    ),
  );
  return { ...resultOf(ctx, 'allowed'), allowed };
}

/** The person of a contact; one of whom only the hashes are left is gone through once more. */
async function findAgain(sql: Sql, contact: string, key: KeyedNames): Promise<FoundPerson> {
  const { names } = await resolveContact(sql, contact);
  const erasures = await findErasuresOf(sql, key, names);
  const left = await namesLeft(sql, key, erasures);
  const found = await findPerson(sql, contact, left);
  if (found !== null) return found;
  return erasures.length === 0
    ? needPerson(sql, contact, undefined)
    : describePerson(sql, [], [...new Set([...names, ...left])]);
}

/** The person of a contact whose erasure has not ended; null if there is none, or if the key is not given. */
async function findUnfinished({ store, secretKey }: Context, contact: string): Promise<FoundPerson | null> {
  const sealed = await readErasureKey(store.sql);
  const opener = secretKey?.() ?? null;
  if (sealed === null || opener === null) return null;
  const key = openErasedNames(sealed, () => opener);
  const { names } = await resolveContact(store.sql, contact);
  const erasures = await findErasuresOf(store.sql, key, names);
  return erasures.some(({ completedAt }) => completedAt === null) ? findAgain(store.sql, contact, key) : null;
}

/** Stored names of an erased person: their rows came before anything told that these are names of theirs. */
async function namesLeft(
  sql: Sql,
  key: KeyedNames,
  erasures: readonly { id: string; completedAt: number | null }[],
): Promise<string[]> {
  const unfinished = erasures.flatMap(({ id, completedAt }) => (completedAt === null ? id : []));
  if (unfinished.length === 0) return [];
  const hashes = await readHashesOf(sql, unfinished);
  const { names } = await findErasedLeft(sql, new ErasedPeople(key, new Set()), hashes);
  return [...names];
}

/** The key of the names: the stored one, or a new one with what is to be stored of it. */
async function openKey(
  sql: Sql,
  secretKey: SecretKey,
): Promise<{ key: KeyedNames; sealed: Uint8Array | null }> {
  const sealed = await readErasureKey(sql);
  if (sealed !== null) return { key: openErasedNames(sealed, () => secretKey), sealed: null };
  const key = SecretKey.create('the key of erased names');
  return { key, sealed: secretKey.sealKey(key, ABOUT_ERASED) };
}

/** All that is sealed is of one secret key (G1). Throws ConfigError. */
async function assertOneKey(sql: Sql, secretKey: SecretKey): Promise<void> {
  const foreign = (await readSealed(sql)).find(({ sealed }) => secretKey.isForeign(sealed));
  if (foreign !== undefined) throw secretKey.wrong(sealedThing(foreign));
}

/** Equal for a run that was killed before anything was on record, and the next one. */
function idOf(hashes: readonly string[]): string {
  const hex = createHash('sha256')
    .update([...hashes].sort().join(' '))
    .digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function countersOf({ rows, bodies }: Removed): { rows: number; bodies: number } {
  return { rows, bodies: (bodies?.erased ?? 0) + (bodies?.redacted ?? 0) };
}

function endOf(removed: Removed, status: RunEnd['status'], error: string | null = null): RunEnd {
  return {
    status,
    counters: countersOf(removed),
    verdict: `${removed.isDone ? 'Erased' : 'Not yet erased:'} one person: ${amount(removed.rows, 'row')} removed`,
    error,
  };
}

async function unlink(paths: readonly string[]): Promise<void> {
  for (const path of paths) await rm(path, { force: true });
}

function resultOf(ctx: Context, action: EraseResult['action']): EraseResult {
  return {
    schemaVersion: 1,
    command: 'erase',
    action,
    runId: null,
    status: 'completed',
    identities: [],
    tables: [],
    bodies: null,
    outOfReach: [],
    vacuumed: false,
    allowed: 0,
    database: ctx.store.location,
  };
}
