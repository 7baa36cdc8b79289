import { expect, it } from 'vitest';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { describeOnBackends } from '../support/databases.js';
import { night } from '../support/nights.js';
import { normalizedDatabase } from '../support/normalized.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { echo, edit, item, live, reaction, status } from '../support/webhooks.js';

const LOG = [
  live('A1', 0),
  echo('A2', 10),
  status('A2', 'delivered', 11),
  status('A2', 'read', 12),
  echo('A3', 20),
  reaction('A1', 30, '👍'),
  edit('A1', 'E1', 40, item('E1', 40, { text: { body: 'better' } })),
  status('LATE', 'read', 50),
];

/** Days go by, in which nothing comes in: no entry is new to the next run. */
async function settle(store: Store): Promise<void> {
  await store.sql.execute(
    `update webhook_log set created_at = created_at - interval '2 days', processed_at = processed_at - interval '2 days'`,
  );
}

function verified(store: Store) {
  return verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
}

/** What another program changes long after the last run. */
const DAMAGES = {
  'an earlier text': `update message_revisions set body = 'q' where version = 'original'`,
  'a reaction': `update message_reactions set emoji = 'x' where emoji is not null`,
  'a reaction, to one that sorts after it': `update message_reactions set emoji = '🫶' where emoji is not null`,
  'a pending update': `update pending_facts set payload = '{}'`,
  'a pending update that is gone': `delete from pending_facts`,
  'the text of an edit': `update messages set body = 'q' where body = 'better'`,
  'a status that went back, beside one that went on': `update messages set status = case body when 'A2' then 'sent' else 'read' end
    where body in ('A2', 'A3')`,
  'the name of a contact': `update lead_identities set value = '+5511900000444' where kind = 'phone'`,
};

describeOnBackends('a log that is older than the last run', (backend) => {
  for (const [what, damage] of backend.some(Object.entries(DAMAGES), ([what]) => what === 'a pending update'))
    it(`is compared all the same when another program changes ${what}`, async () => {
      const store = await backend.open();
      await replayBodies(store, LOG);
      await settle(store);
      await night(store, { apply: true });
      expect(await store.sql.execute(damage)).toBeGreaterThan(0);
      expect((await verified(store)).findings).toBeGreaterThan(0);
      const { figures } = await night(store, { dryRun: true });
      expect(figures.lost + figures.degraded).toBeGreaterThan(0);
      await night(store, { apply: true });
      expect(await verified(store)).toMatchObject({ findings: 0 });
    });

  backend.once('is compared only once if nothing has changed', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const before = await normalizedDatabase(store);
    await settle(store);
    await night(store, { apply: true });
    const next = await night(store, { apply: true });
    expect(next.since).not.toBeNull();
    expect(next.figures).toMatchObject({ messages: 0, lost: 0, unchanged: 3 });
    expect(await normalizedDatabase(store)).toEqual(before);
  });
});
