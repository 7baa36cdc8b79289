import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { countRows } from '../support/counting.js';
import { describeOnBackends } from '../support/databases.js';
import { DEMO_FORMS } from '../support/demo-forms.js';
import { normalizedDatabase } from '../support/normalized.js';
import { shuffled } from '../support/orders.js';
import { replayFiles } from '../support/replaying.js';
import { select, value } from '../support/shown.js';

/** The day of a plant shop that the README lets a newcomer import; its counts stand there too. */
const DEMO = fileURLToPath(new URL('../../fixtures/demo-day.ndjson', import.meta.url));

/** What is named by the raw entry that it came in. */
const BY_ENTRY = new Set(['webhook_log', 'rejects']);

/** The time of the raw entry, which n8n's answer is as a whole. */
function withoutEntryTimes(row: unknown): unknown {
  if (typeof row !== 'object' || row === null) return row;
  const isTime = /^(received_at|history_sync_(started|completed)_at)$/;
  return Object.fromEntries(Object.entries(row).filter(([column]) => !isTime.test(column)));
}

const directories: string[] = [];
afterEach(async () => {
  await Promise.all(directories.splice(0).map((path) => rm(path, { recursive: true, force: true })));
});

async function logOf(lines: readonly string[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'wa-reconcile-'));
  directories.push(directory);
  const path = join(directory, 'shuffled.ndjson');
  await writeFile(path, `${lines.join('\n')}\n`);
  return path;
}

describeOnBackends('the demo day', (backend) => {
  it('gives the summary that a newcomer sees', async () => {
    const store = await backend.open();
    const result = await replayFiles(store, [DEMO]);

    expect(result.status).toBe('partial');
    expect(result.entries).toEqual({
      read: 83,
      stored: 82,
      duplicate: 1,
      processed: 78,
      partial: 1,
      failed: 1,
      unrecognized: 1,
      ignored: 2,
      pending: 0,
    });
    expect(result.messages).toEqual({
      seen: 72,
      created: 59,
      updated: 7,
      unchanged: 2,
      skipped: { self_thread: 1, group: 1, system: 1 },
      rejected: { missing_id: 1 },
    });
    expect(result.statuses).toMatchObject({ seen: 14, applied: 11, unchanged: 1, pending: 2 });
    expect(result.edits).toMatchObject({ seen: 2, applied: 2 });
    expect(result.revokes).toMatchObject({ seen: 2, applied: 2 });
    expect(result.reactions).toMatchObject({ seen: 4, applied: 4 });
    expect(result.contacts).toEqual({ seen: 10, skipped: { own_number: 1, not_a_contact: 1 }, rejected: {} });
    expect(result.leads).toMatchObject({ created: 10 });
    expect(result.tickets).toEqual({ opened: 8, refreshed: 0 });
    expect(result.events).toEqual({
      'message_template_status_update.APPROVED': 1,
      user_preferences: 1,
      'account_update.PARTNER_REMOVED': 1,
    });
    expect(
      result.connections.map(({ name, historySync }) => [
        name,
        historySync.status,
        historySync.missingChunks,
      ]),
    ).toEqual([
      ['+5511900000000', 'completed', ['1/3']],
      ['+5511900000099', 'declined', []],
    ]);
    expect(await countRows(store)).toEqual({
      leads: 10,
      conversations: 10,
      messages_inbound: 39,
      messages_outbound: 20,
      open_tickets: 8,
    });
  });

  it('says of the three bad lines which they are and what is wrong with them', async () => {
    const store = await backend.open();
    const { problems } = await replayFiles(store, [DEMO]);
    const shown = problems.map(
      ({ origin, reason }) => `${origin.slice(origin.lastIndexOf('/') + 1)} ${reason}`,
    );
    expect(shown.sort()).toEqual([
      'demo-day.ndjson:42 invalid_json',
      'demo-day.ndjson:51 missing_id',
      'demo-day.ndjson:69 gupshup_v2',
    ]);
  });

  it('knows everybody by one name, and where they came from', async () => {
    const store = await backend.open();
    await replayFiles(store, [DEMO]);
    expect(
      await select(
        store,
        `select l.phone_number as phone, l.push_name as name, l.source, l.is_active as active,
           (select count(*)::int from messages m where m.lead_id = l.id) as messages
         from leads l order by l.phone_number collate "C"`,
      ),
    ).toEqual([
      { phone: '+15550100005', name: 'Eva Miller', source: 'live_message', active: true, messages: 7 },
      { phone: '+5511900000001', name: 'Ana Souza', source: 'history_sync', active: true, messages: 12 },
      { phone: '+5511900000010', name: 'João Pedro', source: 'live_message', active: true, messages: 5 },
      {
        phone: '+5521900000002',
        name: 'Bruno Lima (Rio)',
        source: 'history_sync',
        active: true,
        messages: 9,
      },
      { phone: '+5531900000003', name: 'Carla Mendes', source: 'history_sync', active: true, messages: 9 },
      { phone: '+5541990000004', name: 'Daniel Rocha', source: 'history_sync', active: true, messages: 8 },
      { phone: '+5551900000006', name: 'Fabi (feira)', source: 'live_message', active: true, messages: 4 },
      { phone: '+5561900000007', name: null, source: 'history_sync', active: true, messages: 3 },
      { phone: '+5571900000008', name: 'Helena Prado', source: 'history_sync', active: true, messages: 2 },
      {
        phone: '+5581900000009',
        name: 'Íris Floricultura',
        source: 'state_sync',
        active: false,
        messages: 0,
      },
    ]);
    expect(await value(store, `select count(*)::int from messages where type = 'media_placeholder'`)).toBe(0);
    expect(
      await value(store, `select body from messages where edited_at is not null and direction = 'INBOUND'`),
    ).toBe('Quero duas, por favor 🙏');
  });

  it.each(Object.keys(DEMO_FORMS))('gives the same rows as %s', async (name) => {
    const plain = await backend.open();
    await replayFiles(plain, [DEMO]);
    const store = await backend.open();
    await replayFiles(store, [fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url))]);
    const rows = await normalizedDatabase(store);
    expect(rows.messages?.length).toBe(59);
    for (const [view, expected] of Object.entries(await normalizedDatabase(plain))) {
      // The raw entries are what they are in each file; all that follows from them is the same.
      if (!BY_ENTRY.has(view)) {
        expect({ view, rows: rows[view]?.map(withoutEntryTimes) }).toEqual({
          view,
          rows: expected.map(withoutEntryTimes),
        });
      }
    }
  });

  it('changes nothing when it is replayed again, shuffled and in small batches', async () => {
    const store = await backend.open();
    await replayFiles(store, [DEMO]);
    const wanted = await normalizedDatabase(store);
    const again = await replayFiles(store, [DEMO]);
    expect(again.messages).toMatchObject({ created: 0, updated: 0 });
    expect(again.tickets).toEqual({ opened: 0, refreshed: 0 });
    expect(await normalizedDatabase(store)).toEqual(wanted);

    const lines = (await readFile(DEMO, 'utf8')).trimEnd().split('\n');
    for (const seed of [1, 2, 3]) {
      const other = await backend.open();
      await replayFiles(other, [await logOf(shuffled(lines, seed))], { batchSize: seed * 3 });
      expect(await normalizedDatabase(other), `shuffle ${seed}`).toEqual(wanted);
      await other.close();
    }
  });
});
