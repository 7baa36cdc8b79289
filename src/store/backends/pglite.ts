import { PGlite, types, type PGliteOptions } from '@electric-sql/pglite';
import { translateDatabaseError } from '../database-errors.js';
import type { CopiedLines, Sql, SqlRow } from '../sql.js';
import type { Store } from '../store.js';
import { createTransactionRunner, translated, type RunInTransaction } from '../transactions.js';
import { setForSession } from './value-settings.js';
import { createPgliteStatements, type RunStatement } from './pglite-statements.js';

/**
 * A store on an already open PGlite. One PGlite is one connection: a statement outside `transaction` waits for an open
 * transaction to end, so awaiting it inside that transaction deadlocks.
 *
 * @param onClose runs once, after PGlite has flushed its files and stopped.
 * @param assertFree throws `ENOSPC` when the disk has no room for another batch; a database in memory has none to look
 * at.
 */
export function createPgliteStore(
  pglite: PGlite,
  location: string,
  onClose: () => Promise<void>,
  assertFree: () => Promise<void> = () => Promise.resolve(),
): Store {
  const translate = (error: unknown): unknown => translateDatabaseError(error, location) ?? error;
  const turn: Turn = { since: performance.now() };
  let closing: Promise<void> | undefined;

  async function close(): Promise<void> {
    try {
      await pglite.close();
    } finally {
      await onClose();
    }
  }

  return {
    backend: 'pglite',
    pooled: false,
    location,
    sql: translated(
      createPgliteSql((text, parameters) => pglite.query<SqlRow>(text, [...parameters]), turn),
      translate,
    ),
    transaction: createTransactionRunner(createPgliteTransactions(pglite, turn), translate),
    assertSpace: () =>
      assertFree().catch((error: unknown) => {
        throw translate(error);
      }),
    close: () => (closing ??= close()),
  };
}

/**
 * bigint always as `bigint`, as on PostgreSQL; PGlite returns a number when one suffices. Set for the whole connection:
 * set per query, it makes PGlite copy hundreds of parsers each time, a tenth of the time of a small query.
 */
const PARSERS: PGliteOptions['parsers'] = { [types.INT8]: BigInt };

/** PGlite's own spells each byte apart, a second for some megabytes. */
const SERIALIZERS: PGliteOptions['serializers'] = {
  [types.BYTEA]: (bytes: Uint8Array) =>
    `\\x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`,
};

/** When signals and timers last had their turn. */
interface Turn {
  since: number;
}

/** A statement that follows others for so long lets signals and timers in first. */
const LONGEST_TURN_MS = 50;

/**
 * Runs SQL on PGlite, or inside one of its transactions. PGlite works in this thread and answers without leaving it: one statement
 * after the other would keep every signal and timer waiting until the last.
 */
function createPgliteSql(statement: RunStatement, turn: Turn): Sql {
  const run: RunStatement = async (text, parameters) => {
    if (performance.now() - turn.since > LONGEST_TURN_MS) {
      await new Promise((resolve) => setImmediate(resolve));
      turn.since = performance.now();
    }
    return statement(text, parameters);
  };
  return {
    query: async (text, parameters = []) => (await run(text, parameters)).rows,
    execute: async (text, parameters = []) => (await run(text, parameters)).affectedRows ?? 0,
  };
}

function createPgliteTransactions(pglite: PGlite, turn: Turn): RunInTransaction {
  const statementsOf = createPgliteStatements(pglite);
  return (work) =>
    pglite.transaction((tx) =>
      work({
        ...createPgliteSql(statementsOf(tx), turn),
        copy: async (statement, lines) => {
          const fromBlob = statement.replace(/ from stdin$/, ` from '/dev/blob'`);
          let rows = 0;
          for await (const blob of blobsOf(lines)) {
            rows += (await tx.query(fromBlob, [], { blob })).affectedRows ?? 0;
          }
          return rows;
        },
      }),
    );
}

/** A COPY reads its lines from memory: of many, so many bytes at a time. */
const BLOB_BYTES = 8 * 1024 * 1024;

async function* blobsOf(lines: CopiedLines): AsyncGenerator<Blob> {
  let pieces: (string | Uint8Array)[] = [];
  let bytes = 0;
  for await (const piece of lines) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes < BLOB_BYTES) continue;
    yield new Blob(pieces);
    pieces = [];
    bytes = 0;
  }
  if (pieces.length > 0) yield new Blob(pieces);
}

/**
 * Starts PGlite with the settings that decide how values are read, whatever the machine's zone: days and times must be the same
 * everywhere. A prepared statement is planned anew each time, for tables as large as they are then.
 */
export async function startPglite(options: PGliteOptions): Promise<PGlite> {
  const pglite = new PGlite({ ...options, parsers: PARSERS, serializers: SERIALIZERS });
  await pglite.waitReady;
  await pglite.exec(`${setForSession()}; set plan_cache_mode to force_custom_plan`);
  return pglite;
}
