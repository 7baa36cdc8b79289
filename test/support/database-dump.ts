import { expect } from 'vitest';
import type { Store } from '../../src/store/store.js';
import { OWN_SCHEMA } from '../../src/store/own-schema.js';

/** Everything that is in a database, as text: every row of every table, bytes in hexadecimal and as text. */
export async function dumpOf(store: Store): Promise<string> {
  const tables = await store.sql.query(
    `select relname::text as name from pg_class where relnamespace = ${OWN_SCHEMA} and relkind = 'r'`,
  );
  const rows: string[] = [];
  for (const { name } of tables) {
    const table = await store.sql.query(`select * from "${String(name)}"`);
    for (const row of table) {
      for (const value of Object.values(row)) {
        rows.push(
          value instanceof Uint8Array
            ? Buffer.from(value).toString('latin1')
            : JSON.stringify(typeof value === 'bigint' ? String(value) : value),
        );
      }
    }
  }
  expect(rows.length).toBeGreaterThan(20);
  return rows.join('\n');
}

/** What of a person's words is in a database: also inside of ids of messages, which hold the number (`digits`) in base64. */
export async function tracesIn(store: Store, words: readonly string[], digits: string): Promise<string[]> {
  const dump = await dumpOf(store);
  const found = words.filter((word) => dump.includes(word));
  for (const [wamid] of dump.matchAll(/wamid\.[A-Za-z0-9+/=]+/g))
    if (Buffer.from(wamid.slice(6), 'base64').includes(digits)) found.push(wamid);
  return found;
}
