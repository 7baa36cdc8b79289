import { expect, it } from 'vitest';
import { explain } from '../../src/commands/explain/explain.js';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { addConnection } from '../support/connections.js';
import { describeOnBackends, describeOnServer } from '../support/databases.js';
import { night } from '../support/nights.js';
import { normalizedDatabase } from '../support/normalized.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { CAR, history, item, live, reaction, wamid, webLive } from '../support/webhooks.js';

/** The Cloud API and WhatsApp Web tell of one message, 2 s apart at most, and of two others each. */
const CLOUD = [live('3EB0K001', 0), live('3EB0K002', 30)];
const WEB = [webLive('3EB0K001', 1), webLive('3EB0K003', 60)];
const LOGS = {
  'the Cloud API’s copy first': [...CLOUD, ...WEB, reaction('3EB0K001', 70, '👍')],
  'WhatsApp Web’s copy first': [...WEB, ...CLOUD, reaction('3EB0K001', 70, '👍')],
};

const MENDS: Record<
  string,
  (store: Store, log: (typeof CLOUD)[number][], batchSize: number) => Promise<unknown>
> = {
  'reconcile --apply': (store, _, batchSize) => night(store, { apply: true, batchSize }),
  'reconcile --apply --full': (store, _, batchSize) => night(store, { apply: true, full: true, batchSize }),
  reconcile: (store, _, batchSize) => night(store, { batchSize }),
  'replay --all': (store, _, batchSize) => replayLog(store, { which: 'all' }, { batchSize }),
  'replay FILE': (store, log, batchSize) => replayBodies(store, log, { batchSize }),
};

const ROWS = 'select external_id, stanza_id, body, timestamp::text from messages order by external_id';

/** Every command that mends, entry by entry and all at once. */
const WAYS = Object.entries(MENDS).flatMap(([command, mend]) =>
  [1, 1000].map((batchSize) => ({ command, mend, batchSize })),
);

describeOnServer('M10: a message of both sides whose key id somebody changed in its row', (backend) => {
  for (const [order, log] of Object.entries(LOGS)) {
    it(`${order}: is one message different, and right after every command that mends`, async () => {
      const store = await backend.open();
      await addConnection(store);
      await replayBodies(store, log);
      await night(store, { apply: true });
      const before = await normalizedDatabase(store);
      const rows = await store.sql.query(ROWS);
      expect(rows).toHaveLength(3);
      const change = () =>
        store.sql.execute(`update messages set stanza_id = 'QQ' where external_id = $1`, [wamid('3EB0K001')]);
      await change();

      expect(await rawLog(store)).toMatchObject({ missing: 0, unaccounted: 1, restorable: 1 });
      for (const [subject, scan] of [
        [wamid('3EB0K001'), false],
        ['3EB0K001', true],
      ] as const) {
        const { findings } = await explain(testContext(store), {
          subject,
          scan,
          bodies: false,
          limit: 10,
        });
        expect(findings).toMatchObject([{ outcome: 'different' }]);
      }
      const dry = await night(store, { dryRun: true });
      expect(dry.figures).toMatchObject({ missing: 0, doubled: 0 });

      for (const { command, mend, batchSize } of WAYS) {
        const title = `${command} by ${batchSize}`;
        expect(await change(), title).toBe(1);
        await mend(store, log, batchSize);
        expect(await store.sql.query(ROWS), title).toEqual(rows);
        expect(await normalizedDatabase(store), title).toEqual(before);
        expect(await rawLog(store), title).toMatchObject({ status: 'ok' });
        const { figures } = await night(store, { apply: true });
        expect(figures, title).toMatchObject({ lost: 0, doubled: 0, merged: 0, created: 0, restored: 0 });
      }
    }, 120_000);
  }
});

/** Nothing tells that the LID is Car's: the copy with the wamid has the better claim to the id, and the other one is rejected. */
const CLAIMED = [
  webLive('3EB0K009', 1, {}, { remoteJid: '111000000000003@lid' }),
  history([item('3EB0K009', 1, { from: CAR })], {}, { id: CAR }),
  live('3EB0K001', 0),
];
const CLAIMED_WAMID = wamid('3EB0K009', CAR);

describeOnBackends(
  'M9: a message of two conversations whose key id somebody changed in its row',
  (backend) => {
    it('stays one row and one reject after every command that mends', async () => {
      const store = await backend.open();
      await addConnection(store);
      await replayBodies(store, CLAIMED);
      await night(store, { apply: true });
      const before = await normalizedDatabase(store);
      expect(await store.sql.query(`select reason from rejects`)).toEqual([{ reason: 'id_collision' }]);

      const ways = WAYS.flatMap((way) =>
        (way.batchSize === 1 ? [null, 'zzz'] : [null]).map((keyId) => ({ ...way, keyId })),
      );
      for (const { command, mend, batchSize, keyId } of backend.some(
        ways,
        (way) => way.command.split(' ')[0],
      )) {
        const title = `${command} by ${batchSize}, from ${keyId ?? 'null'}`;
        await store.sql.execute(`update messages set stanza_id = $1 where external_id = $2`, [
          keyId,
          CLAIMED_WAMID,
        ]);
        await mend(store, CLAIMED, batchSize);
        expect(await normalizedDatabase(store), title).toEqual(before);
        const { figures } = await night(store, { apply: true });
        expect(figures, title).toMatchObject({ doubled: 0, merged: 0, created: 0, restored: 0 });
      }
    }, 120_000);

    backend.once(
      'is a finding where both copies have a row, and reconcile --apply removes the one with the weaker claim',
      async () => {
        const store = await backend.open();
        await addConnection(store);
        await replayBodies(store, CLAIMED);
        const rows = await store.sql.query(ROWS);
        const rejects = await store.sql.query('select reason, path from rejects');
        await store.sql.execute(
          `insert into messages
       select (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid(), 'external_id', m.stanza_id,
         'conversation_id', v.id, 'lead_id', v.lead_id, 'batch_id', r.webhook_log_id))).*
       from messages m cross join rejects r
       join lead_identities i on i.kind = 'lid' join conversations v on v.lead_id = i.lead_id
       where m.external_id = $1`,
          [CLAIMED_WAMID],
        );
        await store.sql.execute('delete from rejects');
        expect(await store.sql.query(ROWS)).toHaveLength(3);

        expect(await rawLog(store)).toMatchObject({ missing: 0, unaccounted: 1 });
        const { findings } = await explain(testContext(store), {
          subject: '3EB0K009',
          scan: true,
          bodies: false,
          limit: 10,
        });
        expect(findings).toMatchObject([{ outcome: 'missing', reason: 'in_another_conversation' }]);

        await night(store, { apply: true, batchSize: 1 });
        expect(await store.sql.query(ROWS)).toEqual(rows);
        expect(await store.sql.query('select reason, path from rejects')).toEqual(rejects);
        expect(await rawLog(store)).toMatchObject({ status: 'ok' });
      },
    );
  },
);

async function rawLog(store: Store) {
  const { checks } = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
  return checks.find(({ check }) => check === 'raw_log');
}
