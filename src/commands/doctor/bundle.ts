import { arch, platform, release } from 'node:os';
import { UserError } from '../../model/errors.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { readKeyStates } from '../../store/checks/schema.js';
import { migrationStatus } from '../../store/migrations/migrate.js';
import { readMigrations } from '../../store/migrations/status.js';
import {
  COUNTED,
  countRejects,
  countRows,
  readLastRuns,
  readTroubledEntries,
} from '../../store/queries/bundle.js';
import { readServerFacts } from '../../store/server.js';
import { sqlState, systemCode } from '../../store/sql-state.js';
import type { Store } from '../../store/store.js';
import { withDatabase } from '../database.js';
import { opening } from './doctor.js';
import { Shapes } from './shapes.js';
import type { DoctorOptions, DoctorResult, GivenSetting } from './types.js';
import { rfc3339 } from '../../model/time.js';

const MOST_RUNS = 50;
const MOST_ENTRIES = 50;
const MOST_REJECTS = 100;
/** Of each entry: more says nothing more about its form. */
const MOST_BYTES = 256 * 1024;

/** What a maintainer needs to understand a fault, and nothing that anybody wrote, is called, or can be reached by. */
export interface Bundle {
  schemaVersion: 1;
  kind: 'wa-reconcile-bundle';
  /** RFC 3339, UTC. */
  madeAt: string;
  versions: JsonObject;
  settings: JsonValue;
  checks: JsonValue;
  /** Each part, or why it could not be read. */
  database: JsonObject;
}

/** Collects what can be read, on a broken database, too: a part that fails is its error's code. Never throws for what it finds. */
export async function collectBundle(
  options: DoctorOptions & { version: string },
  { checks }: Pick<DoctorResult, 'checks'>,
): Promise<Bundle> {
  const shapes = new Shapes();
  const { database, version, nodeVersion, clock } = options;
  return {
    schemaVersion: 1,
    kind: 'wa-reconcile-bundle',
    madeAt: new Date(clock()).toISOString(),
    versions: {
      tool: version,
      node: nodeVersion,
      platform: platform(),
      system: release(),
      architecture: arch(),
      schema: (await readMigrations()).at(-1)?.name ?? null,
    },
    settings: options.settings.map((setting) => settingOf(setting, shapes)),
    // Their messages name paths, connections and hosts.
    checks: checks.map(({ name, status }) => ({ name, status })),
    database:
      database instanceof Error
        ? { error: codeOf(database) }
        : await section(() =>
            withDatabase(database, opening(options), (store) => readDatabase(store, shapes)),
          ),
  };
}

const PLAIN = new Set(['true', 'false', '1', '0', 'yes', 'no', 'on', 'off']);

function settingOf({ name, value, origin }: GivenSetting, shapes: Shapes): JsonObject {
  const from = origin === 'default' ? 'default' : origin.startsWith('--') ? 'flag' : 'environment';
  return { name, value: PLAIN.has(value.toLowerCase()) ? value : shapes.text(value), from };
}

async function readDatabase(store: Store, shapes: Shapes): Promise<JsonObject> {
  const { sql, backend, pooled } = store;
  const tables: JsonObject = {};
  for (const [table, by] of Object.entries(COUNTED)) {
    tables[table] = await part(async () =>
      (await countRows(sql, table, by)).map(({ values, rows }) => ({
        ...Object.fromEntries(
          by.map((column, index) => {
            const value = values[index] ?? null;
            return [column, value === null ? null : shapes.word(value)];
          }),
        ),
        rows,
      })),
    );
  }
  return {
    backend,
    pooled,
    server: await part(async () => {
      const { version, encoding, readOnly, autovacuum, databaseBytes } = await readServerFacts(sql);
      return { version, encoding, readOnly, autovacuum, databaseBytes };
    }),
    migrations: await part(async () => {
      const known = new Set((await readMigrations()).map(({ name }) => name));
      const { applied, pending } = await migrationStatus(store);
      const words = (name: string): string => (known.has(name) ? name : shapes.text(name));
      return {
        applied: applied.map(({ name, appliedAt }) => ({
          name: words(name),
          at: appliedAt.toISOString(),
        })),
        pending: pending.map(words),
      };
    }),
    keys: await part(async () =>
      [...(await readKeyStates(sql))].flatMap(([{ index }, { state }]) =>
        state === 'sound' ? [] : [{ index, state }],
      ),
    ),
    tables,
    runs: await part(async () =>
      (await readLastRuns(sql, MOST_RUNS)).map((run) => ({
        command: run.command
          .split(' ')
          .map((word) => shapes.word(word))
          .join(' '),
        status: shapes.word(run.status),
        verdict: run.verdict === null ? null : shapes.sentence(run.verdict),
        error: run.error === null ? null : shapes.sentence(run.error),
        options: run.options === null ? null : shapes.facts(run.options),
        counters: run.counters === null ? null : shapes.facts(run.counters),
        startedAt: rfc3339(run.startedAt),
        durationMs:
          run.startedAt === null || run.completedAt === null ? null : run.completedAt - run.startedAt,
      })),
    ),
    rejects: await part(async () =>
      (await countRejects(sql, MOST_REJECTS)).map(({ path, reason, rows }) => ({
        path: shapes.path(path),
        reason: shapes.word(reason),
        rows,
      })),
    ),
    entries: await part(async () =>
      (await readTroubledEntries(sql, MOST_ENTRIES, MOST_BYTES)).map((entry) => ({
        status: shapes.word(entry.status),
        provider: shapes.word(entry.provider),
        error: entry.error === null ? null : shapes.sentence(entry.error),
        bytes: entry.length,
        shape: shapes.body(new TextDecoder().decode(entry.beginning)),
      })),
    ),
  };
}

async function section(read: () => Promise<JsonObject>): Promise<JsonObject> {
  try {
    return await read();
  } catch (error) {
    return { error: codeOf(error) };
  }
}

async function part(read: () => Promise<JsonValue>): Promise<JsonValue> {
  try {
    return await read();
  } catch (error) {
    return { error: codeOf(error) };
  }
}

/** Its code: the message may say anything. */
function codeOf(error: unknown): string {
  if (error instanceof UserError) return error.code;
  return sqlState(error) ?? systemCode(error) ?? 'unknown';
}
