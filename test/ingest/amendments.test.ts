import { describe, expect, it } from 'vitest';
import { MESSAGE_STATUSES, type MessageStatus } from '../../src/model/enumerations.js';
import type { Store } from '../../src/store/store.js';
import { describeOnBackends } from '../support/databases.js';
import { expectOneDatabase } from '../support/orders.js';
import { replayBodies } from '../support/replaying.js';
import { offset, select, tickets, transcript, value } from '../support/shown.js';
import {
  echo,
  edit,
  history,
  item,
  live,
  old,
  revoke,
  seconds,
  status,
  wamid,
  webhook,
} from '../support/webhooks.js';

const says = (body: string): { type: string; text: { body: string } } => ({ type: 'text', text: { body } });

/** What the message shows now. */
function shown(store: Store): Promise<Record<string, unknown>[]> {
  return select(
    store,
    `select body, ${offset('edited_at')} as edited, ${offset('deleted_at')} as deleted from messages
     order by timestamp, external_id`,
  );
}

/** What messages said before, by version. */
function revisions(store: Store): Promise<Record<string, unknown>[]> {
  return select(
    store,
    `select case version when 'original' then version else 'edit' end as version, body, ${offset('at')} as at
     from message_revisions order by at`,
  );
}

/** Rule M3 in one line: which of two statuses stays. */
function higher(one: MessageStatus, other: MessageStatus): MessageStatus {
  const rank = (status: MessageStatus): number => MESSAGE_STATUSES.indexOf(status);
  return rank(one) >= rank(other) ? one : other;
}

const words = ['sent', 'delivered', 'read', 'played', 'failed'] as const;
const pairs = words.flatMap((one, index) => words.slice(index + 1).map((other) => [one, other] as const));

