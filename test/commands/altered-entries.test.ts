import { expect, it } from 'vitest';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { describeOnBackends, describeOnServer } from '../support/databases.js';
import { ask } from '../support/explaining.js';
import { night } from '../support/nights.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { BRU, live, status, wamid } from '../support/webhooks.js';

const LOG = [live('A1', 0), live('A2', 5), status('Z', 'delivered', 21)];

function verified(store: Store) {
  return verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
}

function entriesOf(store: Store) {
  return store.sql.query(
    `select id, encode(sha256, 'hex') as sha256, status, convert_from(raw_body, 'UTF8') as body from webhook_log order by id`,
  );
}

describeOnServer('a raw entry whose hash was changed', (backend) => {
  for (const which of [`fields = '{messages}'`, `counters ? 'status'`]) {
    it(`gets it back from its file, and no second entry: ${which}`, async () => {
      const store = await backend.open();
      await replayBodies(store, LOG);
      const before = await entriesOf(store);
      await store.sql.execute(
        `update webhook_log set sha256 = sha256('x') where id = (select min(id::text)::uuid from webhook_log where ${which})`,
      );
      expect(await verified(store)).toMatchObject({ severity: 'loss' });
      for (let times = 0; times < 2; times += 1) {
        await replayBodies(store, LOG, { batchSize: 1 });
        expect(await entriesOf(store)).toEqual(before);
        expect(await verified(store)).toMatchObject({ severity: null });
      }
    });
  }
});

describeOnServer('a raw entry with other bytes in its place, and their hash', (backend) => {
  for (const bytes of ['{}', 'another message']) {
    it(`is had again from its file, and its message is linked to it: ${bytes}`, async () => {
      const store = await backend.open();
      await replayBodies(store, LOG);
      const before = await entriesOf(store);
      const body = bytes === '{}' ? bytes : JSON.stringify(live('other', 60, { from: BRU }));
      await store.sql.execute(
        `update webhook_log set raw_body = convert_to($1, 'UTF8'), sha256 = sha256(convert_to($1, 'UTF8'))
         where id = (select batch_id from messages where body = 'A1')`,
        [body],
      );
      const { severity, checks } = await verified(store);
      expect(severity).toBe('loss');
      const rawLog = checks.find(({ check }) => check === 'raw_log');
      expect(rawLog?.remedy).toMatchObject({ command: 'replay', args: ['FILE'] });
      expect(rawLog?.summary).toContain('1 entry does not match its hash');
      const explained = await ask(store, wamid('A1'));
      expect(explained).toMatchObject({ remedies: [{ do: 'replay_file', command: 'replay' }] });
      for (let times = 0; times < 2; times += 1) {
        await replayBodies(store, LOG);
        const [row] = await store.sql.query(
          `select position('A1' in convert_from(raw_body, 'UTF8')) > 0 as holds from messages m
           join webhook_log w on w.id = m.batch_id where body = 'A1'`,
        );
        expect(row).toEqual({ holds: true });
      }
      expect(await entriesOf(store)).toEqual(before);
      expect(await verified(store)).toMatchObject({ severity: null, findings: 0 });
    });
  }

  it('is no way out for a row that no file ever held', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await store.sql.execute(
      `insert into messages select (jsonb_populate_record(m, jsonb_build_object(
         'id', gen_random_uuid(), 'external_id', 'K', 'stanza_id', null, 'timestamp', m.timestamp))).*
       from messages m where body = 'A1'`,
    );
    const { checks } = await verified(store);
    expect(checks.find(({ check }) => check === 'raw_log')?.remedy).toMatchObject({
      command: 'verify',
      args: ['--enforce'],
      why: expect.stringContaining('no file can bring back') as string,
    });
  });
});

describeOnServer('a raw entry with forged bytes, and their hash', (backend) => {
  it('is never applied to the rows that name it, and its file restores it', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const before = await entriesOf(store);
    await store.sql.execute(
      `update webhook_log set raw_body = forged.body, sha256 = sha256(forged.body)
       from (select id, convert_to(replace(convert_from(raw_body, 'UTF8'), '"body":"A1"', '"body":"paid"'), 'UTF8') as body
             from webhook_log where id = (select batch_id from messages where body = 'A1')) forged
       where webhook_log.id = forged.id`,
    );
    expect(await entriesOf(store)).not.toEqual(before);
    const { checks } = await verified(store);
    expect(checks.find(({ check }) => check === 'raw_log')).toMatchObject({
      severity: 'loss',
      remedy: { command: 'replay', args: ['FILE'] },
    });
    expect((await night(store, { apply: true, full: true })).figures).toMatchObject({ lost: 1 });
    const bodies = await store.sql.query(`select body from messages order by body`);
    expect(bodies).toEqual([{ body: 'A1' }, { body: 'A2' }]);
    await replayBodies(store, LOG);
    expect(await entriesOf(store)).toEqual(before);
    expect(await verified(store)).toMatchObject({ severity: null });
  });
});

describeOnBackends('a raw entry whose id was changed', (backend) => {
  for (const [what, id] of [
    ['one that no entry has', 'gen_random_uuid()'],
    ['that of other bytes', `overlay(id::text placing '000000000000' from 25)::uuid`],
    ['that of an earlier version', `overlay(id::text placing '7' from 15)::uuid`],
  ] as const) {
    it(`is found by its bytes when its file comes again: ${what}`, async () => {
      const store = await backend.open();
      await replayBodies(store, LOG);
      await store.sql.execute(
        `update webhook_log set id = ${id} where id in (select batch_id from messages where body = 'A1'
         ${what.startsWith('that of an') ? '' : 'union select webhook_log_id from pending_facts'})`,
      );
      expect(await verified(store)).toMatchObject({ severity: 'loss' });
      await replayBodies(store, LOG);
      expect(await verified(store)).toMatchObject({ severity: null, findings: 0 });
      expect(await entriesOf(store)).toHaveLength(LOG.length);
    });
  }
});
