import { expect, it } from 'vitest';
import type { Store } from '../../src/store/store.js';
import { faults, runCheck } from '../support/checking.js';
import { describeOnServer } from '../support/databases.js';
import { ask } from '../support/explaining.js';
import { night } from '../support/nights.js';
import { replayBodies } from '../support/replaying.js';
import { ANA, echo, edit, live, reaction, status, wamid } from '../support/webhooks.js';

/** What waits for a message that has not come, and what was changed of it. */
const CHANGES = [
  { title: 'a status', body: status('Z', 'read', 60), sets: `payload = '{"status": "sent"}'` },
  { title: 'the time of a status', body: status('Z', 'read', 60), sets: `at = at + interval '1 hour'` },
  {
    title: 'a reaction',
    body: reaction('Z', 60, '👍'),
    sets: `payload = jsonb_set(payload, '{emoji}', '"👎"')`,
  },
  {
    title: 'an edit',
    body: edit('Z', 'EZ', 60, { type: 'text', text: { body: 'edited' } }),
    sets: `payload = replace(payload::text, 'edited', 'forged')::jsonb`,
  },
];

const waiting = (store: Store): Promise<unknown[]> =>
  store.sql.query('select kind, fact_key, at, payload from pending_facts order by kind');

describeOnServer('what waits for its message', (backend) => {
  it.each(CHANGES)('is what its entry says: $title', async ({ body, sets }) => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0), body]);
    const before = await waiting(store);
    expect(before).toHaveLength(1);
    expect(faults(await runCheck(store, 'raw_log'))).toEqual([]);
    await store.sql.execute(`update pending_facts set ${sets}`);
    expect(await waiting(store)).not.toEqual(before);
    expect(faults(await runCheck(store, 'raw_log'))).toEqual([expect.stringMatching(`^\\* ${wamid('Z')} `)]);
    expect((await ask(store, wamid('Z'))).findings).not.toEqual([]);
    await night(store);
    expect(await waiting(store)).toEqual(before);
    expect(faults(await runCheck(store, 'raw_log'))).toEqual([]);
  });

  it('comes to the message as the log has it', async () => {
    const store = await backend.open();
    await replayBodies(store, [status('Z', 'read', 60)]);
    await store.sql.execute(`update pending_facts set payload = '{"status": "sent"}'`);
    await night(store);
    await replayBodies(store, [echo('Z', 0, { to: ANA })]);
    expect(await store.sql.query('select status from messages')).toEqual([{ status: 'read' }]);
  });
});
