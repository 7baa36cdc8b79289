import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/model/json.js';
import type { Store } from '../../src/store/store.js';
import { describeOnServer } from '../support/databases.js';
import { expectOneDatabase } from '../support/orders.js';
import { replayBodies } from '../support/replaying.js';
import { offset, select, tickets, transcript, value } from '../support/shown.js';
import {
  ANA,
  BUSINESS,
  echo,
  history,
  item,
  live,
  old,
  oldOut,
  SECOND,
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

/** An image; what is not given is absent, as Meta sends it. */
function photo(id?: string, caption?: string): { type: string; text: undefined; image: JsonObject } {
  const image: JsonObject = { mime_type: 'image/jpeg' };
  if (id !== undefined) image['id'] = id;
  if (caption !== undefined) image['caption'] = caption;
  return { type: 'image', text: undefined, image };
}
const placeholder = { type: 'media_placeholder', text: undefined };
const ghost = { type: 'unsupported', text: undefined, errors: [{ code: 131060, title: 'unavailable' }] };

describeOnServer('what becomes of a message', (backend) => {
  describe('M1', () => {
    it('M1: a message that comes three times, in three bodies, is one row', async () => {
      const store = await expectOneDatabase(backend, [
        live('A1', 0),
        webhook('messages', {
          contacts: [{ wa_id: ANA, profile: { name: 'Ana' } }],
          messages: [item('A1', 0)],
        }),
        webhook('messages', { messages: [item('A1', 0), item('A1', 0)] }),
      ]);
      expect(await transcript(store)).toEqual(['> A1']);
    });

    it('M1: the very same body twice is one stored entry and one message', async () => {
      const store = await backend.open();
      const result = await replayBodies(store, [live('A1', 0), live('A1', 0)]);
      expect(result.entries).toMatchObject({ read: 2, stored: 1, duplicate: 1, processed: 2 });
      expect(result.messages).toMatchObject({ seen: 2, created: 1, unchanged: 1 });
    });

    it('M1: one id on two connections is two messages', async () => {
      const store = await expectOneDatabase(backend, [live('A1', 0), live('A1', 0, {}, SECOND)]);
      expect(await value(store, 'select count(distinct connection_id)::int from messages')).toBe(2);
      expect(await value(store, 'select count(*)::int from leads')).toBe(1);
      expect(await value(store, 'select count(*)::int from conversations')).toBe(2);
    });
  });

  describe('M2', () => {
    it('M2: the text takes the place of the ghost that came before or after it', async () => {
      const store = await expectOneDatabase(backend, [live('A1', 0, ghost), live('A1', 0)]);
      expect(await shown(store)).toMatchObject([{ type: 'text', body: 'A1', source: 'live' }]);
      expect(await tickets(store)).toHaveLength(1);
    });

    it('M2: a ghost alone is a message and opens a ticket', async () => {
      const store = await expectOneDatabase(backend, [live('A1', 0, ghost)]);
      expect(await shown(store)).toMatchObject([{ type: 'unsupported', body: 'unavailable' }]);
      expect(await tickets(store)).toHaveLength(1);
    });

    it('M2: the history knows the text of a live ghost, the live field keeps the source', async () => {
      const store = await expectOneDatabase(backend, [live('A1', 0, ghost), history([old('A1', 0)])]);
      expect(await shown(store)).toMatchObject([
        { type: 'text', body: 'A1', source: 'live', status: 'read' },
      ]);
    });

    it('M2: of two real contents the live one shows', async () => {
      const store = await expectOneDatabase(backend, [
        live('A1', 0, { text: { body: 'ao vivo' } }),
        history([old('A1', 0, { text: { body: 'no histórico' } })]),
      ]);
      expect(await shown(store)).toMatchObject([{ body: 'ao vivo', source: 'live' }]);
    });

    it.each([
      [
        'under messages of the history',
        webhook('history', { messages: [item('A1', 0, photo('M7', 'olha'))] }),
      ],
      ['as a live field with an old time', live('A1', 0, photo('M7', 'olha'))],
    ])('M2: the customer’s media fill their placeholder: %s', async (_shape, followUp) => {
      const store = await expectOneDatabase(backend, [followUp, history([old('A1', 0, placeholder)])]);
      expect(await shown(store)).toMatchObject([
        { direction: 'INBOUND', type: 'image', body: 'olha', media: 'M7', at: 0 },
      ]);
    });

    it.each([
      [
        'under message_echoes of the history',
        webhook('history', {
          contacts: [{ wa_id: ANA }],
          message_echoes: [item('B1', 90, { id: wamid('B1'), from: BUSINESS, to: ANA, ...photo('M8') })],
        }),
      ],
      ['on the live field of echoes', echo('B1', 90, photo('M8'))],
    ])('M2: the business’s media fill their placeholder and move nothing: %s', async (_shape, followUp) => {
      const store = await expectOneDatabase(backend, [
        followUp,
        history([
          oldOut('B1', 30, { ...placeholder, history_context: { status: 'DELIVERED', from_me: true } }),
        ]),
      ]);
      expect(await shown(store)).toEqual([
        {
          direction: 'OUTBOUND',
          type: 'image',
          body: null,
          media: 'M8',
          source: 'history',
          status: 'delivered',
          at: 30,
        },
      ]);
      expect(await tickets(store)).toEqual([]);
    });

    it('M2: media without an id are better than a placeholder and worse than media with one', async () => {
      const store = await expectOneDatabase(backend, [
        history([old('A1', 0, placeholder)]),
        history([old('A1', 0, photo())], { order: 2 }),
        history([old('A1', 0, photo('M9'))], { order: 3 }),
      ]);
      expect(await shown(store)).toMatchObject([{ type: 'image', media: 'M9' }]);
    });

    it('M2: what one copy does not say never takes away what another one said', async () => {
      const store = await expectOneDatabase(backend, [
        live('A1', 0, { context: { id: wamid('A0') }, ...photo('M1', 'legenda') }),
        live('A1', 0, photo('M1')),
      ]);
      expect(await select(store, 'select body, context_external_id as reply from messages')).toEqual([
        { body: 'legenda', reply: wamid('A0') },
      ]);
    });

    it('M2: an echo that history has too is history’s, with the echo’s text', async () => {
      const store = await expectOneDatabase(backend, [
        echo('B1', 0),
        history([oldOut('B1', 0, placeholder)]),
      ]);
      expect(await shown(store)).toMatchObject([{ direction: 'OUTBOUND', body: 'B1', source: 'history' }]);
    });

    it('M2: a message in two chunks of the history is one', async () => {
      const store = await expectOneDatabase(backend, [
        history([old('A1', 0, { history_context: { status: 'DELIVERED' } })], { phase: 0 }),
        history([old('A1', 0)], { phase: 1 }),
      ]);
      expect(await shown(store)).toMatchObject([{ body: 'A1', status: 'read' }]);
      expect(await value(store, 'select history_status from messages')).toBe('read');
    });
  });

  describe('M4', () => {
    const direction = async (message: JsonObject, thread: JsonObject = { id: ANA }): Promise<unknown> => {
      const store = await backend.open();
      await replayBodies(store, [history([message], {}, thread)]);
      return value(store, 'select direction from messages');
    };

    it('M4: from_me true is outbound, whatever `from` says', async () => {
      expect(await direction(old('A1', 0, { history_context: { from_me: true } }))).toBe('OUTBOUND');
    });

    it('M4: the thread’s customer is inbound, in any spelling of the number', async () => {
      const thread = { id: '5511988887777' };
      expect(await direction(old('A1', 0, { from: '551188887777' }), thread)).toBe('INBOUND');
    });

    it('M4: anybody else is the business, even under another spelling of its number', async () => {
      expect(await direction(old('A1', 0, { from: '551100000000' }))).toBe('OUTBOUND');
      expect(await direction(old('A1', 0, { from: BUSINESS }))).toBe('OUTBOUND');
      expect(await direction(old('A1', 0, { from: '5511977776666' }))).toBe('OUTBOUND');
    });

    it('M4: where the thread has no number, its context tells who the customer is', async () => {
      const thread = { id: 'thread-1', context: { wa_id: ANA } };
      expect(await direction(old('A1', 0), thread)).toBe('INBOUND');
      expect(await direction(old('A1', 0, { from: BUSINESS }), thread)).toBe('OUTBOUND');
    });

    it('M4: two businesses that write to one another are two sides', async () => {
      const store = await expectOneDatabase(backend, [
        history(
          [old('A1', 0, { from: SECOND.number, id: wamid('A1', SECOND.number) })],
          {},
          { id: SECOND.number },
        ),
        history([oldOut('B1', 9, { to: SECOND.number })], { order: 2 }, { id: SECOND.number }),
      ]);
      expect(await transcript(store)).toEqual(['> A1', '< B1']);
    });
  });
});
