import { expect, it } from 'vitest';
import { dedupe } from '../../src/commands/dedupe/dedupe.js';
import { DUPLICATE_CLASSES, type DedupeResult } from '../../src/commands/dedupe/result.js';
import { explain } from '../../src/commands/explain/explain.js';
import { CHECK_NAMES, type CheckName, type CheckResult } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { typed } from '../support/checking.js';
import { describeOnServer } from '../support/databases.js';
import { normalizedDatabase } from '../support/normalized.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { live } from '../support/webhooks.js';

/** Five messages of one second that say the same, and three more of the next second, under ids that hold no stanza id. */
const SAME = [0, 0, 0, 0, 0, 1, 1, 1].map((at, i) =>
  live('unused', at, { id: `wamid.SAME${i}`, text: { body: 'ok' } }),
);
const OTHERS = Array.from({ length: 40 }, (_, i) => live(`B${i}`, 100 + 10 * i));
const LOG = [...SAME, ...OTHERS];

describeOnServer('messages that have lost their ids and their raw entries', (backend) => {
  it('are no duplicates of others that say the same, until their file gives them back', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const before = await normalizedDatabase(store);
    await loseTrace(store, ['wamid.SAME0', 'wamid.SAME1', 'wamid.SAME5']);

    const found = await look(store);
    expect(found.missing_ids.status).toBe('ok');
    // Each row is counted once.
    expect(found.raw_entry).toMatchObject({ found: 3, remedy: 'wa-reconcile replay FILE' });
    expect(found.ticket_rules?.remedy ?? null).not.toBe('wa-reconcile verify --check ticket_rules');
    expect(rowsOf(await merge(store))).toBe(0);
    expect(await countMessages(store)).toBe(LOG.length);

    // Part of the file is back: which of the messages it is, nothing tells.
    await replayBodies(store, SAME.slice(0, 1));
    expect(rowsOf(await merge(store))).toBe(0);

    await replayBodies(store, LOG);
    const back = await look(store);
    expect(back.missing_ids).toMatchObject({ found: 3, remedy: 'wa-reconcile dedupe --apply --force' });
    expect(back.raw_entry.status).toBe('ok');
    const merged = await merge(store);
    expect(rowsOf(merged)).toBe(3);
    // Each into a row of its own.
    expect(merged.classes.find((one) => one.class === 'no_id')?.groups).toBe(3);
    expect(await normalizedDatabase(store)).toEqual(before);
    expect((await look(store)).all).toEqual([]);
  });

  it('are known by the key id, although another program has changed the text', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const before = await normalizedDatabase(store);
    await store.sql
      .execute(`update messages set body = 'tampered' where stanza_id is not null and timestamp > (
      select max(timestamp) - interval '15 seconds' from messages)`);
    const { length } = await store.sql.query(`select id from messages where body = 'tampered'`);
    expect(length).toBe(2);
    const rows = await store.sql.query(`select external_id from messages where body = 'tampered'`);
    await loseTrace(
      store,
      rows.map((row) => String(row.external_id)),
    );
    await replayBodies(store, LOG);
    expect(rowsOf(await merge(store))).toBe(2);
    expect(await normalizedDatabase(store)).toEqual(before);
    expect((await look(store)).all).toEqual([]);
  });

  it('are shown to a person where the file is back, and only the text could tell them', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await store.sql.execute(`update messages set body = 'tampered' where external_id = 'wamid.SAME7'`);
    await loseTrace(store, ['wamid.SAME7']);
    await replayBodies(store, LOG);
    const { raw_entry } = await look(store);
    expect(raw_entry.found).toBe(1);
    expect(raw_entry.remedy).toMatch(/^wa-reconcile explain [0-9a-f-]{36}$/);
    const explained = await explain(testContext(store), {
      subject: (raw_entry.remedy ?? '').slice(21),
      connection: undefined,
      scan: false,
      bodies: false,
      limit: 10,
    });
    expect(explained.remedies).toEqual([{ do: 'acknowledge' }]);
    expect(rowsOf(await merge(store))).toBe(0);
  });
});

/** The ids are taken, and the raw entries deleted. */
async function loseTrace(store: Store, ids: readonly string[]): Promise<void> {
  const list = ids.map((id) => `'${id}'`).join(', ');
  await store.sql.execute(
    `delete from webhook_log where id in (select batch_id from messages where external_id in (${list}))`,
  );
  await store.sql.execute(`update messages set external_id = null where external_id in (${list})`);
}

type Seen = Pick<CheckResult, 'status' | 'found'> & { remedy: string | null };

async function look(store: Store): Promise<
  Record<'missing_ids' | 'raw_entry', Seen> & {
    ticket_rules: Seen | undefined;
    all: CheckName[];
  }
> {
  const { checks } = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
  const seen = (name: CheckName): Seen | undefined => {
    const check = checks.find((one) => one.check === name);
    return check && { status: check.status, found: check.found, remedy: typed(check.remedy) };
  };
  const known = (name: CheckName): Seen => {
    const check = seen(name);
    if (check === undefined) throw new Error(`${name} did not run`);
    return check;
  };
  return {
    missing_ids: known('missing_ids'),
    raw_entry: known('raw_entry'),
    ticket_rules: seen('ticket_rules'),
    all: checks.filter(({ status }) => status === 'findings').map(({ check }) => check),
  };
}

function merge(store: Store): Promise<DedupeResult> {
  return dedupe(testContext(store), {
    classes: new Set(DUPLICATE_CLASSES),
    apply: true,
    batchSize: 2,
    force: true,
    recordedOptions: {},
  });
}

function rowsOf({ classes }: DedupeResult): number {
  return classes.reduce((sum, { rows }) => sum + rows, 0);
}

async function countMessages(store: Store): Promise<number> {
  return (await store.sql.query('select id from messages')).length;
}
