import { expect, it } from 'vitest';
import { describeOnServer } from '../support/databases.js';
import { expectOneDatabase } from '../support/orders.js';
import { select, value } from '../support/shown.js';
import { echo, live, status, wamid } from '../support/webhooks.js';

const OWN_ID = '2baff204-c39a-4121-90b5-f53f26d522b3';

describeOnServer('what Gupshup (v3) hands on reaches the messages that Meta means', (backend) => {
  it('M3: a status finds its message by meta_msg_id, and nothing is left pending', async () => {
    const store = await expectOneDatabase(backend, [
      echo('A1', 0),
      status('A1', 'read', 5, { id: OWN_ID, gs_id: OWN_ID, meta_msg_id: wamid('A1') }),
      live('A2', 9, { context: { id: OWN_ID, gs_id: OWN_ID, meta_msg_id: wamid('A1') } }),
    ]);
    expect(
      await select(
        store,
        `select external_id as id, status, context_external_id as reply from messages order by timestamp`,
      ),
    ).toEqual([
      { id: wamid('A1'), status: 'read', reply: null },
      { id: wamid('A2'), status: 'delivered', reply: wamid('A1') },
    ]);
    expect(await value(store, 'select count(*)::int from pending_facts')).toBe(0);
  });
});
