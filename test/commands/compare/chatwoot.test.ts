import { expect, it } from 'vitest';
import { CLOUD_INBOX, fillChatwoot, WEB_INBOX } from '../../support/crm/chatwoot.js';
import { compareAll, expectFound, findsWhatIsPlanted, replayDay } from '../../support/crm/comparing.js';
import { useCrmDatabases } from '../../support/crm/database.js';
import { CLOUD, createDay, WEB } from '../../support/crm/day.js';
import type { Bug } from '../../support/crm/expectation.js';
import { exportTables } from '../../support/crm/exporting.js';
import { describeOnBackends } from '../../support/databases.js';

const BUGS: readonly Bug[] = ['first_of_batch_only', 'lid_split', 'doubled_redelivery', 'random_loss'];

const databases = useCrmDatabases();

describeOnBackends('compare chatwoot', (backend) => {
  findsWhatIsPlanted(backend, databases, { crm: 'chatwoot', fill: fillChatwoot, bugs: BUGS });

  it('finds in files of its tables what it finds in the database', async () => {
    const store = await backend.open();
    const day = createDay({ seed: 21, count: 200, batched: true });
    await replayDay(store, day);
    const { crm, expectation } = await databases.filled(fillChatwoot, day, BUGS);
    const tables = [
      'messages',
      'inboxes',
      'conversations',
      'contacts',
      'contact_inboxes',
      'channel_whatsapp',
      'attachments',
    ];
    const files = await exportTables(crm.sql, tables);
    const found = await compareAll(store, 'chatwoot', files);
    expectFound(found, expectation);
    const inDatabase = await compareAll(store, 'chatwoot', { kind: 'database', url: crm.url });
    expect(found.items.sort(byRow)).toEqual(inDatabase.items.sort(byRow));
    // People are known by the messages that they share with one of ours, where contacts are missing.
    const few = await exportTables(crm.sql, ['messages', 'conversations', 'inboxes', 'channel_whatsapp']);
    expect((await compareAll(store, 'chatwoot', few)).result.counts.lost).toBe(found.result.counts.lost);
    // Alone they do not say whose they are, so none is under another person.
    const alone = await exportTables(crm.sql, ['messages']);
    const map = [
      { connection: `+${CLOUD.number}`, crm: String(CLOUD_INBOX) },
      { connection: WEB.name, crm: String(WEB_INBOX) },
    ];
    const { counts, missingContacts } = (await compareAll(store, 'chatwoot', alone, { map })).result;
    expect(missingContacts).toEqual(['conversations']);
    expect(found.result.missingContacts).toEqual([]);
    const { same, differs, other_contact, lost, doubled } = found.result.counts;
    expect(other_contact).toBeGreaterThan(0);
    expect(counts).toMatchObject({ lost, differs, doubled, other_contact: 0, same: same + other_contact });
    // A table may have no row, but not that of the messages.
    await crm.sql('delete from attachments');
    const withEmpty = await compareAll(store, 'chatwoot', await exportTables(crm.sql, tables));
    expect(withEmpty.result.counts.lost).toBe(found.result.counts.lost);
    await crm.sql('delete from messages');
    await expect(compareAll(store, 'chatwoot', await exportTables(crm.sql, tables))).rejects.toMatchObject({
      code: 'crm_export_empty',
    });
  });

  it('reads old versions, which lack columns and tables', async () => {
    const store = await backend.open();
    const day = createDay({ seed: 22, count: 200, batched: true });
    await replayDay(store, day);
    const { crm, expectation } = await databases.filled(fillChatwoot, day, ['random_loss']);
    await crm.sql(`
      drop table channel_whatsapp;
      alter table contacts drop column identifier cascade;
      alter table messages drop column status, drop column content_type, drop column content_attributes,
        drop column sender_type, drop column sentiment, drop column processed_message_content`);
    // Nothing says which number the inbox is.
    const map = [{ connection: `+${CLOUD.number}`, crm: String(CLOUD_INBOX) }];
    const { result } = await compareAll(store, 'chatwoot', { kind: 'database', url: crm.url }, { map });
    const lost = [...expectation.messages.values()].filter(({ class: name }) => name === 'lost');
    expect(result.counts).toMatchObject({ lost: lost.length, differs: 0, other_contact: 0 });
    expect(result.connections).toHaveLength(2);
  });

  backend.once('takes no table that a program of another kind calls messages', async () => {
    const store = await backend.open();
    await replayDay(store, createDay({ seed: 23, count: 20, batched: false }));
    const crm = await databases.empty();
    await crm.sql('create table messages (id int, content text); create table inboxes (id int)');
    await expect(compareAll(store, 'chatwoot', { kind: 'database', url: crm.url })).rejects.toThrow(
      'the column "inbox_id" of "messages"',
    );
  });

  backend.once('expects echoes from the first one on that the CRM keeps', async () => {
    const store = await backend.open();
    const day = createDay({ seed: 24, count: 300, batched: true });
    await replayDay(store, day);
    const { crm, expectation } = await databases.filled(fillChatwoot, day);
    const echoes = day.messages.filter(({ via, type }) => via === 'echo' && type === 'text');
    const [first, lost, ...kept] = echoes.slice(Math.floor(echoes.length / 2));
    const stored = [first, ...kept].filter((message) => message !== undefined);
    for (const { id, body, at, person } of stored) {
      await crm.sql(
        `insert into messages (content, account_id, inbox_id, conversation_id, message_type, source_id, content_attributes,
           created_at, updated_at)
         select $1, 1, c.inbox_id, c.id, 1, $2, to_json('{"external_echo": true}'::text), to_timestamp($3), to_timestamp($3)
         from conversations c join contact_inboxes a on a.id = c.contact_inbox_id
         where c.inbox_id = $4 and a.source_id = $5 limit 1`,
        [body, id, at, CLOUD_INBOX, person.crmPhone],
      );
    }
    const { items, result } = await compareAll(store, 'chatwoot', { kind: 'database', url: crm.url });
    const classOf = (id: string | undefined) => items.find(({ externalId }) => externalId === id)?.class;
    expect(stored.length).toBeGreaterThan(3);
    expect(stored.map(({ id }) => classOf(id))).toEqual(stored.map(() => 'same'));
    expect(classOf(lost?.id)).toBe('lost');
    expect(echoes.slice(0, echoes.indexOf(first ?? fail())).map(({ id }) => classOf(id))).not.toContain(
      'lost',
    );
    expect(result.connections[0]?.notKept.echo).toBeGreaterThan(0);
    expect(expectation.messages.get(lost?.id ?? '')?.class).toBe('not_kept_by_design');
  });
});

function byRow(a: { rowId: string | null; externalId: string | null }, b: typeof a): number {
  const [left, right] = [a, b].map(({ rowId, externalId }) => `${rowId ?? ''} ${externalId ?? ''}`);
  return (left ?? '') < (right ?? '') ? -1 : 1;
}

function fail(): never {
  throw new Error('the day has no echoes');
}
