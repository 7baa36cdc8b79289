import { expect, it } from 'vitest';
import { describeOnServer } from '../support/databases.js';
import { ask } from '../support/explaining.js';
import { replayBodies, replayLog } from '../support/replaying.js';
import { ANA, BRU, live, wamid } from '../support/webhooks.js';

const LOG = [live('A1', 0), live('A2', 5), live('B1', 9, { from: BRU }), live('B2', 12, { from: BRU })];
const ENTRY_OF_A1 = `(select batch_id from messages where body = 'A1')`;
const MOVED = `update messages m set lead_id = o.lead_id, conversation_id = o.conversation_id
  from messages o where o.body = 'B1'`;

const MISFILED = { outcome: 'different', reason: 'misfiled', count: 1 };
const MISSING = { outcome: 'missing', reason: 'in_another_conversation' };
const STRANGE = { outcome: 'different', reason: 'in_another_conversation' };

const CASES = [
  {
    what: 'an entry under another contact',
    change: `update webhook_log set chat_ids = '{+${BRU}}' where id = ${ENTRY_OF_A1}`,
    ana: MISFILED,
    bru: MISFILED,
  },
  {
    what: 'an entry under one contact more',
    change: `update webhook_log set chat_ids = chat_ids || '{+${BRU}}' where id = ${ENTRY_OF_A1}`,
    ana: MISFILED,
    bru: MISFILED,
  },
  {
    what: 'a message under another lead',
    change: `${MOVED} and m.body = 'A1'`,
    ana: { ...MISSING, count: 1 },
    bru: { ...STRANGE, count: 1 },
  },
  {
    what: 'all messages under another lead',
    change: `${MOVED} and m.body like 'A%'`,
    ana: { ...MISSING, count: 2 },
    bru: { ...STRANGE, count: 2 },
  },
];

describeOnServer('explain of a contact finds', (backend) => {
  it.each(CASES)('$what, from both sides, until a replay', async ({ change, ana, bru }) => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    expect((await ask(store, `+${BRU}`)).findings).toEqual([]);
    expect(await store.sql.execute(change)).toBe(ana.count);
    expect((await ask(store, `+${ANA}`)).findings).toMatchObject([ana]);
    const { findings, remedies } = await ask(store, `+${BRU}`);
    expect(findings).toMatchObject([bru]);
    expect(remedies).toMatchObject([
      { do: 'replay_all' },
      {
        do: 'explain',
        subject: bru === MISFILED ? (expect.stringMatching(/^log:/) as string) : wamid('A1'),
      },
    ]);
    await replayLog(store, { which: 'all' });
    expect((await ask(store, `+${ANA}`)).findings).toEqual([]);
    expect((await ask(store, `+${BRU}`)).findings).toEqual([]);
  });
});
