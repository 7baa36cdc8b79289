import { expect, it } from 'vitest';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { describeOnServer } from '../support/databases.js';
import { replayBodies, replayFiles, replayLog, testContext } from '../support/replaying.js';
import { value } from '../support/shown.js';
import { BRU, live } from '../support/webhooks.js';

const N8N = new URL('../../fixtures/demo-day-n8n.json', import.meta.url).pathname;
const EARLY = '2025-09-16T08:00:00.000Z';
const LATE = '2025-09-16T18:21:00.000Z';

const timed = live('A', 0);
const timeless = live('B', 0, { from: BRU, timestamp: undefined });

/** What differs from the log; `summary`: whether the words say that anything does. */
async function differences(store: Store) {
  const { checks } = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
  const rawLog = checks.find(({ check }) => check === 'raw_log');
  return {
    missing: rawLog?.missing,
    restorable: rawLog?.restorable,
    summary: rawLog?.summary.includes('different'),
  };
}

describeOnServer('an entry that holds several bodies, each with a time beside it', (backend) => {
  it.each<[string, unknown, string | null]>([
    [
      'a later time',
      [
        { received_at: EARLY, body: timed },
        { received_at: LATE, body: timeless },
      ],
      LATE,
    ],
    [
      'the first time',
      [
        { received_at: EARLY, body: timeless },
        { received_at: LATE, body: timed },
      ],
      EARLY,
    ],
    ['no time, behind one with', [{ received_at: EARLY, body: timed }, { body: timeless }], null],
    ['no time, before one with', [{ body: timeless }, { received_at: EARLY, body: timed }], null],
    [
      'the same time',
      [
        { received_at: LATE, body: timed },
        { received_at: LATE, body: timeless },
      ],
      LATE,
    ],
  ])('%s: whoever reads it again gives the message the same', async (_, data, at) => {
    const store = await backend.open();
    await replayBodies(store, [{ data }]);
    const stored = () =>
      value(
        store,
        `select to_char(max(timestamp) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') from messages m
         join leads l on l.id = m.lead_id where l.phone_number = '+${BRU}'`,
      );
    expect(await stored()).toBe(at);
    expect(await differences(store)).toEqual({ missing: 0, restorable: 0, summary: false });
    const { messages } = await replayLog(store, { which: 'all' });
    expect(messages).toMatchObject({ created: 0, updated: 0 });
    expect(await stored()).toBe(at);
  });

  it('is what n8n exports of the demo day', async () => {
    const store = await backend.open();
    await replayFiles(store, [N8N]);
    expect(await differences(store)).toEqual({ missing: 0, restorable: 0, summary: false });
  });
});
