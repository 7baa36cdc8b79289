import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { countRows } from '../support/counting.js';
import { describeOnBackends } from '../support/databases.js';
import { normalizedDatabase } from '../support/normalized.js';
import { expectOneDatabase } from '../support/orders.js';
import { replayFiles, sample } from '../support/replaying.js';
import { leads, select, tickets, transcript, value } from '../support/shown.js';

function bodies(...names: string[]): string[] {
  return names.map((name) => JSON.stringify(JSON.parse(readFileSync(sample(`${name}.json`), 'utf8'))));
}

describeOnBackends('whatever the order, samples that belong together give one database', (backend) => {
  it('M2: a ghost and the message that came for it are one message with the real text', async () => {
    const store = await expectOneDatabase(
      backend,
      bodies('messages-unsupported-131060-ghost-1', 'messages-unsupported-131060-ghost-2-redelivery'),
    );
    expect(await select(store, 'select type, body is not null as has_body from messages')).toEqual([
      { type: 'text', has_body: true },
    ]);
    expect(await tickets(store)).toHaveLength(1);
  });

  it('M2: a placeholder of the history is filled by its follow-up and stays where it was', async () => {
    const chunk = 'history-phase0-chunk1';
    const store = await expectOneDatabase(backend, bodies(chunk, 'history-media-followup-echoes'));
    expect(
      await select(
        store,
        `select direction, media->>'id' as media, extract(epoch from timestamp)::int as at, source, status
         from messages where type = 'video'`,
      ),
    ).toEqual([
      {
        direction: 'OUTBOUND',
        media: '24230790383170002',
        at: 1757913615,
        source: 'history',
        status: 'played',
      },
    ]);
    expect(await value(store, 'select count(*)::int from messages')).toBe(4);
  });

  it('M2: the media of a customer that come after their placeholder are one message and no ticket', async () => {
    const store = await expectOneDatabase(
      backend,
      bodies('history-media-placeholder-inbound', 'history-media-followup-messages'),
    );
    expect(await select(store, `select direction, type, media->>'id' as media from messages`)).toEqual([
      { direction: 'INBOUND', type: 'image', media: '24230790383178626' },
    ]);
    expect(await tickets(store)).toEqual([]);
  });

  it('H2: chunks of the history in any order end in the same ledger', async () => {
    const store = await expectOneDatabase(
      backend,
      bodies('history-phase1-chunk2', 'history-phase1-chunk1', 'history-phase2-progress100'),
    );
    expect(
      await select(
        store,
        `select history_sync_status as status, history_sync_phase as phase, history_sync_chunk_order as chunk,
           history_sync_progress as progress from connections`,
      ),
    ).toEqual([{ status: 'completed', phase: 2, chunk: 1, progress: 100 }]);
    expect(await value(store, 'select count(*)::int from history_chunks')).toBe(3);
  });

  it('T2: a live message that history brings too keeps its ticket and stays live', async () => {
    const store = await expectOneDatabase(backend, bodies('messages-text', 'history-overlap-live'));
    expect(await tickets(store)).toMatchObject([{ status: 'open' }]);
    expect(
      await select(store, 'select source, count(*)::int from messages group by source order by source'),
    ).toEqual([
      { source: 'history', count: 1 },
      { source: 'live', count: 1 },
    ]);
  });

  it('M5: a message, its edit and its revoke are one message', async () => {
    const store = await expectOneDatabase(
      backend,
      bodies('messages-text', 'messages-edit-text', 'messages-revoke'),
    );
    expect(await value(store, 'select count(*)::int from messages')).toBe(1);
    expect(await tickets(store)).toHaveLength(1);
  });

  it('M5: an echo, its redelivery, its edit and its revoke are one message', async () => {
    const store = await expectOneDatabase(
      backend,
      bodies('echoes-text', 'echoes-redelivery', 'echoes-edit', 'echoes-revoke'),
    );
    expect(
      await select(
        store,
        'select direction, body, edited_at is not null as edited, deleted_at is not null as gone from messages',
      ),
    ).toEqual([{ direction: 'OUTBOUND', body: null, edited: true, gone: true }]);
    expect(await tickets(store)).toEqual([]);
  });

  it('M3: of all statuses of a message the highest wins', async () => {
    const store = await expectOneDatabase(
      backend,
      bodies(
        'history-contains-tgt',
        'status-delivered',
        'status-failed-131049',
        'status-out-of-order',
        'status-sent-conversation',
      ),
    );
    expect(await select(store, 'select status from messages')).toEqual([{ status: 'read' }]);
    expect(await value(store, 'select count(*)::int from pending_facts')).toBe(0);
  });

  it.each([
    ['a user id with and without a phone', 'messages-bsuid-with-phone', 'messages-bsuid-only'],
    ['a Brazilian phone with and without its ninth digit', 'messages-br-without-9', 'messages-br-with-9'],
    ['a Mexican phone with and without its 1', 'messages-mx-521', 'messages-mx-52'],
  ])('I1: %s is one lead', async (_title, ...names) => {
    const store = await expectOneDatabase(backend, bodies(...names));
    expect(await leads(store)).toHaveLength(1);
    expect(await transcript(store)).toHaveLength(2);
    expect(await tickets(store)).toHaveLength(1);
  });
});

