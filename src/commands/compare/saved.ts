import { z } from 'zod';
import type { Context } from '../../context.js';
import { ConfigError, UserError } from '../../model/errors.js';
import { CRM_NAMES, type CrmName } from '../../model/enumerations.js';
import type { JsonObject } from '../../model/json.js';
import { remedy } from '../../model/remedy.js';
import {
  deleteSavedComparison,
  readSavedComparisons,
  recordComparison,
  saveComparison,
  type SavedComparison,
} from '../../store/tables/saved-comparisons.js';
import { aboutUrl, savedUrl } from '../devices/sealed-things.js';
import { missingKeyOf } from '../devices/missing-key.js';
import { missingSecretKey, type SecretKey } from '../devices/secret-key.js';
import { compare } from './compare.js';
import type { CompareOptions, CompareResult } from './types.js';

/** Options saved with a comparison besides the CRM and its URL. */
const Options = z.object({
  map: z.array(z.object({ connection: z.string(), crm: z.string() })).default([]),
  connection: z.string().optional(),
  /** Ids of the connections that it matched: one that no longer does is a loss. */
  matched: z.array(z.string()).default([]),
  /** The view or table of a custom program. */
  table: z.string().optional(),
});

/** A name that needs no quotes on a command line or in a cron file. */
const NAME = /^[a-z0-9][\w.-]{0,62}$/i;

/** Why a key is needed, as text for an error. */
const SEALED_URL = 'the URL of a CRM that is compared every night';

export interface ToSave {
  name: string;
  crm: CrmName;
  url: string;
  table?: string | undefined;
  map: CompareOptions['map'];
  connection?: string | undefined;
  /** Ids of the connections that it matched. */
  matched: readonly string[];
  /** What it found just now. Absent where it did not compare every message: nothing is known of the others. */
  found?: CompareResult | undefined;
}

/**
 * Saves a comparison under a name, with its URL sealed. Without a new finding, the last one stays if the settings are
 * the same: to save again must not silence an alert. Throws ConfigError for an invalid name, and without a secret key.
 */
export async function saveForNights(ctx: Context, toSave: ToSave, key: SecretKey | null): Promise<void> {
  const { name, crm, url, table, map, connection, matched, found } = toSave;
  const sealing = keyToSave(name, key);
  const options = {
    map: map.map((pair) => ({ connection: pair.connection, crm: pair.crm })),
    matched: [...matched],
    ...(connection === undefined ? {} : { connection }),
    ...(table === undefined ? {} : { table }),
  };
  await ctx.store.transaction(async (tx) => {
    const before = (await readSavedComparisons(tx)).find((one) => one.name === name);
    const findings =
      found !== undefined
        ? { comparedAt: Date.parse(found.startedAt), error: null, result: summaryOf(found) }
        : before !== undefined && hasSameSettings(before, toSave, sealing)
          ? before
          : NOTHING_FOUND;
    const { comparedAt, error, result } = findings;
    await saveComparison(tx, {
      name,
      crm,
      url: sealing.seal(url, aboutUrl(name)),
      options,
      comparedAt,
      error,
      result,
    });
  });
}

const NOTHING_FOUND = { comparedAt: null, error: null, result: null };

/** Whether a saved comparison compares the same: what it found is true of the other one, too. */
function hasSameSettings(
  saved: SavedComparison,
  { crm, url, table, map, connection }: ToSave,
  key: SecretKey,
): boolean {
  if (
    saved.crm !== crm ||
    !key.hasSealed(saved.url) ||
    key.open(saved.url, aboutUrl(saved.name), savedUrl(saved.name)) !== url
  )
    return false;
  const options = Options.parse(saved.options);
  const pairs = (all: CompareOptions['map']): string =>
    JSON.stringify(all.map((pair) => [pair.connection, pair.crm]).sort());
  return options.connection === connection && options.table === table && pairs(options.map) === pairs(map);
}

/**
 * Checks the name and key up front, before work that could not be saved. Throws ConfigError for an invalid name, and
 * without a key.
 */
export function keyToSave(name: string, key: SecretKey | null): SecretKey {
  if (!NAME.test(name) || CRM_NAMES.some((crmName) => crmName === name)) {
    throw new ConfigError(`'${name}' cannot be the name of a saved comparison.`, {
      code: 'usage',
      remedy: 'Use letters, digits, ".", "_" and "-", and no CRM’s own name.',
    });
  }
  if (key === null) throw missingSecretKey(SEALED_URL);
  return key;
}

/** Forgets a saved comparison. Throws ConfigError if no comparison has this name. */
export async function forgetSaved(ctx: Context, name: string): Promise<void> {
  if (!(await deleteSavedComparison(ctx.store.sql, name))) {
    throw unknown(name, await readSavedComparisons(ctx.store.sql));
  }
}

/** The options of a saved comparison. Throws ConfigError for an unknown name, and for the wrong key. */
export async function openSaved(
  ctx: Context,
  name: string,
  key: SecretKey | null,
): Promise<Pick<CompareOptions, 'crm' | 'place' | 'map' | 'connection' | 'matchedBefore'>> {
  const saved = await readSavedComparisons(ctx.store.sql);
  const found = saved.find((one) => one.name === name);
  if (found === undefined) throw unknown(name, saved);
  if (key === null) throw await missingKeyOf(ctx.store.sql, SEALED_URL);
  const { map, connection, matched, table } = Options.parse(found.options);
  const url = key.open(found.url, aboutUrl(name), savedUrl(name));
  return {
    crm: found.crm,
    place: { kind: 'database', url, table },
    map,
    connection,
    matchedBefore: matched,
  };
}

/**
 * Runs a saved comparison and records what it found, or why it failed: the report alerts on both. Does not throw errors
 * that a user can cause, because the caller has other nightly work to do.
 */
export async function compareSaved(ctx: Context, name: string, key: SecretKey | null): Promise<void> {
  const options = await openSaved(ctx, name, key);
  const at = ctx.clock();
  try {
    const result = await compare(ctx, options);
    if (result.status === 'completed') {
      await recordComparison(ctx.store.sql, name, {
        at,
        error: null,
        result: summaryOf(result),
        matched: matchedBy(result),
      });
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    await recordComparison(ctx.store.sql, name, { at, error: error.message, result: null, matched: null });
  }
}

/** Ids of the connections that a comparison matched, or had matched before. */
export function matchedBy({ connections }: Pick<CompareResult, 'connections'>): string[] {
  return connections.map(({ connectionId }) => connectionId);
}

/** What the report shows of a comparison, overall and by connection. */
function summaryOf({ crm, source, counts, connections, absent, finishedAt }: CompareResult): JsonObject {
  return {
    crm,
    source,
    finishedAt,
    counts: { ...counts },
    absent: absent.map((one) => ({ ...one })),
    gone: connections
      .filter(({ causes }) => causes.some(({ cause }) => cause === 'connection_gone'))
      .map(({ connection }) => connection),
    connections: connections.map((one) => ({
      connection: one.connection,
      crm: one.crm,
      messages: one.messages,
      rows: one.rows,
      counts: { ...one.counts },
    })),
  };
}

function unknown(name: string, saved: readonly SavedComparison[]): ConfigError {
  return new ConfigError(`There is no CRM and no saved comparison '${name}'.`, {
    code: 'unknown_comparison',
    remedy: [
      `CRMs: ${CRM_NAMES.join(', ')}. Saved: ${saved.map((one) => one.name).join(', ') || 'none'}.`,
      remedy('compare', ['--help'], 'shows how to save one'),
    ],
  });
}
