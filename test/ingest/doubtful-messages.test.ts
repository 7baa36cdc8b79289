import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/store/store.js';
import { describeOnBackends } from '../support/databases.js';
import { expectOneDatabase } from '../support/orders.js';
import { replayBodies } from '../support/replaying.js';
import { offset, select, tickets, transcript, value } from '../support/shown.js';
import {
  ANA,
  ANA_BSUID,
  BRU,
  history,
  item,
  live,
  old,
  seconds,
  status,
  T0,
  wamid,
  webhook,
} from '../support/webhooks.js';

/** What a message has to show for itself. */
function shown(store: Store): Promise<Record<string, unknown>[]> {
  return select(
    store,
    `select direction, type, body, media->>'id' as media, source, status, ${offset('timestamp')} as at
     from messages order by timestamp, external_id`,
  );
}

describeOnBackends('what becomes of a message that is not plain', (backend) => {
  describe('M6', () => {
    const group = live('G1', 0, { group_id: 'Z3J1cG8=' });

    it('M6: a group message is skipped, counted, and enters no conversation', async () => {
      const store = await backend.open();
      const result = await replayBodies(store, [group, live('A1', 0)]);
      expect(result.messages).toMatchObject({ seen: 2, created: 1, skipped: { group: 1 } });
      expect(await transcript(store)).toEqual(['> A1']);
    });

    backend.once('M6: with --include group it comes in, in a conversation of its own', async () => {
      const store = await expectOneDatabase(backend, [group, live('A1', 0)], {
        include: new Set(['group'] as const),
      });
      expect(await transcript(store)).toEqual(['> A1', '> G1']);
      expect(await value(store, 'select count(*)::int from conversations')).toBe(2);
      expect(await value(store, 'select count(*)::int from leads where phone_number is not null')).toBe(1);
    });

    it('M6: a group message that was skipped comes in when the log is replayed with --include', async () => {
      const store = await backend.open();
      await replayBodies(store, [group]);
      const result = await replayBodies(store, [group], { include: new Set(['group'] as const) });
      expect(result.messages).toMatchObject({ created: 1, skipped: {} });
      expect(await transcript(store)).toEqual(['> G1']);
    });

    it('M6: statuses of groups are skipped and counted', async () => {
      const store = await backend.open();
      const result = await replayBodies(store, [status('G1', 'read', 0, { recipient_type: 'group' })]);
      expect(result.statuses).toMatchObject({ seen: 1, skipped: { group: 1 } });
      expect(await value(store, 'select count(*)::int from pending_facts')).toBe(0);
    });

    it('M6: system messages are skipped and counted', async () => {
      const store = await backend.open();
      const system = { type: 'system', text: undefined, system: { type: 'customer_identity_changed' } };
      const result = await replayBodies(store, [live('S1', 0, system)]);
      expect(result.messages).toMatchObject({ seen: 1, skipped: { system: 1 } });
      expect(await value(store, 'select count(*)::int from leads')).toBe(0);
    });
  });

  describe('M7', () => {
    it('M7: one bad item costs none of its neighbors', async () => {
      const store = await backend.open();
      const result = await replayBodies(store, [
        webhook('messages', {
          messages: [
            item('A1', 0),
            item('A2', 0, { id: undefined }),
            item('A3', 0, { from: undefined }),
            item('A4', 0, { timestamp: 'ontem' }),
            null,
            item('A5', 1),
          ],
        }),
      ]);
      expect(result.messages).toMatchObject({
        seen: 6,
        created: 2,
        rejected: { missing_id: 1, missing_counterpart: 1, bad_timestamp: 1, not_an_object: 1 },
      });
      expect(result.status).toBe('partial');
      expect(result.entries).toMatchObject({ partial: 1 });
      expect(await transcript(store)).toEqual(['> A1', '> A5']);
    });

    it('M7: every reject says where it stands and shows the item, once however often it is replayed', async () => {
      const store = await backend.open();
      const body = webhook('messages', { messages: [item('A1', 0, { id: undefined })] });
      for (let round = 0; round < 2; round++) {
        const result = await replayBodies(store, [body]);
        expect(result.problems).toMatchObject([
          { path: '$.entry[0].changes[0].value.messages[0]', reason: 'missing_id' },
        ]);
        expect(result.problems[0]?.excerpt).toContain(ANA);
      }
      expect(await value(store, 'select count(*)::int from rejects')).toBe(1);
    });

    backend.once(
      'M7: without a time of its own a message takes the time at which its entry came, and says so',
      async () => {
        const row = {
          received_at: new Date((T0 + 77) * 1000).toISOString(),
          payload: live('A1', 0, { timestamp: undefined }),
        };
        const store = await expectOneDatabase(backend, [row]);
        expect(await select(store, `select ${offset('timestamp')} as at, raw_meta from messages`)).toEqual([
          { at: 77, raw_meta: { timestampFrom: 'received_at' } },
        ]);
      },
    );
  });

  describe('M8', () => {
    it.each([
      ['seconds as text', seconds(5)],
      ['seconds as a number', T0 + 5],
      ['milliseconds as text', String((T0 + 5) * 1000)],
      ['milliseconds as a number', (T0 + 5) * 1000],
    ])('M8: a time in %s', async (_form, timestamp) => {
      const store = await backend.open();
      await replayBodies(store, [live('A1', 0, { timestamp })]);
      expect(await shown(store)).toMatchObject([{ at: 5 }]);
    });

    it.each([
      ['NUL', '\\u0000'],
      ['a lone surrogate', '\\ud83d'],
    ])('M8: %s becomes U+FFFD in the text and stays in the raw body', async (_what, escape) => {
      const store = await backend.open();
      const body = JSON.stringify(live('A1', 0, { text: { body: 'oi XX!' } })).replace('XX', escape);
      await replayBodies(store, [body, live('A2', 9)]);
      expect(await transcript(store)).toEqual(['> oi \uFFFD!', '> A2']);
      const raw = await value(
        store,
        `select convert_from(raw_body, 'UTF8') from webhook_log order by id limit 1`,
      );
      expect(raw).toBe(body);
    });
  });

  describe('M9', () => {
    backend.once(
      'M9: one id in two conversations is one message and one reject, and both origins are told',
      async () => {
        const store = await expectOneDatabase(backend, [
          live('A1', 0),
          live('A1', 0, { from: BRU, id: wamid('A1'), text: { body: 'impostor' } }),
        ]);
        expect(await transcript(store)).toEqual(['> A1']);
        expect(await select(store, 'select distinct reason from rejects')).toEqual([
          { reason: 'id_collision' },
        ]);
        expect(await tickets(store)).toHaveLength(1);
        expect(
          await value(store, 'select phone_number from messages m join leads l on l.id = m.lead_id'),
        ).toBe(`+${ANA}`);
      },
    );

    it('M9: the run says so and ends partial', async () => {
      const store = await backend.open();
      const result = await replayBodies(store, [
        live('A1', 0),
        live('A1', 0, { from: BRU, id: wamid('A1') }),
      ]);
      expect(result.status).toBe('partial');
      expect(result.messages).toMatchObject({ created: 1, rejected: { id_collision: 1 } });
      expect(result.problems).toMatchObject([{ reason: 'id_collision' }]);
    });

    backend.once(
      'M9: when the two leads turn out to be one, the same run settles the collision',
      async () => {
        const moved = webhook('messages', {
          messages: [
            item('S1', 50, {
              type: 'system',
              text: undefined,
              system: { type: 'user_changed_number', wa_id: BRU },
            }),
          ],
        });
        const store = await expectOneDatabase(backend, [
          live('A1', 0),
          live('A1', 0, { from: BRU, id: wamid('A1'), context: { id: wamid('A0') } }),
          moved,
        ]);
        expect(await transcript(store)).toEqual(['> A1']);
        expect(await value(store, 'select context_external_id from messages')).toBe(wamid('A0'));
        expect(await value(store, 'select count(*)::int from rejects')).toBe(0);
        expect(await value(store, `select count(*)::int from webhook_log where status <> 'processed'`)).toBe(
          0,
        );
      },
    );

    it('M9: a collision is settled when a later part of the same body tells that the two leads are one', async () => {
      const store = await backend.open();
      const body = webhook('messages', {
        messages: [
          item('A1', 0, { from: BRU, id: wamid('A1'), context: { id: wamid('A0') } }),
          item('S1', 50, {
            type: 'system',
            text: undefined,
            system: { type: 'user_changed_number', wa_id: BRU },
          }),
        ],
      });
      await replayBodies(store, [live('A1', 0), body], { batchSize: 1 });
      expect(await transcript(store)).toEqual(['> A1']);
      expect(await value(store, 'select context_external_id from messages')).toBe(wamid('A0'));
      expect(await value(store, 'select count(*)::int from rejects')).toBe(0);
      expect(await value(store, `select count(*)::int from webhook_log where status <> 'processed'`)).toBe(0);
    });

    backend.once('M9: a collision in the history is settled alike', async () => {
      const store = await expectOneDatabase(backend, [
        history([old('A1', 0)]),
        history([old('A1', 0, { from: BRU, id: wamid('A1') })], { order: 2 }, { id: BRU }),
      ]);
      expect(await transcript(store)).toEqual(['> A1']);
      expect(await value(store, 'select count(*)::int from leads')).toBe(2);
    });

    backend.once(
      'M9: somebody whose phone is learned later gets the id back that another conversation held',
      async () => {
        const store = await expectOneDatabase(backend, [
          history([old('A1', 0, { from: BRU, id: wamid('A1'), text: { body: 'stolen' } })], {}, { id: BRU }),
          live('A1', 0, { from: undefined, from_user_id: ANA_BSUID }),
          live('A2', 9, { from_user_id: ANA_BSUID }),
        ]);
        expect(await transcript(store)).toEqual(['> A1', '> A2']);
        expect(await value(store, 'select excerpt from rejects')).toContain(wamid('A1'));
      },
    );
  });
});
