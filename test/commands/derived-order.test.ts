import { expect, it } from 'vitest';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { describeOnServer } from '../support/databases.js';
import { night } from '../support/nights.js';
import { normalizedDatabase } from '../support/normalized.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { BRU, echo, history, live, old, SECOND, wamid } from '../support/webhooks.js';

const LOG = [
  history([old('B0', -900, { from: BRU, id: wamid('B0', BRU) })], { progress: 100 }, { id: BRU }),
  live('A1', 0),
  live('A2', 60),
  echo('O1', 100),
  live('A3', 200, {}, SECOND),
  live('B1', 300, { from: BRU }),
];

const DAY = `interval '1 day'`;

/** What somebody changed in derived values, and the checks that say so: only those of the rows that are wrong. */
const DAMAGES = [
  [
    'conversations that begin too early',
    `update conversations set first_message_at = first_message_at - ${DAY}`,
    ['conversation_times'],
  ],
  [
    'conversations that begin too late',
    `update conversations set first_message_at = first_message_at + ${DAY}`,
    ['conversation_times'],
  ],
  [
    'conversations that begin with another source',
    `update conversations set first_message_source = case first_message_source when 'history' then 'live' else 'history' end`,
    ['conversation_times'],
  ],
  [
    'conversations that end too late',
    `update conversations set last_message_at = last_message_at + ${DAY}`,
    ['conversation_times'],
  ],
  [
    'leads that end too late',
    `update leads set last_message_at = last_message_at + ${DAY}`,
    ['conversation_times'],
  ],
  [
    'leads of another source',
    `update leads set source = case source when 'history_sync' then 'live_message' else 'history_sync' end`,
    ['lead_values'],
  ],
  [
    'conversations and leads that begin too early',
    `with c as (update conversations set first_message_at = first_message_at - ${DAY})
     update leads set first_seen_at = first_seen_at - ${DAY}`,
    ['conversation_times', 'lead_values'],
  ],
  [
    'leads of another source, and tickets that follow it',
    `with t as (update tickets set originated_from = 'history_lead', message_window_expires_at = null)
     update leads set source = 'history_sync'`,
    ['ticket_rules', 'lead_values'],
  ],
  [
    'tickets of other times',
    `update tickets set opened_at = opened_at - ${DAY}, last_inbound_at = last_inbound_at - ${DAY}`,
    ['ticket_rules'],
  ],
] as const;

async function found(store: Store): Promise<string[]> {
  const { checks } = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
  return checks.flatMap(({ status, check }) => (status === 'findings' ? check : []));
}

describeOnServer('a derived value that somebody changed', (backend) => {
  it.each(DAMAGES)('%s: is told of the wrong row alone, and a night mends it', async (_, damage, checks) => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await night(store, { apply: true });
    const before = await normalizedDatabase(store);
    const lost = `delete from messages where body = 'A2'`;
    // Where a message is restored in the same night, its replay meets the damage, too.
    for (const full of [true, false]) {
      expect(await store.sql.execute(damage)).toBeGreaterThan(0);
      if (full) expect(await found(store)).toEqual(checks);
      else expect(await store.sql.execute(lost)).toBe(1);
      expect((await night(store, { apply: true, full })).status).toBe('completed');
      expect(await found(store)).toEqual([]);
      expect(await normalizedDatabase(store)).toEqual(before);
    }
  });

  it('a replay carries no wrong end of a conversation into its lead', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const { leads } = await normalizedDatabase(store);
    await store.sql.execute(
      `update conversations set first_message_at = first_message_at - ${DAY}, last_message_at = last_message_at + ${DAY}`,
    );
    await replayLog(store, { which: 'all' });
    expect((await normalizedDatabase(store)).leads).toEqual(leads);
    expect(await found(store)).toEqual([]);
  });
});