describeOnBackends('one day, however it was stored, ends in one state', (backend) => {
  it.each(['full-day.ndjson', 'rows.ndjson', 'pg-copy.csv'])('%s', async (name) => {
    const store = await backend.open();
    const result = await replayFiles(store, [sample(`logs/${name}`)]);
    expect(result.status).toBe('completed');
    expect(result.entries).toMatchObject({ read: 13 });
    const rows = { leads: 4, conversations: 4, messages_inbound: 6, messages_outbound: 5, open_tickets: 1 };
    expect(await countRows(store)).toEqual(rows);
    expect(
      await select(
        store,
        `select l.phone_number as phone, t.originated_from as origin from tickets t join leads l on l.id = t.lead_id`,
      ),
    ).toEqual([{ phone: '+5511900000001', origin: 'history_lead' }]);
    expect(await select(store, 'select body from messages where edited_at is not null')).toEqual([
      { body: 'Oi! Ainda tem disponível? (editado)' },
    ]);
    expect(result.events).toEqual({ 'account_update.PARTNER_REMOVED': 1 });

    const before = await normalizedDatabase(store);
    const again = await replayFiles(store, [sample(`logs/${name}`)], { resume: false });
    expect(again.entries).toMatchObject({ stored: 0, duplicate: 13 });
    expect(await normalizedDatabase(store)).toEqual(before);
  });

  it('the three forms of the day give the same leads, messages and tickets', async () => {
    const pictures = [];
    for (const name of ['full-day.ndjson', 'rows.ndjson', 'pg-copy.csv']) {
      const store = await backend.open();
      await replayFiles(store, [sample(`logs/${name}`)]);
      const { leads: people, conversations, messages, tickets: opened } = await normalizedDatabase(store);
      pictures.push({ people, conversations, messages, opened });
      await store.close();
    }
    expect(pictures[1]).toEqual(pictures[0]);
    expect(pictures[2]).toEqual(pictures[0]);
  });

  it('E1: a line that was cut is reported with its number, and the good one before it is in', async () => {
    const store = await backend.open();
    const path = sample('logs/truncated-last-line.ndjson');
    const result = await replayFiles(store, [path]);
    expect(result.status).toBe('partial');
    expect(result.problems).toHaveLength(1);
    expect(result.problems[0]?.origin.endsWith('truncated-last-line.ndjson:2')).toBe(true);
    expect(await transcript(store)).toEqual(['> Oi, tudo bem? Ainda tem disponível?']);
  });
});
