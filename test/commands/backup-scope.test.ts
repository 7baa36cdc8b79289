import { expect, it } from 'vitest';
import { listAccess } from '../../src/commands/access/list-access.js';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import { hasRule } from '../../src/store/dump/scope.js';
import { readTables } from '../../src/store/dump/tables.js';
import { readMigrations } from '../../src/store/migrations/status.js';
import type { Store } from '../../src/store/store.js';
import { runCli } from '../cli/run-cli.js';
import { backUp, restored } from '../support/backups.js';
import { dumpOf } from '../support/database-dump.js';
import { describeOnBackends } from '../support/databases.js';
import { replayBodies, testContext } from '../support/replaying.js';
import {
  addressBook,
  ANA,
  BRU,
  BUSINESS,
  CAR,
  echo,
  edit,
  history,
  item,
  live,
  old,
  reaction,
  revoke,
  SECOND,
  status,
  wamid,
  webhook,
} from '../support/webhooks.js';

/** Ana writes to both numbers, Bru only to the second, Car is in the first one's address book. */
const LOG = [
  live('A1', 0),
  live('A2', 60, { text: { body: 'two' } }),
  echo('A3', 90),
  status('A3', 'read', 100),
  edit('A2', 'E2', 120, { type: 'text', text: { body: 'two, edited' } }),
  revoke('A1', 150),
  reaction('A2', 160, '👍'),
  status('LATER', 'delivered', 170),
  history([old('H1', -5_000), old('H2', -4_000)], { progress: 100 }),
  addressBook('add', { full_name: 'Car', phone_number: CAR }, 200),
  live('B1', 10, {}, SECOND),
  webhook('messages', { messages: [item('B2', 20, { from: BRU, id: wamid('B2', BRU) })] }, SECOND),
  webhook('messages', { messages: [item('B3', 30, { from: BRU, id: wamid('B3', BRU) })] }, SECOND),
];

