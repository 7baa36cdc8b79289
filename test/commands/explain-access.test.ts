import { expect, it } from 'vitest';
import type { ExplainOptions } from '../../src/commands/explain/result.js';
import type { Store } from '../../src/store/store.js';
import { describeOnServer } from '../support/databases.js';
import { ask } from '../support/explaining.js';
import { replayBodies } from '../support/replaying.js';
import { select } from '../support/shown.js';
import { ANA, BRU, edit, history, live, liveFrom, old, reaction, wamid } from '../support/webhooks.js';

const TEXT = { type: 'text', text: { body: 'A, edited' } };

/** Two messages of Ana, one of them edited, several times told and reacted to; and one of Bru. */
const LOG = [
  liveFrom('Ana', 'A', 0),
  edit('A', 'A2', 10, TEXT),
  reaction('A', 20, '👍'),
  live('B', 30),
  history([old('A', 0), old('B', 30)], { progress: 100 }),
  live('C', 40, { from: BRU, id: wamid('C', BRU) }),
];

/** Of whom `explain --bodies` records how many messages. */
async function recorded(
  store: Store,
  subject: string,
  options: Partial<ExplainOptions> = {},
): Promise<[phone: unknown, messages: unknown][]> {
  await store.sql.execute('delete from access_log');
  await ask(store, subject, { bodies: true, ...options });
  const rows = await select(
    store,
    `select l.phone_number as phone, a.messages::int as messages from access_log a left join leads l on l.id = a.lead_id order by 1`,
  );
  return rows.map(({ phone, messages }) => [phone, messages]);
}

async function entryOf(store: Store, at: number): Promise<string> {
  const rows = await select(store, 'select id from webhook_log order by id');
  return `log:${String(rows.at(at)?.['id'])}`;
}

describeOnServer('the record of what explain --bodies shows', (backend) => {
  it('counts messages, and neither edits nor reactions nor names', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    expect(await recorded(store, `+${ANA}`)).toEqual([[`+${ANA}`, 2]]);
    expect(await recorded(store, `+${ANA}`, { shows: 'facts' })).toEqual([[`+${ANA}`, 2]]);
    for (const shows of ['result', 'facts', 'document'] as const)
      expect(await recorded(store, wamid('A'), { shows })).toEqual([[`+${ANA}`, 1]]);
    expect(await recorded(store, await entryOf(store, 4))).toEqual([[`+${ANA}`, 2]]);
  });

  it('leaves no trace where the document for people shows no text, and counts what it lists of a contact', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const document = { shows: 'document' } as const;
    expect(await recorded(store, `+${ANA}`, document)).toEqual([]);
    await store.sql.execute(`delete from messages where body = 'B'`);
    expect(await recorded(store, `+${ANA}`, document)).toEqual([[`+${ANA}`, 1]]);
  });

  it('names the person whose name, reaction or message without a row is shown', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await replayBodies(store, [
      liveFrom('Lia', 'R', 50, {
        type: 'revoke',
        text: undefined,
        revoke: { original_message_id: wamid('B') },
      }),
    ]);
    expect(await recorded(store, await entryOf(store, -1))).toEqual([[`+${ANA}`, 0]]);
    expect(await recorded(store, await entryOf(store, 2))).toEqual([[`+${ANA}`, 0]]);
    await store.sql.execute(`delete from messages where body = 'C'`);
    expect(await recorded(store, await entryOf(store, 5))).toEqual([[`+${BRU}`, 1]]);
    expect(await recorded(store, wamid('C', BRU))).toEqual([[`+${BRU}`, 1]]);
  });
});
