import { expect, it } from 'vitest';
import { dedupe } from '../../src/commands/dedupe/dedupe.js';
import { DUPLICATE_CLASSES } from '../../src/commands/dedupe/result.js';
import { undo } from '../../src/commands/undo/undo.js';
import type { Store } from '../../src/store/store.js';
import { describeOnServer } from '../support/databases.js';
import { ask } from '../support/explaining.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { value } from '../support/shown.js';
import { ANA, live, wamid } from '../support/webhooks.js';

async function merge(store: Store): Promise<string> {
  const { runId } = await dedupe(testContext(store), {
    classes: new Set(DUPLICATE_CLASSES),
    apply: true,
    batchSize: 1000,
    force: true,
    recordedOptions: {},
  });
  return runId ?? '';
}

async function putBack(store: Store, run: string): Promise<void> {
  await undo(testContext(store), { run, force: false, dryRun: false, recordedOptions: {} });
}

/** A copy of the message under WhatsApp Web's name of it, as a program without rule M10 would have stored it. */
async function storeTwin(store: Store): Promise<string> {
  const id = '01990000-0000-7000-8000-0000000000f1';
  await store.sql.execute(
    `insert into messages (id, connection_id, external_id, stanza_id, conversation_id, lead_id, direction, type, timestamp,
       status, source, sync_source, is_sync_initial, evidence, body)
     select '${id}', connection_id, stanza_id, stanza_id, conversation_id, lead_id, direction, type, timestamp,
       'read', source, sync_source, is_sync_initial, evidence, body from messages`,
  );
  return id;
}

describeOnServer('explain after a dedupe', (backend) => {
  it('tells of the copy that was merged, under its id and at the row that stayed; and of the undo', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('KEY1', 0)]);
    const twin = await storeTwin(store);
    const run = await merge(store);
    expect(await value(store, 'select count(*)::int from messages')).toBe(1);
    for (const id of ['KEY1', wamid('KEY1')]) {
      const { messages } = await ask(store, id);
      expect(messages).toHaveLength(1);
      expect(messages[0]?.journal).toContainEqual(
        expect.objectContaining({ rowId: twin, what: 'removed', was: 'KEY1', command: 'dedupe', runId: run }),
      );
    }
    const explained = await ask(store, run);
    expect(explained.run).toMatchObject({ command: 'dedupe', journaled: { messages: 2 } });
    await putBack(store, run);
    const { messages } = await ask(store, 'KEY1');
    const back = messages.find((message) => message.id === twin);
    expect(back?.journal.map((note) => [note.command, note.what])).toEqual(
      expect.arrayContaining([
        ['dedupe', 'removed'],
        ['undo', 'put back'],
      ]),
    );
  });

  it('tells which lead was merged into the one that stayed', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('KEY1', 0)]);
    const lost = '01990000-0000-7000-8000-0000000000f2';
    // Another program's lead, in the spelling that rule I1 takes for the same phone.
    await store.sql.execute(`update leads set phone_number = '+5511987654321'`);
    await store.sql.execute(
      `update lead_identities set value = '+5511987654321' where kind = 'phone' and value = '+${ANA}'`,
    );
    await store.sql.execute(
      `insert into leads (id, organization_id, phone_number, push_name, source, first_seen_at)
       select '${lost}', organization_id, '+551187654321', 'Ana (old)', 'direct_creation', now() from leads`,
    );
    await merge(store);
    expect(await value(store, 'select count(*)::int from leads')).toBe(1);
    const { contact } = await ask(store, '+5511987654321');
    expect(contact?.merges).toMatchObject([
      { rowId: lost, what: 'merged into this lead', was: '+551187654321, Ana (old)', command: 'dedupe' },
    ]);
  });
});
