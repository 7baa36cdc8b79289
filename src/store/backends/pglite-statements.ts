import { parse, protocol, type PGlite, type Results, type Transaction } from '@electric-sql/pglite';
import type { SqlParameter, SqlRow } from '../sql.js';

/** Runs one statement inside a transaction. */
export type RunStatement = (text: string, parameters: readonly SqlParameter[]) => Promise<Results<SqlRow>>;

/** A statement that PGlite has read: its name there, and the types of its parameters. */
interface Prepared {
  name: string;
  types: readonly number[];
}

/**
 * Prepares what one PGlite runs again, in the transactions of its lifetime. `PGlite.query` reads and analyses the text each time,
 * which takes longer than to plan and run most of our statements.
 *
 * Only the second time, because most commands run most of their statements once; and only with parameters: the plan of one
 * without would be kept, and tables grow a thousandfold between two uses. See `plan_cache_mode` in `startPglite`.
 */
export function createPgliteStatements(pglite: PGlite): (tx: Transaction) => RunStatement {
  const seen = new Set<string>();
  const prepared = new Map<string, Prepared>();

  async function prepare(text: string): Promise<Prepared> {
    const found = prepared.get(text);
    if (found !== undefined) return found;
    const name = `wa_${prepared.size + 1}`;
    const messages = await send([
      protocol.serialize.parse({ name, text }),
      protocol.serialize.describe({ type: 'S', name }),
    ]);
    const made = { name, types: parse.parseDescribeStatementResults(messages) };
    prepared.set(text, made);
    return made;
  }

  /** Outside of PGlite's own calls, so it does not wait for the transaction that it belongs to. */
  function send(messages: readonly Uint8Array[]): ReturnType<PGlite['execProtocolStream']> {
    return pglite.execProtocolStream(Buffer.concat([...messages, protocol.serialize.sync()]), {
      // The commit flushes.
      syncToFs: false,
    });
  }

  function run(text: string, parameters: readonly SqlParameter[]): Promise<Results<SqlRow>> {
    return pglite.runExclusive(async () => {
      const { name, types } = await prepare(text);
      const values = parameters.map((value, index) => {
        if (value === null || value instanceof Uint8Array) return value;
        const serialize = pglite.serializers[types[index] ?? 0];
        return serialize === undefined ? String(value) : serialize(value);
      });
      const messages = await send([
        protocol.serialize.bind({ statement: name, values }),
        protocol.serialize.describe({ type: 'P' }),
        protocol.serialize.execute({}),
      ]);
      const [result] = parse.parseResults(messages, pglite.parsers);
      return result ?? { rows: [], fields: [] };
    });
  }

  return (tx) => (text, parameters) => {
    // A transaction that has ended says so itself.
    if (parameters.length === 0 || tx.closed || !seen.has(text)) {
      seen.add(text);
      return tx.query<SqlRow>(text, [...parameters]);
    }
    return run(text, parameters);
  };
}