describeOnBackends('a backup of a part', (backend) => {
  const verdict = async (store: Store): Promise<unknown> => {
    const { severity, checks } = await verify(testContext(store), {
      checks: new Set(CHECK_NAMES),
      enforce: false,
    });
    return { severity, checks: checks.filter(({ status: state }) => state === 'findings') };
  };

  async function fill(): Promise<Store> {
    const store = await backend.open();
    await store.sql.execute(
      `insert into organizations (id, slug, name) values (gen_random_uuid(), 'acme', 'Acme')`,
    );
    await store.sql.execute(
      `insert into connections (id, organization_id, name, kind, phone_number_id, history_sync_status)
       select gen_random_uuid(), id, 'second', 'coexistence', '${SECOND.id}', 'pending_consent' from organizations where slug = 'acme'`,
    );
    await replayBodies(store, LOG);
    return store;
  }

  it('of a connection has all that it rests on, and nothing of the others', async () => {
    const store = await fill();
    const [first] = await store.sql.query(`select id from connections where name <> 'second'`);
    const { bytes, result } = await backUp(store, { connection: String(first?.['id']) });
    expect(result.scope).toMatchObject({ organization: 'default' });
    const copy = await restored(backend, bytes);
    expect(await verdict(copy)).toEqual({ severity: null, checks: [] });
    for (const table of ['messages', 'message_revisions', 'webhook_log', 'conversations', 'history_chunks']) {
      const rows = async (of: Store): Promise<unknown[]> =>
        of.sql.query(`select t::text as row from ${table} t`);
      expect(await rows(store), table).toEqual(expect.arrayContaining(await rows(copy)));
    }
    const counts = await copy.sql.query(
      `select (select count(*) from connections)::int as connections, (select count(*) from messages)::int as messages,
         (select count(*) from leads)::int as leads, (select count(*) from message_revisions)::int as revisions,
         (select count(*) from organizations)::int as organizations, (select count(*) from tickets)::int as tickets`,
    );
    expect(counts).toEqual([
      { connections: 1, messages: 5, leads: 2, revisions: 2, organizations: 1, tickets: 1 },
    ]);
    const dump = await dumpOf(copy);
    for (const word of [ANA, CAR]) expect(dump).toContain(word);
    for (const word of [BRU, SECOND.id, 'acme']) expect(dump).not.toContain(word);
  });

  it('of an organization has its people and connections', async () => {
    const store = await fill();
    const { bytes, result } = await backUp(store, { organization: 'acme' });
    expect(result.scope).toEqual({ organization: 'acme' });
    const copy = await restored(backend, bytes);
    expect(await verdict(copy)).toMatchObject({ checks: [] });
    expect(await copy.sql.query('select slug from organizations order by slug')).toEqual([
      { slug: 'acme' },
      { slug: 'default' },
    ]);
    expect(await copy.sql.query('select count(*)::int as n from messages')).toEqual([{ n: 3 }]);
    expect(await dumpOf(copy)).not.toContain(CAR);
    await expect(backUp(store, { organization: 'nobody' })).rejects.toMatchObject({
      code: 'organization_unknown',
    });
    await expect(backUp(store, { connection: 'nobody' })).rejects.toMatchObject({
      code: 'connection_unknown',
    });
  });

  it('is an access to the people in it, and to nobody else', async () => {
    const store = await fill();
    const [first] = await store.sql.query(`select id from connections where name <> 'second'`);
    const seen = (at: Store): Promise<unknown> =>
      at.sql.query(
        `select o.slug as of, l.phone_number as phone, a.messages::int as messages from access_log a
         join leads l on l.id = a.lead_id join organizations o on o.id = l.organization_id
         where a.command = 'backup' order by 1, 2`,
      );
    const { bytes } = await backUp(store, { connection: String(first?.['id']) });
    const ofFirst = [
      { of: 'default', phone: `+${ANA}`, messages: 5 },
      { of: 'default', phone: `+${CAR}`, messages: 0 },
    ];
    expect(await seen(store)).toEqual(ofFirst);
    // The file says itself who has seen what is in it.
    expect(await seen(await restored(backend, bytes))).toEqual(ofFirst);
    await backUp(store, { organization: 'acme' });
    expect(await seen(store)).toEqual([
      { of: 'acme', phone: `+${ANA}`, messages: 1 },
      { of: 'acme', phone: `+${BRU}`, messages: 2 },
      ...ofFirst,
    ]);
    const asked = async (contact: string): Promise<unknown> => {
      const { access } = await listAccess(testContext(store), { contact, limit: 9 });
      return access.map(({ everybody, messages }) => ({ everybody, messages }));
    };
    expect(await asked(`+${BRU}`)).toEqual([{ everybody: false, messages: 2 }]);
    expect(await asked(`+${CAR}`)).toEqual([{ everybody: false, messages: 0 }]);
    // A whole one is of everybody, in one row.
    await backUp(store);
    expect(await asked(`+${CAR}`)).toContainEqual({ everybody: true, messages: 8 });
  });

  it('does without what Meta says of accounts, as its help says, and finds nothing missing', async () => {
    const store = await fill();
    // Without the number's id, as Meta sends it.
    const removal = { event: 'PARTNER_REMOVED', phone_number: BUSINESS, metadata: undefined };
    await replayBodies(store, [webhook('account_update', removal)]);
    const told = `select count(*)::int as n from webhook_log where 'account_update' = any(fields)`;
    expect(await store.sql.query(told)).toEqual([{ n: 1 }]);
    const [first] = await store.sql.query(`select id from connections where name <> 'second'`);
    const { bytes } = await backUp(store, { connection: String(first?.['id']) });
    const copy = await restored(backend, bytes);
    expect(await copy.sql.query(told)).toEqual([{ n: 0 }]);
    expect(await verdict(copy)).toEqual({ severity: null, checks: [] });
    const { stdout } = await runCli(['backup', '--help'], {});
    expect(stdout.replace(/\s+/g, ' ')).toContain(
      'leave out entries that name no phone_number_id, as what Meta says of accounts',
    );
  });

  it('has a rule for every table', async () => {
    const store = await backend.open();
    const tables = (await readTables(store.sql, await readMigrations())).map(({ name }) => name);
    expect(tables.filter((name) => !hasRule(name))).toEqual([]);
  });
});