describeOnBackends('what changes a message later', (backend) => {
  describe('M3', () => {
    backend.once('M3: of every two statuses the same one stays, whichever comes first', async () => {
      const keys = pairs.map((_, index) => `B${index}`);
      const echoes = keys.map((key, index) => echo(key, index));
      const first = pairs.map(([one], index) => status(`B${index}`, one, 100));
      const second = pairs.map(([, other], index) => status(`B${index}`, other, 100));
      const wanted = pairs.map(([one, other]) => higher(one, other));
      for (const log of [
        [...echoes, ...first, ...second],
        [...echoes, ...second, ...first],
        [...first, ...second, ...echoes],
        [...second, ...echoes, ...first],
      ]) {
        const store = await backend.open();
        await replayBodies(store, log, { batchSize: 7 });
        const rows = await select(store, 'select status from messages order by timestamp');
        expect(rows.map((row) => row['status'])).toEqual(wanted);
        await store.close();
      }
    });

    it.each(
      backend.onServer([
        ['failed beats sent', ['sent', 'failed'], 'failed'],
        ['failed does not beat delivered', ['delivered', 'failed'], 'delivered'],
        ['read is no step down from played', ['played', 'read'], 'played'],
      ]),
    )('M3: %s', async (_title, [one = '', other = ''], wanted) => {
      const store = await expectOneDatabase(backend, [
        echo('B1', 0),
        status('B1', one, 5),
        status('B1', other, 9),
      ]);
      expect(await value(store, 'select status from messages')).toBe(wanted);
    });

    it('M3: a status that comes before its message waits for it, and is counted as pending', async () => {
      const store = await backend.open();
      const early = await replayBodies(store, [status('B1', 'read', 9)]);
      expect(early.statuses).toMatchObject({ seen: 1, applied: 0, pending: 1 });
      expect(early.status).toBe('completed');
      expect(await value(store, 'select count(*)::int from pending_facts')).toBe(1);

      await replayBodies(store, [echo('B1', 0)]);
      expect(await value(store, 'select status from messages')).toBe('read');
      expect(await value(store, 'select count(*)::int from pending_facts')).toBe(0);
    });

    backend.once('M3: a status tells when Meta first spoke of the message', async () => {
      const store = await expectOneDatabase(backend, [
        echo('B1', 0),
        status('B1', 'sent', 2),
        status('B1', 'delivered', 4),
      ]);
      expect(await value(store, `select ${offset('meta_confirmed_at')} from messages`)).toBe(2);
    });

    backend.once('M3: what the history says is one more step of the ladder', async () => {
      const store = await expectOneDatabase(backend, [
        echo('B1', 0),
        status('B1', 'read', 5),
        history([
          item('B1', 0, { from: '5511900000000', id: wamid('B1'), history_context: { status: 'DELIVERED' } }),
        ]),
      ]);
      expect(await select(store, 'select status, history_status as history from messages')).toEqual([
        { status: 'read', history: 'delivered' },
      ]);
    });

    it('M3: words that nobody knows are skipped and counted', async () => {
      const store = await backend.open();
      const result = await replayBodies(store, [echo('B1', 0), status('B1', 'warning', 3)]);
      expect(result.statuses).toMatchObject({ seen: 1, skipped: { unknown_status: 1 } });
      expect(await value(store, 'select status from messages')).toBe('sent');
    });

    backend.once('M3: one webhook may hold statuses of many messages, and the same one twice', async () => {
      const store = await expectOneDatabase(backend, [
        echo('B1', 0),
        webhook('messages', {
          statuses: [
            { id: wamid('B1'), status: 'read', timestamp: seconds(4) },
            { id: wamid('B1'), status: 'sent', timestamp: seconds(1) },
            { id: wamid('B1'), status: 'read', timestamp: seconds(4) },
            { id: wamid('B2'), status: 'sent', timestamp: seconds(1) },
          ],
        }),
      ]);
      expect(await value(store, 'select status from messages')).toBe('read');
      expect(await value(store, 'select count(*)::int from pending_facts')).toBe(1);
    });
  });

  describe('M5: edits and revokes', () => {
    backend.once('M5: an edit changes its original and makes no message', async () => {
      const store = await expectOneDatabase(backend, [
        live('A1', 0),
        edit('A1', 'X1', 60, says('corrigida')),
      ]);
      expect(await shown(store)).toEqual([{ body: 'corrigida', edited: 60, deleted: null }]);
      expect(await revisions(store)).toEqual([{ version: 'original', body: 'A1', at: 0 }]);
    });

    backend.once('M5: of two edits the later shows, whichever comes first', async () => {
      const store = await expectOneDatabase(backend, [
        live('A1', 0),
        edit('A1', 'X2', 90, says('segunda')),
        edit('A1', 'X1', 60, says('primeira')),
      ]);
      expect(await shown(store)).toEqual([{ body: 'segunda', edited: 90, deleted: null }]);
      expect(await revisions(store)).toEqual([
        { version: 'original', body: 'A1', at: 0 },
        { version: 'edit', body: 'primeira', at: 60 },
      ]);
    });

    backend.once('M5: a revoke hides the message and keeps what it said', async () => {
      const store = await expectOneDatabase(backend, [live('A1', 0), revoke('A1', 80)]);
      expect(await shown(store)).toEqual([{ body: null, edited: null, deleted: 80 }]);
      expect(await revisions(store)).toEqual([{ version: 'original', body: 'A1', at: 0 }]);
    });

    backend.once('M5: an edited message that was revoked shows nothing and forgets nothing', async () => {
      const store = await expectOneDatabase(backend, [
        live('A1', 0),
        edit('A1', 'X1', 60, says('corrigida')),
        revoke('A1', 80),
      ]);
      expect(await shown(store)).toEqual([{ body: null, edited: 60, deleted: 80 }]);
      expect(await revisions(store)).toEqual([
        { version: 'original', body: 'A1', at: 0 },
        { version: 'edit', body: 'corrigida', at: 60 },
      ]);
    });

    it('M5: an edit and a revoke wait for their message', async () => {
      const store = await backend.open();
      const early = await replayBodies(store, [edit('A1', 'X1', 60, says('corrigida')), revoke('A1', 80)]);
      expect(early.edits).toMatchObject({ seen: 1, pending: 1 });
      expect(early.revokes).toMatchObject({ seen: 1, pending: 1 });
      expect(await transcript(store)).toEqual([]);
      await replayBodies(store, [live('A1', 0)]);
      expect(await shown(store)).toEqual([{ body: null, edited: 60, deleted: 80 }]);
    });

    backend.once('M5: an edited caption does not cost the picture', async () => {
      const store = await expectOneDatabase(backend, [
        live('A1', 0, {
          type: 'image',
          text: undefined,
          image: { id: 'M1', mime_type: 'image/jpeg', caption: 'velha' },
        }),
        edit('A1', 'X1', 60, { type: 'image', image: { caption: 'nova' } }),
      ]);
      expect(await select(store, `select type, body, media->>'id' as media from messages`)).toEqual([
        { type: 'image', body: 'nova', media: 'M1' },
      ]);
    });

    backend.once('M5: media that come after the edit of their placeholder are not lost', async () => {
      const store = await expectOneDatabase(backend, [
        history([old('A1', 0, { type: 'media_placeholder', text: undefined })]),
        edit('A1', 'X1', 60, { type: 'image', image: { caption: 'nova' } }),
        webhook('history', {
          messages: [
            item('A1', 0, { type: 'image', text: undefined, image: { id: 'M1', mime_type: 'image/jpeg' } }),
          ],
        }),
      ]);
      expect(await select(store, `select type, body, media->>'id' as media from messages`)).toEqual([
        { type: 'image', body: 'nova', media: 'M1' },
      ]);
    });

    backend.once('M5: a revoked placeholder stays revoked when its media come', async () => {
      const store = await expectOneDatabase(backend, [
        history([old('A1', 0, { type: 'media_placeholder', text: undefined })]),
        revoke('A1', 80),
        live('A1', 0, { type: 'image', text: undefined, image: { id: 'M1', mime_type: 'image/jpeg' } }),
      ]);
      expect(await shown(store)).toEqual([{ body: null, edited: null, deleted: 80 }]);
      expect(await select(store, `select media from messages`)).toEqual([{ media: null }]);
      expect(await value(store, `select media->>'id' from message_revisions`)).toBe('M1');
    });

    backend.once('M5: the text that comes for an edited ghost becomes its first version', async () => {
      const ghost = { type: 'unsupported', text: undefined, errors: [{ code: 131060 }] };
      const store = await expectOneDatabase(backend, [
        live('A1', 0, ghost),
        edit('A1', 'X1', 60, says('corrigida')),
        live('A1', 0),
      ]);
      expect(await shown(store)).toEqual([{ body: 'corrigida', edited: 60, deleted: null }]);
      expect(await revisions(store)).toEqual([{ version: 'original', body: 'A1', at: 0 }]);
    });

    backend.once('M5: the earliest of several revokes counts', async () => {
      const store = await expectOneDatabase(backend, [live('A1', 0), revoke('A1', 80), revoke('A1', 70)]);
      expect(await shown(store)).toMatchObject([{ deleted: 70 }]);
    });

    it.each(
      backend.onServer([
        ['at the time of a file that came first', [revoke('A1', 9)], 9],
        ['at the time of the message', [revoke('A1', 0)], 0],
        ['before that file', [revoke('A1', 5)], 5],
      ]),
    )('M5: a revoke %s says when, in every order', async (_, revokes, at) => {
      const image = { type: 'image', text: undefined, image: { id: 'M1', mime_type: 'image/jpeg' } };
      const file = webhook('history', { messages: [item('A1', 9, image)] });
      const store = await expectOneDatabase(backend, [file, ...revokes, history([old('A1', 0, image)])]);
      expect(await select(store, `select ${offset('deleted_at')} as at from messages`)).toEqual([{ at }]);
    });

    backend.once(
      'M5: edits and revokes of the business’s own messages work alike, and open no ticket',
      async () => {
        const store = await expectOneDatabase(backend, [
          echo('B1', 0),
          echo('X1', 60, {
            type: 'edit',
            text: undefined,
            edit: { original_message_id: wamid('B1'), message: says('nova') },
          }),
          echo('X2', 90, { type: 'revoke', text: undefined, revoke: { original_message_id: wamid('B1') } }),
        ]);
        expect(await shown(store)).toEqual([{ body: null, edited: 60, deleted: 90 }]);
        expect(await tickets(store)).toEqual([]);
      },
    );

    it('M5: an edit without a target is rejected, not made a message', async () => {
      const store = await backend.open();
      const result = await replayBodies(store, [live('X1', 0, { type: 'edit', text: undefined, edit: {} })]);
      expect(result.edits).toMatchObject({ seen: 1, rejected: { missing_target: 1 } });
      expect(await transcript(store)).toEqual([]);
    });
  });
});
