import { expect, it } from 'vitest';
import { CHECK_NAMES, type VerifyResult } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { dumpDatabase } from '../support/damage.js';
import { describeOnServer } from '../support/databases.js';
import { ask } from '../support/explaining.js';
import { night } from '../support/nights.js';
import { normalizedDatabase } from '../support/normalized.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { ANA, BRU, edit, history, live, old, reaction, status } from '../support/webhooks.js';

const LOG = [
  history([old('H1', -900)], { progress: 100 }),
  live('A1', 0),
  live('A2', 10),
  edit('A1', 'A1-edited', 30, { type: 'text', text: { body: 'A1, better' } }),
  reaction('A2', 40, '👍'),
  live('B1', 50, { from: BRU }),
  status('LATER', 'delivered', 55),
];

const ONE_MESSAGE = `(select id from messages where body = 'A2')`;

/** What another program may write into a table, which reads it as nothing any reader takes; and how the row is named. */
const WRITTEN: readonly (readonly [damage: string, named: RegExp])[] = [
  [`update messages set media = '[]' where id = ${ONE_MESSAGE}`, /^messages \S+: .*media$/],
  [
    `update messages set media = '"x"', raw_meta = '[]' where id = ${ONE_MESSAGE}`,
    /^messages .*media, raw_meta$/,
  ],
  [`update message_revisions set media = '[]'`, /^message_revisions \S+ original: .*media$/],
  [`update pending_facts set payload = '[]'`, /^pending_facts .*payload$/],
  [`update webhook_log set counters = '[]'`, /^webhook_log .*counters$/],
  [`update sync_runs set options = '[]', counters = '"created"'`, /^sync_runs .*options, counters$/],
  [`update messages set timestamp = 'infinity' where id = ${ONE_MESSAGE}`, /^messages .*timestamp$/],
  [`update messages set timestamp = '0044-03-15 BC' where id = ${ONE_MESSAGE}`, /^messages .*timestamp$/],
  [
    `update messages set timestamp = '290000-01-01', edited_at = '-infinity'`,
    /^messages .*timestamp, edited_at$/,
  ],
  [`update webhook_log set received_at = 'infinity'`, /^webhook_log .*received_at$/],
  [`update tickets set opened_at = 'infinity'`, /^tickets .*opened_at$/],
  [`update tickets set status = 'closed', closed_at = 'infinity'`, /^tickets .*closed_at$/],
  [
    `update lead_identities set value = '' where kind = 'phone' and value = '+${ANA}'`,
    /^lead_identities phone ""/,
  ],
  [
    `update lead_identities set value = '+55419x' where value = '+${ANA}'`,
    /^lead_identities phone "\+55419x"/,
  ],
];

function check(store: Store, enforce = false): Promise<VerifyResult> {
  return verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce });
}

function namedIn({ checks }: VerifyResult): string[] {
  const samples = checks.find(({ check }) => check === 'consistency')?.samples ?? [];
  return samples.map(({ subject, detail }) => `${subject}: ${detail}`);
}

describeOnServer('a value that no reader takes', (backend) => {
  it.each(WRITTEN)('is a finding of its row, and a night ends in spite of it: %s', async (damage, named) => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const before = await normalizedDatabase(store);
    await store.sql.execute(damage);
    expect(namedIn(await check(store))[0]).toMatch(named);
    await ask(store, `+${ANA}`);
    const result = await night(store, { apply: true });
    expect(result.figures).toMatchObject({ lost: 0, degraded: 0 });
    expect(namedIn(await check(store))).toEqual([]);
    // Of a ticket's closing nothing else is known, and what is received and counted, only the entry's run knew.
    if (!/tickets|webhook_log|sync_runs/.test(damage))
      expect(await normalizedDatabase(store)).toEqual(before);
  });

  it('is cleared by verify --enforce, which leaves all other rows as they are', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    expect(await check(store, true)).toMatchObject({ findings: 0, recomputed: { malformed: 0 } });
    const before = await dumpDatabase(store);
    await store.sql.execute(`update message_revisions set media = '[]'`);
    await store.sql.execute(`update messages set meta_confirmed_at = 'infinity' where id = ${ONE_MESSAGE}`);
    expect(await check(store, true)).toMatchObject({ recomputed: { malformed: 2 } });
    const { messages, message_revisions: revisions } = await dumpDatabase(store);
    expect({ messages, revisions }).toEqual({
      messages: before['messages'],
      revisions: before['message_revisions'],
    });
  });
});
