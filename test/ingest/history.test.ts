import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/store/store.js';
import { addConnection } from '../support/connections.js';
import { describeOnServer } from '../support/databases.js';
import { expectOneDatabase } from '../support/orders.js';
import { replayBodies, replayLog } from '../support/replaying.js';
import { leads, offset, select, transcript, value } from '../support/shown.js';
import {
  addressBook,
  ANA,
  FIRST,
  history,
  live,
  old,
  SECOND,
  T0,
  webEvent,
  webhook,
  webLive,
} from '../support/webhooks.js';

function connections(store: Store): Promise<Record<string, unknown>[]> {
  return select(store, 'select name, kind, phone_number_id as id from connections order by name');
}

function sync(store: Store): Promise<Record<string, unknown>[]> {
  return select(
    store,
    `select history_sync_status as status, history_sync_phase as phase, history_sync_chunk_order as chunk,
       history_sync_progress as progress from connections`,
  );
}

const declined = webhook('history', {
  history: [{ errors: [{ code: 2593109, title: 'History sync is turned off' }] }],
});

describeOnServer('connections and their history', (backend) => {
  describe('H1', () => {
    it('H1: an unknown number stays pending, says so, and is filed under nobody', async () => {
      const store = await backend.open();
      await addConnection(store, { phoneNumberId: FIRST.id });
      const result = await replayBodies(store, [live('A1', 0), live('A2', 5, {}, SECOND)], {
        register: false,
      });
      expect(result.status).toBe('partial');
      expect(result.entries).toMatchObject({ processed: 1, pending: 1 });
      expect(result.problems).toMatchObject([{ reason: 'unknown_connection', excerpt: SECOND.id }]);
      expect(result.messages).toMatchObject({ seen: 2, created: 1, skipped: { unknown_connection: 1 } });
      expect(await transcript(store)).toEqual(['> A1']);
    });

    it('H1: once the connection is there, a replay without a path files what waited for it', async () => {
      const store = await backend.open();
      await replayBodies(store, [live('A1', 0), live('A2', 5)], { register: false });
      expect(await transcript(store)).toEqual([]);
      const still = await replayLog(store, { which: 'pending' }, { register: false });
      expect(still.entries).toMatchObject({ read: 2, pending: 2 });

      await addConnection(store, { phoneNumberId: FIRST.id });
      const result = await replayLog(store, { which: 'pending' }, { register: false });
      expect(result.status).toBe('completed');
      expect(result.entries).toMatchObject({ read: 2, processed: 2, duplicate: 2, stored: 0 });
      expect(await transcript(store)).toEqual(['> A1', '> A2']);

      const nothing = await replayLog(store, { which: 'pending' }, { register: false });
      expect(nothing.entries).toMatchObject({ read: 0 });
    });

    it('H1: with --register a connection is made from the entry, once', async () => {
      const store = await expectOneDatabase(backend, [
        live('A1', 0),
        live('A2', 5),
        live('A3', 9, {}, SECOND),
      ]);
      expect(await connections(store)).toEqual([
        { name: '+5511900000000', kind: 'cloud_api', id: FIRST.id },
        { name: '+5511900000099', kind: 'cloud_api', id: SECOND.id },
      ]);
    });

    it('H1: the result names what was registered', async () => {
      const store = await backend.open();
      const result = await replayBodies(store, [live('A1', 0)]);
      expect(result.connections).toMatchObject([{ name: '+5511900000000', registered: true }]);
      const again = await replayBodies(store, [live('A2', 5)]);
      expect(again.connections).toMatchObject([{ name: '+5511900000000', registered: false }]);
    });

    it('H1: what only a coexistence number sends makes it one', async () => {
      const store = await expectOneDatabase(backend, [live('A1', 0), history([old('A0', -60)])]);
      expect(await connections(store)).toMatchObject([{ kind: 'coexistence' }]);
    });

    it('H1: a connection entered by its number alone is found by it, and learns its id', async () => {
      const store = await expectOneDatabase(backend, [live('A1', 0), live('A2', 5)], {
        register: false,
        prepare: (fresh) => addConnection(fresh),
      });
      expect(await connections(store)).toEqual([{ name: 'loja', kind: 'coexistence', id: FIRST.id }]);
      expect(await transcript(store)).toEqual(['> A1', '> A2']);
    });

    it('H1: a number whose connection has another id is another connection', async () => {
      const store = await backend.open();
      await addConnection(store, { phoneNumberId: '800000000000777' });
      const result = await replayBodies(store, [live('A1', 0)], { register: false });
      expect(result.entries).toMatchObject({ pending: 1 });
    });

    it('H1: --connection leaves entries of other connections pending', async () => {
      const store = await backend.open();
      await addConnection(store, { phoneNumberId: FIRST.id });
      await addConnection(store, { name: 'filial', number: '+5511900000099', phoneNumberId: SECOND.id });
      const result = await replayBodies(store, [live('A1', 0), live('A2', 5, {}, SECOND)], {
        connection: 'loja',
      });
      expect(result.entries).toMatchObject({ processed: 1, pending: 1 });
      expect(result.problems).toMatchObject([{ reason: 'other_connection' }]);
      expect(await transcript(store)).toEqual(['> A1']);
      await replayLog(store, { which: 'pending' });
      expect(await transcript(store)).toEqual(['> A1', '> A2']);
    });

    it('H1: --connection with a name that nobody has is an error before anything is read', async () => {
      const store = await backend.open();
      await expect(replayBodies(store, [live('A1', 0)], { connection: 'nada' })).rejects.toThrow(/nada/);
      expect(await value(store, 'select count(*)::int from webhook_log')).toBe(0);
    });

    it('H1: an event of WhatsApp Web that names no session waits for --connection', async () => {
      const store = await backend.open();
      await addConnection(store);
      const { data: bare } = webLive('W1', 0);
      const waiting = await replayBodies(store, [bare]);
      expect(waiting.entries).toMatchObject({ pending: 1 });
      const filed = await replayLog(store, { which: 'pending' }, { connection: 'loja' });
      expect(filed.entries).toMatchObject({ processed: 1 });
      expect(await transcript(store)).toEqual(['> W1']);
    });

    it('H1: a session that nobody knows is registered by its name', async () => {
      const store = await expectOneDatabase(backend, [
        webEvent(
          'messages.upsert',
          {
            messages: [
              {
                key: { remoteJid: `${ANA}@s.whatsapp.net`, fromMe: false, id: 'W1' },
                message: { conversation: 'oi' },
                messageTimestamp: T0,
              },
            ],
            type: 'notify',
          },
          'balcao',
        ),
      ]);
      expect(await connections(store)).toEqual([{ name: 'balcao', kind: 'baileys', id: null }]);
    });
  });

  describe('H2', () => {
    const chunk = (phase: number, order: number, progress: number): unknown =>
      history([old(`A${phase}${order}`, -1000 * phase - order)], { phase, order, progress });

    it('H2: the address book announces the history', async () => {
      const store = await expectOneDatabase(backend, [addressBook('add', { phone_number: ANA }, 0)]);
      expect(await sync(store)).toMatchObject([{ status: 'pending_history', progress: null }]);
    });

    it('H2: a chunk makes it syncing, with the furthest phase, chunk and progress', async () => {
      const store = await expectOneDatabase(backend, [chunk(1, 2, 80), chunk(0, 1, 55), chunk(1, 1, 70)]);
      expect(await sync(store)).toEqual([{ status: 'syncing', phase: 1, chunk: 2, progress: 80 }]);
    });

    it('H2: progress 100 completes it, and nothing takes that back', async () => {
      const store = await expectOneDatabase(backend, [
        chunk(2, 1, 100),
        chunk(0, 1, 10),
        addressBook('add', { phone_number: ANA }, 0),
      ]);
      expect(await sync(store)).toEqual([{ status: 'completed', phase: 2, chunk: 1, progress: 100 }]);
    });

    it('H2: missing chunks are reported by phase, and no more once they come', async () => {
      const store = await backend.open();
      const gap = await replayBodies(store, [chunk(0, 1, 10), chunk(0, 4, 40), chunk(1, 1, 60)]);
      expect(gap.connections[0]?.historySync).toMatchObject({ missingChunks: ['0/2', '0/3'] });
      const closed = await replayBodies(store, [chunk(0, 3, 30), chunk(0, 2, 20)]);
      expect(closed.connections[0]?.historySync).toMatchObject({ missingChunks: [] });
    });

    it('H2: a phase without history sends nothing, and is no gap', async () => {
      const store = await backend.open();
      const result = await replayBodies(store, [chunk(0, 1, 40), chunk(2, 1, 100)]);
      expect(result.connections[0]?.historySync).toMatchObject({ status: 'completed', missingChunks: [] });
    });

    it('H2: counters may be text', async () => {
      const store = await expectOneDatabase(backend, [
        history([old('A1', 0)], { phase: '1', order: '2', progress: '100' }),
      ]);
      expect(await sync(store)).toEqual([{ status: 'completed', phase: 1, chunk: 2, progress: 100 }]);
    });

    it('H2: counters may stand in value.metadata', async () => {
      const body = webhook('history', {
        metadata: {
          display_phone_number: FIRST.number,
          phone_number_id: FIRST.id,
          phase: '0',
          chunk_order: 3,
          progress: '30',
        },
        history: [{ threads: [{ id: ANA, messages: [old('A1', 0)] }] }],
      });
      const store = await expectOneDatabase(backend, [body]);
      expect(await sync(store)).toEqual([{ status: 'syncing', phase: 0, chunk: 3, progress: 30 }]);
    });

    it('H2: a chunk that comes again is one row of the ledger, with what it held', async () => {
      const twice = history([old('A1', 0), old('A2', 5)], { phase: 0, order: 1, progress: 20 });
      const store = await expectOneDatabase(backend, [
        { received_at: new Date((T0 + 900) * 1000).toISOString(), payload: twice },
        { received_at: new Date((T0 + 800) * 1000).toISOString(), payload: twice },
      ]);
      expect(
        await select(
          store,
          `select phase, chunk_order as chunk, progress, messages, ${offset('received_at')} as at from history_chunks`,
        ),
      ).toEqual([{ phase: 0, chunk: 1, progress: 20, messages: 2, at: 800 }]);
    });

    it('H2: a business that declines is declined, with the reason', async () => {
      const store = await expectOneDatabase(backend, [
        declined,
        addressBook('add', { phone_number: ANA }, 0),
      ]);
      expect(
        await select(
          store,
          'select history_sync_status as status, history_sync_error as error from connections',
        ),
      ).toEqual([{ status: 'declined', error: '2593109 History sync is turned off' }]);
    });

    it('H2: another error is a failure, and the history may still come', async () => {
      const failed = webhook('history', {
        history: [{ errors: [{ code: 2593107, title: 'limit exceeded' }] }],
      });
      const store = await expectOneDatabase(backend, [failed]);
      expect(await sync(store)).toMatchObject([{ status: 'failed' }]);
      const later = await expectOneDatabase(backend, [failed, chunk(0, 1, 100)]);
      expect(await sync(later)).toMatchObject([{ status: 'completed' }]);
    });
  });

  describe('H3', () => {
    it('H3: account, template and quality events are counted and make no rows', async () => {
      const store = await backend.open();
      const result = await replayBodies(store, [
        webhook('account_update', { event: 'PARTNER_REMOVED', phone_number: FIRST.number }),
        webhook('account_update', { event: 'ACCOUNT_OFFBOARDED' }),
        webhook('message_template_status_update', { event: 'APPROVED', message_template_id: 12 }),
        webhook('phone_number_quality_update', { event: 'FLAGGED', current_limit: 'TIER_1K' }),
        webhook('business_capability_update', { max_daily_conversation_per_phone: 1000 }),
      ]);
      expect(result.status).toBe('completed');
      expect(result.events).toEqual({
        'account_update.PARTNER_REMOVED': 1,
        'account_update.ACCOUNT_OFFBOARDED': 1,
        'message_template_status_update.APPROVED': 1,
        'phone_number_quality_update.FLAGGED': 1,
        business_capability_update: 1,
      });
      expect(result.entries).toMatchObject({ read: 5, ignored: 5 });
      expect(await leads(store)).toEqual([]);
      expect(await value(store, 'select count(*)::int from webhook_log')).toBe(5);
    });

    it('H3: an event beside a message in one webhook costs the message nothing', async () => {
      const store = await backend.open();
      const body = {
        object: 'whatsapp_business_account',
        entry: [
          { id: '1', changes: [{ field: 'account_update', value: { event: 'ACCOUNT_RECONNECTED' } }] },
          ...(Array.isArray(live('A1', 0)['entry']) ? [live('A1', 0)['entry']].flat() : []),
        ],
      };
      const result = await replayBodies(store, [body]);
      expect(result.events).toEqual({ 'account_update.ACCOUNT_RECONNECTED': 1 });
      expect(result.entries).toMatchObject({ processed: 1 });
      expect(await transcript(store)).toEqual(['> A1']);
    });
  });
});
