import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/store/store.js';
import { addConnection } from '../support/connections.js';
import { describeOnBackends } from '../support/databases.js';
import { expectOneDatabase } from '../support/orders.js';
import { replayBodies } from '../support/replaying.js';
import { leads, offset, select, tickets, transcript, value } from '../support/shown.js';
import {
  addressBook,
  ANA,
  ANA_LID,
  BRU,
  echo,
  history,
  live,
  liveFrom,
  old,
  reaction,
  seconds,
  T0,
  wamid,
  webEvent,
  webhook,
  webLive,
} from '../support/webhooks.js';

const mapping = webEvent('lid-mapping.update', { lid: ANA_LID, pn: `${ANA}@s.whatsapp.net` });
const viaLid = { remoteJid: ANA_LID };

describeOnBackends('names and where leads come from', (backend) => {
  describe('I5', () => {
    const ana = { phone_number: ANA, full_name: 'Ana Souza' };
    const state = (store: Store): Promise<Record<string, unknown>[]> =>
      select(
        store,
        `select push_name as name, is_active as active, ${offset('deleted_at')} as deleted from leads`,
      );

    it('I5: an added contact is a lead without a conversation', async () => {
      const store = await expectOneDatabase(backend, [addressBook('add', ana, 0)]);
      expect(await leads(store)).toEqual([{ phone: `+${ANA}`, name: 'Ana Souza', source: 'state_sync' }]);
      expect(await value(store, 'select count(*)::int from conversations')).toBe(0);
    });

    backend.once('I5: a removal hides the lead and deletes nothing, also when it comes first', async () => {
      const store = await expectOneDatabase(backend, [
        addressBook('add', ana, 0),
        addressBook('remove', { phone_number: ANA }, 100),
        live('A1', 50),
      ]);
      expect(await state(store)).toEqual([{ name: 'Ana Souza', active: false, deleted: 100 }]);
      expect(await transcript(store)).toEqual(['> A1']);
    });

    backend.once('I5: a removal of somebody unknown makes no lead', async () => {
      const store = await expectOneDatabase(backend, [addressBook('remove', { phone_number: ANA }, 100)]);
      expect(await leads(store)).toEqual([]);
    });

    backend.once(
      'I5: a contact that was removed and added again is there, with its newest name',
      async () => {
        const store = await expectOneDatabase(backend, [
          addressBook('add', ana, 0),
          addressBook('remove', { phone_number: ANA }, 100),
          addressBook('add', { ...ana, full_name: 'Ana S.' }, 200),
        ]);
        expect(await state(store)).toEqual([{ name: 'Ana S.', active: true, deleted: null }]);
      },
    );

    backend.once('I5: times in milliseconds and in seconds are compared as times', async () => {
      const store = await expectOneDatabase(backend, [
        addressBook('add', { ...ana, full_name: 'Nova' }, String((T0 + 10) * 1000)),
        addressBook('add', { ...ana, full_name: 'Velha' }, 5),
      ]);
      expect(await state(store)).toMatchObject([{ name: 'Nova' }]);
    });

    backend.once('I5: a profile name never takes the place of the name in the address book', async () => {
      const store = await expectOneDatabase(backend, [
        addressBook('add', ana, 0),
        liveFrom('aninha ✨', 'A1', 500),
      ]);
      expect(await state(store)).toMatchObject([{ name: 'Ana Souza' }]);
    });

    backend.once('I5: of profile names the newest counts', async () => {
      const store = await expectOneDatabase(backend, [
        liveFrom('Ana', 'A1', 0),
        liveFrom('Ana Maria', 'A2', 60),
        liveFrom('Ana M', 'A3', 30),
      ]);
      expect(await state(store)).toMatchObject([{ name: 'Ana Maria' }]);
    });

    backend.once('I5: a push name alone makes nobody a lead, and names who becomes one later', async () => {
      const pushName = webEvent('contacts.update', [{ id: `${ANA}@s.whatsapp.net`, notify: 'Aninha' }]);
      const alone = await backend.open();
      await addConnection(alone);
      await replayBodies(alone, [pushName]);
      expect(await leads(alone)).toEqual([]);

      const store = await expectOneDatabase(backend, [pushName, webLive('W1', 0)], {
        prepare: (fresh) => addConnection(fresh),
      });
      expect(await leads(store)).toMatchObject([{ phone: `+${ANA}`, name: 'Aninha' }]);
    });

    backend.once('I5: junk in an address book is counted and costs nobody else', async () => {
      const store = await backend.open();
      const body = webhook('smb_app_state_sync', {
        state_sync: [
          null,
          { type: 'contact', contact: { full_name: 'Operadora', phone_number: '*144' }, action: 'add' },
          { type: 'contact', contact: ana, action: 'add', metadata: { timestamp: seconds(0) } },
        ],
      });
      const result = await replayBodies(store, [body]);
      expect(result.contacts).toEqual({ seen: 3, skipped: { not_a_contact: 2 }, rejected: {} });
      expect(await leads(store)).toHaveLength(1);
    });
  });

  describe('I6', () => {
    const add = (at: number): unknown => addressBook('add', { phone_number: ANA, full_name: 'Ana' }, at);

    it.each([
      ['the address book was first', add(-10), 'state_sync'],
      ['in the same second a message counts', add(0), 'live_message'],
      ['the message was first', add(10), 'live_message'],
    ])('I6: a live message and an address book entry: %s', async (_title, entry, source) => {
      const store = await expectOneDatabase(backend, [entry, live('A1', 0)]);
      expect(await leads(store)).toMatchObject([{ source }]);
    });

    backend.once(
      'I6: a contact that the address book announced and history then filled is a history lead',
      async () => {
        const store = await expectOneDatabase(backend, [add(0), history([old('A1', -500)])]);
        expect(await leads(store)).toMatchObject([{ source: 'history_sync' }]);
      },
    );

    backend.once('I6: history in the same second as an address book entry comes first', async () => {
      const store = await expectOneDatabase(backend, [add(0), history([old('A1', 0)])]);
      expect(await leads(store)).toMatchObject([{ source: 'history_sync' }]);
    });

    backend.once('I6: a live and a history message of one second make a live lead', async () => {
      const store = await expectOneDatabase(backend, [live('A1', 0), history([old('A2', 0)])]);
      expect(await leads(store)).toMatchObject([{ source: 'live_message' }]);
    });

    backend.once('I6: one message that came live and as history counts as live', async () => {
      const store = await expectOneDatabase(backend, [live('A1', 0), history([old('A1', 0)])]);
      expect(await leads(store)).toMatchObject([{ source: 'live_message' }]);
    });

    backend.once('I6: an echo makes a live lead', async () => {
      const store = await expectOneDatabase(backend, [echo('B1', 0), history([old('A2', 5)])]);
      expect(await leads(store)).toMatchObject([{ source: 'live_message' }]);
      expect(await tickets(store)).toEqual([]);
    });

    it('I6: a live reaction makes a lead, one inside the history does not', async () => {
      const liveStore = await backend.open();
      await replayBodies(liveStore, [reaction('B9', 0, '👍')]);
      expect(await leads(liveStore)).toMatchObject([{ phone: `+${ANA}`, source: 'live_message' }]);

      const historyStore = await backend.open();
      const quiet = old('E1', 0, {
        type: 'reaction',
        text: undefined,
        reaction: { message_id: wamid('B9'), emoji: '👍' },
      });
      await replayBodies(historyStore, [history([quiet])]);
      expect(await leads(historyStore)).toEqual([]);
    });

    backend.once(
      'I6: what people entered stays direct_creation, keeps its name, and is found by its phone',
      async () => {
        const prepare = async (store: Store): Promise<void> => {
          await store.sql.execute(
            `insert into leads (id, organization_id, phone_number, push_name, source, first_seen_at)
           select '01900000-0000-7000-8000-000000000001', id, '+${ANA}', 'Dona Ana', 'direct_creation', to_timestamp(${T0 + 900})
           from organizations where slug = 'default'`,
          );
        };
        const store = await expectOneDatabase(
          backend,
          [liveFrom('aninha', 'A1', 0), history([old('A2', -500)]), live('B1', 10, { from: BRU })],
          { prepare },
        );
        expect(await leads(store)).toEqual([
          { phone: `+${ANA}`, name: 'Dona Ana', source: 'direct_creation' },
          { phone: `+${BRU}`, name: null, source: 'live_message' },
        ]);
        expect(await tickets(store)).toMatchObject([{ origin: 'existing' }, { origin: 'new_contact' }]);
        expect(await transcript(store)).toEqual(['> A2', '> A1', '> B1']);
      },
    );

    it('I5: a lead that lost its names keeps a profile name as one, so the next replaces it', async () => {
      const log = [liveFrom('Old', 'A1', 0), liveFrom('Old', 'A2', 9)];
      const names = (store: Store): Promise<Record<string, unknown>[]> =>
        select(
          store,
          `select kind, value, book_name, profile_name, ${offset('profile_name_at')} as at
           from lead_identities order by kind, value`,
        );
      const healthy = await backend.open();
      await replayBodies(healthy, log);
      const store = await backend.open();
      await replayBodies(store, log);
      await store.sql.execute('delete from lead_identities');
      await replayBodies(store, log);
      expect(await names(store)).toEqual(await names(healthy));
      await replayBodies(store, [liveFrom('New', 'A3', 900)]);
      expect(await leads(store)).toMatchObject([{ name: 'New' }]);
    });

    backend.once('I6: when two leads become one, what people entered wins', async () => {
      const prepare = async (store: Store): Promise<void> => {
        await addConnection(store);
        await store.sql.execute(
          `insert into leads (id, organization_id, phone_number, push_name, source, first_seen_at)
           select '01900000-0000-7000-8000-000000000001', id, '+${ANA}', 'Dona Ana', 'direct_creation', to_timestamp(${T0 + 900})
           from organizations where slug = 'default'`,
        );
      };
      const store = await expectOneDatabase(backend, [webLive('W1', 0, {}, viaLid), mapping], { prepare });
      expect(await leads(store)).toEqual([{ phone: `+${ANA}`, name: 'Dona Ana', source: 'direct_creation' }]);
    });
  });
});
