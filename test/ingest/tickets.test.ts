import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/store/store.js';
import { addConnection } from '../support/connections.js';
import { describeOnBackends } from '../support/databases.js';
import { normalizedDatabase } from '../support/normalized.js';
import { expectOneDatabase } from '../support/orders.js';
import { replayBodies } from '../support/replaying.js';
import { leads, select, tickets, transcript, value } from '../support/shown.js';
import {
  addressBook,
  ANA,
  BUSINESS,
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
  T0,
  wamid,
  webEvent,
  webhook,
  webHistory,
  webLive,
  webMessage,
} from '../support/webhooks.js';

const DAY = 86_400;
const add = addressBook('add', { phone_number: ANA, full_name: 'Ana' }, -2 * DAY);

/** Closes every ticket, as a person or another program would. */
async function closeTickets(store: Store, at: number): Promise<void> {
  await store.sql.execute(`update tickets set status = 'closed', closed_at = to_timestamp(${T0 + at})`);
}

describeOnBackends('when a ticket opens, and what it says', (backend) => {
  describe('T1', () => {
    backend.once('T1: a live inbound message opens a ticket, the next ones refresh it', async () => {
      const store = await expectOneDatabase(backend, [live('A1', 0), live('A2', 60), live('A3', 120)]);
      expect(await tickets(store)).toEqual([
        { status: 'open', origin: 'new_contact', opened: 0, window: 120 },
      ]);
      expect(
        await select(store, 'select source, stage, opened_by_external_id as opener from tickets'),
      ).toEqual([{ source: 'incoming_message', stage: 'new', opener: wamid('A1') }]);
    });

    backend.once('T1: the run counts what it opened and what it refreshed', async () => {
      const store = await backend.open();
      expect((await replayBodies(store, [live('A1', 0)])).tickets).toEqual({ opened: 1, refreshed: 0 });
      expect((await replayBodies(store, [live('A2', 60)])).tickets).toEqual({ opened: 0, refreshed: 1 });
      expect((await replayBodies(store, [live('A2', 60)])).tickets).toEqual({ opened: 0, refreshed: 0 });
    });

    backend.once(
      'T1: a live message of WhatsApp Web opens one too, what came while nobody listened does not',
      async () => {
        const prepare = (store: Store): Promise<void> => addConnection(store);
        const store = await expectOneDatabase(backend, [webLive('W1', 0)], { prepare });
        expect(await tickets(store)).toHaveLength(1);

        const appended = webEvent('messages.upsert', { messages: [webMessage('W2', 0)], type: 'append' });
        const quiet = await expectOneDatabase(backend, [appended, webHistory([webMessage('W3', 5)])], {
          prepare,
        });
        expect(await transcript(quiet)).toEqual(['> W2', '> W3']);
        expect(await tickets(quiet)).toEqual([]);
      },
    );

    it.each([
      ['history', history([old('A1', 0)])],
      ['an echo', echo('B1', 0)],
      ['the address book', add],
      ['a status', status('B1', 'read', 0)],
      ['an edit', edit('A1', 'X1', 0, { type: 'text', text: { body: 'nova' } })],
      ['a revoke', revoke('A1', 0)],
      ['a reaction', reaction('B1', 0, '👍')],
      ['a system message', live('S1', 0, { type: 'system', text: undefined, system: { body: 'mudou' } })],
      ['standby', webhook('standby', { standby: { messages: [item('A1', 0)] } })],
      ['media of the history', webhook('history', { messages: [item('A1', 0)] })],
      ['an account event', webhook('account_update', { event: 'PARTNER_REMOVED' })],
      [
        'preferences',
        webhook('user_preferences', { user_preferences: [{ wa_id: ANA, value: 'stop', timestamp: T0 }] }),
      ],
      [
        'a call',
        webhook('calls', { calls: [{ id: 'c1', from: ANA, event: 'connect', timestamp: String(T0) }] }),
      ],
      ['what the business wrote', live('B1', 0, { from: BUSINESS, to: ANA })],
      ['a group', live('G1', 0, { group_id: 'g1' })],
    ])('T1: %s opens none', async (_what, body) => {
      const store = await backend.open();
      await replayBodies(store, [body]);
      expect(await tickets(store)).toEqual([]);
    });

    it.each([
      ['history', history([old('A9', 600)])],
      ['an echo', echo('B1', 600)],
      ['a reaction', reaction('A1', 600, '👍')],
      ['an edit', edit('A1', 'X1', 600, { type: 'text', text: { body: 'nova' } })],
    ])('T1: %s refreshes none', async (_what, body) => {
      const store = await expectOneDatabase(backend, [live('A1', 0), body]);
      expect(await tickets(store)).toMatchObject([{ opened: 0, window: 0 }]);
    });

    backend.once('T1: a message that came on standby and then live opens one', async () => {
      const standby = webhook('standby', { standby: { messages: [item('A1', 0)] } });
      const store = await expectOneDatabase(backend, [standby, live('A1', 0)]);
      expect(await tickets(store)).toHaveLength(1);
      expect(await transcript(store)).toEqual(['> A1']);
    });

    backend.once('T1: every connection has its own ticket', async () => {
      const store = await expectOneDatabase(backend, [live('A1', 0), live('A2', 60, {}, SECOND)]);
      expect(await tickets(store)).toMatchObject([
        { status: 'open', origin: 'new_contact', opened: 0 },
        { status: 'open', origin: 'existing', opened: 60 },
      ]);
    });
  });

  describe('T2', () => {
    it('T2: a live message opens its ticket though history brought it first', async () => {
      const store = await backend.open();
      await replayBodies(store, [history([old('A1', 0)])]);
      expect(await tickets(store)).toEqual([]);
      const result = await replayBodies(store, [live('A1', 0)]);
      expect(result.messages).toMatchObject({ created: 0, updated: 1 });
      expect(result.tickets).toMatchObject({ opened: 1 });
      expect(await select(store, 'select source from messages')).toEqual([{ source: 'live' }]);
    });

    backend.once('T2: the order of the two copies does not matter', async () => {
      const store = await expectOneDatabase(backend, [history([old('A1', 0)]), live('A1', 0)]);
      expect(await tickets(store)).toEqual([{ status: 'open', origin: 'new_contact', opened: 0, window: 0 }]);
    });
  });

  describe('T3', () => {
    backend.once('T3: the window of a lead of the history stays empty', async () => {
      const store = await expectOneDatabase(backend, [history([old('A0', -DAY)]), live('A1', 0)]);
      expect(await leads(store)).toMatchObject([{ source: 'history_sync' }]);
      expect(await tickets(store)).toEqual([
        { status: 'open', origin: 'history_lead', opened: 0, window: null },
      ]);
    });

    backend.once(
      'T3: the window ends 24 h after the newest live message, not the newest to arrive',
      async () => {
        const store = await expectOneDatabase(backend, [live('A2', 500), live('A1', 0)]);
        expect(await tickets(store)).toMatchObject([{ opened: 0, window: 500 }]);
      },
    );

    it('T3: it follows the lead: history that comes after the live message empties it', async () => {
      const store = await backend.open();
      await replayBodies(store, [live('A1', 0)]);
      expect(await tickets(store)).toMatchObject([{ origin: 'new_contact', window: 0 }]);
      await replayBodies(store, [history([old('A0', -DAY)])]);
      expect(await tickets(store)).toMatchObject([{ origin: 'history_lead', window: null }]);
    });
  });

  describe('T4', () => {
    backend.once('T4: a lead of the address book is existing', async () => {
      const store = await expectOneDatabase(backend, [add, live('A1', 0)]);
      expect(await tickets(store)).toEqual([{ status: 'open', origin: 'existing', opened: 0, window: 0 }]);
    });

    backend.once(
      'T4: a lead that the address book announced and history filled is a history lead',
      async () => {
        const store = await expectOneDatabase(backend, [add, history([old('A0', -3 * DAY)]), live('A1', 0)]);
        expect(await tickets(store)).toMatchObject([{ origin: 'history_lead', window: null }]);
      },
    );

    it('T4: who had a ticket before is existing', async () => {
      const store = await backend.open();
      await replayBodies(store, [live('A1', 0)]);
      await closeTickets(store, 100);
      await replayBodies(store, [live('A2', 200)]);
      expect(await tickets(store)).toEqual([
        { status: 'closed', origin: 'new_contact', opened: 0, window: 0 },
        { status: 'open', origin: 'existing', opened: 200, window: 200 },
      ]);
    });

    it('T4: a closed ticket keeps what it said when history makes its lead a history lead', async () => {
      const store = await backend.open();
      await replayBodies(store, [live('A1', 0)]);
      await closeTickets(store, 100);
      await replayBodies(store, [history([old('A0', -DAY)])]);
      expect(await tickets(store)).toEqual([
        { status: 'closed', origin: 'new_contact', opened: 0, window: 0 },
      ]);
    });
  });

  describe('T5', () => {
    it('T5: a replay opens nothing that was closed after its messages', async () => {
      const store = await backend.open();
      const log = [live('A1', 0), live('A2', 60), history([old('A0', -DAY)])];
      await replayBodies(store, log);
      await closeTickets(store, 100);
      const before = await normalizedDatabase(store);
      await replayBodies(store, log);
      await replayBodies(store, [...log].reverse(), { batchSize: 1 });
      expect(await normalizedDatabase(store)).toEqual(before);
    });

    backend.once(
      'T5: a late message from before the closing opens nothing, one from after it does',
      async () => {
        const store = await backend.open();
        await replayBodies(store, [live('A1', 0)]);
        await closeTickets(store, 100);
        expect((await replayBodies(store, [live('A2', 90)])).tickets).toEqual({ opened: 0, refreshed: 0 });
        expect((await replayBodies(store, [live('A3', 110)])).tickets).toEqual({ opened: 1, refreshed: 0 });
        expect(await transcript(store)).toEqual(['> A1', '> A2', '> A3']);
      },
    );

    backend.once('T5: --tickets none opens none, and the messages come in all the same', async () => {
      const store = await expectOneDatabase(backend, [live('A1', 0), live('A2', 60)], { tickets: 'none' });
      expect(await tickets(store)).toEqual([]);
      expect(await transcript(store)).toEqual(['> A1', '> A2']);
    });

    backend.once('T5: what --tickets none left out, the same log opens later', async () => {
      const store = await backend.open();
      await replayBodies(store, [live('A1', 0)], { tickets: 'none' });
      await replayBodies(store, [live('A1', 0)]);
      expect(await tickets(store)).toHaveLength(1);
    });

    backend.once('T5: a ticket that a person opened is refreshed and keeps its beginning', async () => {
      const store = await backend.open();
      await replayBodies(store, [history([old('A0', -DAY)])]);
      await store.sql.execute(
        `insert into tickets (id, conversation_id, lead_id, source, originated_from, opened_at)
         select gen_random_uuid(), id, lead_id, 'manual', 'existing', to_timestamp(${T0 + 50}) from conversations`,
      );
      await replayBodies(store, [live('A1', 0)]);
      expect(await select(store, 'select source, originated_from as origin from tickets')).toEqual([
        { source: 'manual', origin: 'existing' },
      ]);
      expect(await value(store, `select extract(epoch from opened_at)::int from tickets`)).toBe(T0 + 50);
    });
  });
});
