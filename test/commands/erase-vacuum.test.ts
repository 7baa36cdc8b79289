import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { SecretKey } from '../../src/commands/devices/secret-key.js';
import { erase } from '../../src/commands/erase/erase.js';
import { presentErase } from '../../src/cli/views/erase.js';
import { openStore } from '../../src/store/open-store.js';
import { OWN_SCHEMA } from '../../src/store/own-schema.js';
import type { Store } from '../../src/store/store.js';
import { vacuumFully } from '../../src/store/vacuum.js';
import { findingsBeside } from '../support/checking.js';
import { describeOnServer, TEST_OPTIONS, useBackend } from '../support/databases.js';
import { EVERYTHING, pruned } from '../support/pruning.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { ANA, BRU, edit, live, liveFrom, reaction } from '../support/webhooks.js';
import { runCli } from '../cli/run-cli.js';

const SECRET = SecretKey.parse(Buffer.alloc(32, 7).toString('base64'), 'the test');

/** Short texts: what the database compresses would not be found as it is. */
const LOG = [
  liveFrom('Ana Maria', 'A1', 0, { text: { body: 'secret of hers' } }),
  edit('A1', 'A1e', 5, { type: 'text', text: { body: 'hers, edited' } }),
  reaction('A1', 6, '👍'),
  live('B1', 10, { from: BRU, text: { body: 'of somebody else' } }),
];
const HERS = [ANA, 'Ana Maria', 'secret of hers', 'hers, edited'];

const eraseAna = (store: Store, vacuum?: boolean): ReturnType<typeof erase> =>
  erase(testContext(store, { secretKey: () => SECRET }), {
    contact: `+${ANA}`,
    secretKey: SECRET,
    batchSize: 1,
    ...(vacuum === undefined ? {} : { vacuum }),
  });

/** Those of the words that are in the files of our tables, their indexes or what they keep aside, whatever rows are alive. */
async function inFiles(store: Store, words: readonly string[]): Promise<string[]> {
  await store.sql.execute('checkpoint');
  const rows = await store.sql.query(
    `with files as materialized (
       select pg_read_binary_file(pg_relation_filepath(f.oid)) as bytes from pg_class c
       cross join lateral (
         select c.oid union select indexrelid from pg_index where indrelid = c.oid
         union select c.reltoastrelid where c.reltoastrelid <> 0
         union select indexrelid from pg_index where indrelid = c.reltoastrelid
       ) f (oid)
       where c.relnamespace = ${OWN_SCHEMA} and c.relkind = 'r'
     )
     select word from unnest($1::text[]) as word
     where exists (select from files where position(convert_to(word, 'UTF8') in bytes) > 0)`,
    [`{${words.map((word) => `"${word}"`).join(',')}}`],
  );
  return rows.map(({ word }) => String(word)).sort();
}

/** The server's own autovacuum may have an older transaction just then, as anybody may: then once more takes them out. */
async function leavesFiles(store: Store): Promise<void> {
  for (let again = 0; again < 20 && (await inFiles(store, HERS)).length > 0; again += 1) {
    await delay(100);
    await eraseAna(store, true);
  }
  expect(await inFiles(store, HERS)).toEqual([]);
}

const everybody = (store: Store): Promise<unknown> => store.sql.query('select * from messages');

describeOnServer('erase with --vacuum', (backend) => {
  it('takes the person out of the files of the tables, and nobody else', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const without = await eraseAna(store);
    expect(without).toMatchObject({ status: 'completed', vacuumed: false });
    expect(without.outOfReach.join()).toContain('deleted rows stay in them');
    // Deleted, and still there: this is what the option is for.
    expect(await inFiles(store, HERS)).toEqual([...HERS].sort());
    const rest = await everybody(store);

    const erased = await eraseAna(store, true);
    expect(erased).toMatchObject({ status: 'completed', vacuumed: true });
    await leavesFiles(store);
    expect(await inFiles(store, ['of somebody else', BRU])).toHaveLength(2);
    expect(await everybody(store)).toEqual(rest);
    expect(await findingsBeside(store)).toEqual([]);
    // What remains is said.
    expect(erased.outOfReach.join()).not.toContain('deleted rows stay in them');
    expect(erased.outOfReach.filter((line) => line.includes('write-ahead log'))).toHaveLength(1);
    const { document } = presentErase(erased, { command: 'erase', args: [], why: '' });
    expect(document.verdict?.text).toContain('the tables’ files are without them');
  });

  it('does so in the run that erases, too', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    expect(await eraseAna(store, true)).toMatchObject({ vacuumed: true });
    await leavesFiles(store);
  });

  it('leaves another program’s table alone, and so does prune', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await store.sql.execute('create table crm_notes (text text)');
    const file = (): Promise<unknown> =>
      store.sql.query(`select pg_relation_filenode('crm_notes')::text as crm`);
    const before = await file();
    expect(await eraseAna(store, true)).toMatchObject({ vacuumed: true });
    expect(await pruned(store, { ...EVERYTHING, vacuum: true })).toMatchObject({ vacuumed: true });
    expect(await file()).toEqual(before);
    await store.sql.execute('drop table crm_notes');
  });
});

it.each([
  ['erase', `+${ANA}`],
  ['erase', '--allow', `+${ANA}`],
])('refuses --vacuum where nothing is erased: %s %s', async (...words) => {
  const { code, stderr } = await runCli([...words, '--vacuum']);
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: expect.stringContaining('no effect without --apply') as string,
  });
});

const postgresql = useBackend('postgresql');

it('says that a table is as it was, which the role does not own: the server only warns', async () => {
  const config = await postgresql.config();
  if (config.kind !== 'postgresql') throw new Error('the test is about a server');
  const role = `wa_guest_${randomBytes(4).toString('hex')}`;
  const url = new URL(config.url);
  [url.username, url.password] = [role, 'guest'];
  const owner = await openStore(config, TEST_OPTIONS);
  try {
    await owner.sql.execute(`create role ${role} login password 'guest'`);
    const guest = await openStore({ kind: 'postgresql', url: url.toString() }, TEST_OPTIONS);
    try {
      expect(await vacuumFully(guest.sql, ['messages', 'webhook_log'])).toBe(false);
    } finally {
      await guest.close();
    }
    expect(await vacuumFully(owner.sql, ['messages', 'webhook_log', 'not_there'])).toBe(true);
    await owner.sql.execute(`drop role ${role}`);
  } finally {
    await owner.close();
  }
});
