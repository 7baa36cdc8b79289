import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/store/store.js';
import { addConnection } from '../support/connections.js';
import { describeOnBackends } from '../support/databases.js';
import { expectOneDatabase } from '../support/orders.js';
import { replayBodies } from '../support/replaying.js';
import { leads, select, tickets, transcript, value } from '../support/shown.js';
import {
  addressBook,
  ANA,
  ANA_BSUID,
  ANA_LID,
  ANA_PARENT,
  BUSINESS,
  CAR,
  echo,
  history,
  item,
  live,
  liveFrom,
  oldOut,
  seconds,
  status,
  T0,
  wamid,
  webEvent,
  webhook,
  webLive,
} from '../support/webhooks.js';

/** Every name of every lead, by kind. */
function names(store: Store): Promise<Record<string, unknown>[]> {
  return select(
    store,
    `select kind, value, lead_id is not null as lead from lead_identities order by kind, value`,
  );
}

const mapping = webEvent('lid-mapping.update', { lid: ANA_LID, pn: `${ANA}@s.whatsapp.net` });
const viaLid = { remoteJid: ANA_LID };

describeOnBackends('who is who', (backend) => {
  describe('I1', () => {
    it.each([
      ['Brazil, a mobile', '551190000001', '5511990000001', 1],
      ['Mexico', '5215512345678', '525512345678', 1],
      ['Brazil, a landline is not its digits with a 9', '551133334444', '5511933334444', 2],
    ])('I1: two forms of one phone: %s', async (_country, one, other, count) => {
      const store = await expectOneDatabase(backend, [
        live('A1', 0, { from: one }),
        live('A2', 60, { from: other }),
      ]);
      expect(await leads(store)).toHaveLength(count);
      expect(await value(store, 'select count(*)::int from conversations')).toBe(count);
    });

    it('I1: phones are stored as E.164, with the ninth digit', async () => {
      const store = await backend.open();
      await replayBodies(store, [live('A1', 0, { from: '551188887777' })]);
      expect(await leads(store)).toMatchObject([{ phone: '+5511988887777' }]);
    });

    backend.once(
      'I1: an Argentine phone without its 9 is the one with it, whichever comes first',
      async () => {
        const store = await expectOneDatabase(backend, [
          live('A1', 0, { from: '5491123456789' }),
          live('A2', 60, { from: '541123456789' }),
        ]);
        expect(await leads(store)).toMatchObject([{ phone: '+5491123456789' }]);
        expect(await transcript(store)).toEqual(['> A1', '> A2']);
      },
    );

    backend.once(
      'I1: an Argentine phone without its 9 stays as it is while nobody knows one with it',
      async () => {
        const store = await backend.open();
        await replayBodies(store, [live('A1', 0, { from: '541123456789' })]);
        expect(await leads(store)).toMatchObject([{ phone: '+541123456789' }]);
      },
    );

    backend.once('I1: sender and contact of one message may spell the phone differently', async () => {
      const body = webhook('messages', {
        contacts: [{ profile: { name: 'Rui' }, wa_id: '553188880000' }],
        messages: [item('A1', 0, { from: '5531988880000' })],
      });
      const store = await expectOneDatabase(backend, [body, live('A2', 5, { from: '553188880000' })]);
      expect(await leads(store)).toEqual([{ phone: '+5531988880000', name: 'Rui', source: 'live_message' }]);
    });
  });

  describe('I2', () => {
    it('I2: who is known by a user id only is a lead without a phone', async () => {
      const store = await expectOneDatabase(backend, [
        live('A1', 0, { from: undefined, from_user_id: ANA_BSUID }),
      ]);
      expect(await leads(store)).toMatchObject([{ phone: null }]);
      expect(await names(store)).toEqual([{ kind: 'bsuid', value: ANA_BSUID, lead: true }]);
      expect(await tickets(store)).toHaveLength(1);
    });

    backend.once('I2: a user id in `from` gives no phone made of its digits', async () => {
      const store = await backend.open();
      await replayBodies(store, [live('A1', 0, { from: 'BR.5511988887777' })]);
      expect(await leads(store)).toMatchObject([{ phone: null }]);
    });

    backend.once('I2: who is known by a LID only is a lead without a phone', async () => {
      const store = await expectOneDatabase(backend, [webLive('W1', 0, {}, viaLid)], {
        prepare: (fresh) => addConnection(fresh),
      });
      expect(await leads(store)).toMatchObject([{ phone: null }]);
      expect(await names(store)).toEqual([{ kind: 'lid', value: ANA_LID, lead: true }]);
    });
  });

  describe('I3', () => {
    const prepare = (store: Store): Promise<void> => addConnection(store);

    backend.once(
      'I3: a LID and a phone that turn out to be one person are one lead with one conversation',
      async () => {
        const store = await expectOneDatabase(
          backend,
          [webLive('W1', 0, {}, viaLid), liveFrom('Ana', 'A2', 60), mapping],
          { prepare },
        );
        expect(await leads(store)).toEqual([{ phone: `+${ANA}`, name: 'Ana', source: 'live_message' }]);
        expect(await transcript(store)).toEqual(['> W1', '> A2']);
        expect(await value(store, 'select count(*)::int from conversations')).toBe(1);
        expect(await tickets(store)).toMatchObject([{ status: 'open', opened: 0, window: 60 }]);
      },
    );

    it('I3: the earlier lead survives, and the merge can be read in the journal', async () => {
      const store = await backend.open();
      await addConnection(store);
      await replayBodies(store, [webLive('W1', 0, {}, viaLid), live('A2', 60)]);
      const earlier = await value(store, 'select id::text from leads order by first_seen_at limit 1');
      const result = await replayBodies(store, [mapping]);
      expect(result.leads).toMatchObject({ created: 0, merged: 1 });
      expect(await select(store, 'select id::text as id from leads')).toEqual([{ id: earlier }]);
      expect(
        await select(
          store,
          'select table_name as name, count(*)::int from change_journal group by 1 order by 1',
        ),
      ).toEqual([
        { name: 'conversations', count: 1 },
        { name: 'lead_identities', count: 1 },
        { name: 'leads', count: 1 },
        { name: 'messages', count: 1 },
        { name: 'tickets', count: 1 },
      ]);
    });

    it('I3: a message that both leads had, by its two names, is one after the merge', async () => {
      const store = await expectOneDatabase(backend, [webLive('K1', 0, {}, viaLid), live('K1', 1), mapping], {
        prepare,
      });
      expect(await select(store, 'select external_id as id, stanza_id as stanza from messages')).toEqual([
        { id: wamid('K1'), stanza: 'K1' },
      ]);
      expect(await select(store, 'select opened_by_external_id as id from tickets')).toEqual([
        { id: wamid('K1') },
      ]);
    });

    backend.once('I3: reactions, edits and statuses follow their messages through a merge', async () => {
      const store = await expectOneDatabase(
        backend,
        [
          webLive('K1', 0, {}, viaLid),
          webEvent('messages.reaction', [
            {
              key: { remoteJid: ANA_LID, fromMe: false, id: 'K1' },
              reaction: {
                key: { remoteJid: ANA_LID, fromMe: true, id: 'X' },
                text: '👍',
                senderTimestampMs: (T0 + 30) * 1000,
              },
            },
          ]),
          live('K1', 1),
          status('K1', 'read', 40),
          mapping,
        ],
        { prepare },
      );
      expect(await select(store, 'select status from messages')).toEqual([{ status: 'read' }]);
      expect(await select(store, 'select target_external_id as id, emoji from message_reactions')).toEqual([
        { id: wamid('K1'), emoji: '👍' },
      ]);
      expect(await value(store, 'select count(*)::int from pending_facts')).toBe(0);
    });

    backend.once('I3: the recipient of a status links a user id with a phone', async () => {
      const store = await expectOneDatabase(backend, [
        live('A1', 0, { from: undefined, from_user_id: ANA_BSUID }),
        echo('B1', 30),
        status('B1', 'delivered', 40, { recipient_user_id: ANA_BSUID }),
      ]);
      expect(await leads(store)).toMatchObject([{ phone: `+${ANA}` }]);
      expect(await transcript(store)).toEqual(['> A1', '< B1']);
    });

    backend.once('I3: a contact that comes with a status links a user id with a phone', async () => {
      const delivered = webhook('messages', {
        contacts: [{ profile: { name: 'Ana' }, wa_id: ANA, user_id: ANA_BSUID, parent_user_id: ANA_PARENT }],
        statuses: [{ id: wamid('B1'), status: 'read', timestamp: seconds(40), recipient_id: ANA }],
      });
      const store = await expectOneDatabase(backend, [
        live('A1', 0, { from: undefined, from_user_id: ANA_PARENT }),
        echo('B1', 30),
        delivered,
      ]);
      expect(await leads(store)).toMatchObject([{ phone: `+${ANA}`, name: 'Ana' }]);
    });

    backend.once('I3: a changed number brings the old conversation along', async () => {
      const moved = webhook('messages', {
        messages: [
          {
            from: ANA,
            id: wamid('S1'),
            timestamp: seconds(50),
            type: 'system',
            system: { body: 'mudou', type: 'user_changed_number', wa_id: CAR },
          },
        ],
      });
      const store = await expectOneDatabase(backend, [live('A1', 0), moved, live('C1', 90, { from: CAR })]);
      expect(await leads(store)).toMatchObject([{ phone: `+${CAR}` }]);
      expect(await transcript(store)).toEqual(['> A1', '> C1']);
      expect(await tickets(store)).toHaveLength(1);
    });

    backend.once('I3: an updated user id is the same person', async () => {
      const update = webhook('user_id_update', {
        user_id_update: [
          {
            wa_id: ANA,
            detail: 'changed',
            user_id: { previous: ANA_BSUID, current: 'BR.777' },
            timestamp: seconds(50),
          },
        ],
      });
      const store = await expectOneDatabase(backend, [
        live('A1', 0, { from: undefined, from_user_id: ANA_BSUID }),
        update,
        live('A2', 90, { from: undefined, from_user_id: 'BR.777' }),
      ]);
      expect(await leads(store)).toMatchObject([{ phone: `+${ANA}` }]);
    });

    backend.once('I3: three names of one person, linked one by one, are one lead', async () => {
      const withUserId = { from: ANA, from_user_id: ANA_BSUID };
      const store = await expectOneDatabase(
        backend,
        [
          webLive('W1', 0, {}, viaLid),
          live('A2', 10, { from: undefined, from_user_id: ANA_BSUID }),
          mapping,
          live('A3', 20, withUserId),
        ],
        { prepare },
      );
      expect(await leads(store)).toHaveLength(1);
      expect(await transcript(store)).toEqual(['> W1', '> A2', '> A3']);
      expect(await tickets(store)).toMatchObject([{ opened: 0, window: 20 }]);
    });
  });

  describe('I4', () => {
    it('I4: the own number in the address book is no lead', async () => {
      const store = await backend.open();
      const result = await replayBodies(store, [addressBook('add', { phone_number: BUSINESS }, 0)]);
      expect(await leads(store)).toEqual([]);
      expect(result.contacts).toMatchObject({ seen: 1, skipped: { own_number: 1 } });
    });

    it('I4: a thread with itself is skipped and counted', async () => {
      const store = await backend.open();
      const result = await replayBodies(store, [
        history([oldOut('B1', 0, { to: BUSINESS })], {}, { id: BUSINESS }),
        echo('B2', 0, { to: BUSINESS }),
      ]);
      expect(result.messages).toMatchObject({ seen: 2, created: 0, skipped: { self_thread: 2 } });
      expect(await leads(store)).toEqual([]);
    });

    backend.once(
      'I4: what the own number sent under `messages` is outbound, and opens no ticket',
      async () => {
        const store = await expectOneDatabase(backend, [
          webhook('messages', {
            contacts: [{ profile: { name: 'Ana' }, wa_id: ANA }],
            messages: [item('B1', 0, { from: BUSINESS, to: ANA })],
          }),
        ]);
        expect(await leads(store)).toMatchObject([{ phone: `+${ANA}` }]);
        expect(await transcript(store)).toEqual(['< B1']);
        expect(await tickets(store)).toEqual([]);
      },
    );

    it('I4: WhatsApp Web does not make a lead of its own account either', async () => {
      const store = await backend.open();
      await addConnection(store);
      const result = await replayBodies(store, [
        webLive('W1', 0, {}, { remoteJid: `${BUSINESS}@s.whatsapp.net`, fromMe: true }),
      ]);
      expect(result.messages.skipped).toEqual({ self_thread: 1 });
      expect(await leads(store)).toEqual([]);
    });
  });
});
