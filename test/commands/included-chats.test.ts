import { expect, it } from 'vitest';
import { CHECK_NAMES, type CheckResult } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { addConnection } from '../support/connections.js';
import { describeOnServer } from '../support/databases.js';
import { pruned } from '../support/pruning.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { value } from '../support/shown.js';
import { live, webLive } from '../support/webhooks.js';

const GROUP = new Set(['group'] as const);
const LOG = [live('G1', 0, { group_id: '120363000000000001@g.us' }), live('A1', 5)];

describeOnServer('chats that a later run includes', (backend) => {
  it.each(['the log', 'the file'])('are held to the log by every later reader: from %s', async (from) => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    expect(await countMessages(store)).toBe(1);
    const again =
      from === 'the log'
        ? await replayLog(store, { which: 'all' }, { include: GROUP })
        : await replayBodies(store, LOG, { include: GROUP });
    expect(again.messages.created).toBe(1);
    expect((await rawLog(store)).summary).toContain('2 in the database');
    // Recorded once.
    const counters = await value(
      store,
      `select json_agg(counters -> 'include' order by id) from webhook_log`,
    );
    expect(counters).toEqual([['group'], null]);

    await store.sql.execute(`update messages set body = 'forged' where body = 'G1'`);
    expect(await rawLog(store)).toMatchObject({ status: 'findings', found: 1 });
    await store.sql.execute(`delete from messages where body = 'forged'`);
    expect(await rawLog(store)).toMatchObject({ status: 'findings', missing: 1 });
    // A replay without the choice knows it, too, and takes nothing back.
    await replayLog(store, { which: 'all' });
    expect(await countMessages(store)).toBe(2);
    await replayBodies(store, LOG);
    expect(await rawLog(store)).toMatchObject({ status: 'ok' });
  });

  it('do not cost the entry the connection that its first run was given', async () => {
    const store = await backend.open();
    await addConnection(store);
    const group = { remoteJid: '120363000000000001@g.us', participant: '5511900000001@s.whatsapp.net' };
    const bare = { ...webLive('W1', 0, {}, group), sessionId: undefined };
    await replayBodies(store, [bare], { connection: 'loja' });
    await replayLog(store, { which: 'all' }, { include: GROUP });
    expect(await countMessages(store)).toBe(1);
    await store.sql.execute('delete from messages');
    expect(await rawLog(store)).toMatchObject({ missing: 1 });
    await replayLog(store, { which: 'all' });
    expect(await countMessages(store)).toBe(1);
  });
});

describeOnServer('retention of chats that were brought in', (backend) => {
  it('takes them for messages: plan and result of the default leave them, and those that were left out go', async () => {
    const store = await backend.open();
    const other = live('G2', 10, { group_id: '120363000000000002@g.us' });
    await replayBodies(store, LOG, { include: GROUP });
    await replayBodies(store, [other]);
    for (const classes of [['group'], ['status', 'group', 'newsletter']] as const) {
      const plan = await pruned(store, { classes: [...classes], apply: false });
      expect(plan.groups).toMatchObject([{ class: 'group', entries: 1 }]);
    }
    expect((await pruned(store)).entries).toMatchObject({ planned: 1, pruned: 1, kept: 0 });
    expect((await pruned(store, { classes: ['group'] })).entries).toMatchObject({ planned: 0, pruned: 0 });
    const plan = await pruned(store, { classes: ['processed'], apply: false });
    expect(plan.groups).toMatchObject([{ class: 'processed', entries: 2 }]);
    expect((await pruned(store, { classes: ['processed'] })).entries).toMatchObject({
      planned: 2,
      pruned: 2,
    });
    // Brought in from its file after that, the other group stays pruned, and its message is missed when it goes.
    await replayBodies(store, [other], { include: GROUP });
    expect(await rawBodies(store)).toMatchObject({ status: 'ok' });
    await store.sql.execute(`delete from messages where body = 'G2'`);
    expect(await rawBodies(store)).toMatchObject({ status: 'findings', lost: 1 });
  });
});

async function rawBodies(store: Store): Promise<CheckResult> {
  return checked(store, 'raw_bodies');
}

async function rawLog(store: Store): Promise<CheckResult> {
  return checked(store, 'raw_log');
}

async function checked(store: Store, name: 'raw_log' | 'raw_bodies'): Promise<CheckResult> {
  const { checks } = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
  const found = checks.find(({ check }) => check === name);
  if (found === undefined) throw new Error(`${name} did not run`);
  return found;
}

function countMessages(store: Store): Promise<unknown> {
  return value(store, 'select count(*)::int from messages');
}
