import { expect, it } from 'vitest';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { runCheck } from '../support/checking.js';
import { dumpDatabase } from '../support/damage.js';
import { describeOnServer } from '../support/databases.js';
import { ask } from '../support/explaining.js';
import { night } from '../support/nights.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { ANA, BRU, history, live, old } from '../support/webhooks.js';

const LOG = [
  history([old('H1', -900)], { progress: 100 }),
  live('A1', 0),
  live('A2', 10),
  live('B1', 40, { from: BRU }),
];

/** What is derived of one contact, what somebody made of it, and the check of `verify` that says so. */
const CHANGES = [
  [
    'the phone of a lead',
    `update leads set phone_number = '+5531999998888' where id = $1`,
    'lead_values',
    'phone',
  ],
  ['a lead’s missing phone', `update leads set phone_number = null where id = $1`, 'lead_values', 'phone'],
  ['the source of a lead', `update leads set source = 'live_message' where id = $1`, 'lead_values', 'source'],
  [
    'the first time of a lead',
    `update leads set first_seen_at = first_seen_at - interval '1 day' where id = $1`,
    'lead_values',
    'first-seen time',
  ],
  [
    'the last message of a lead',
    `update leads set last_message_at = null where id = $1`,
    'conversation_times',
    'last message',
  ],
  [
    'the last message of a conversation',
    `update conversations set last_message_at = last_message_at + interval '1 day' where lead_id = $1`,
    'conversation_times',
    'last message',
  ],
  [
    'the window of a ticket',
    `update tickets set message_window_expires_at = now() where lead_id = $1`,
    'ticket_rules',
    'window until',
  ],
] as const;

async function leadOf(store: Store, phone: string): Promise<string> {
  const [row] = await store.sql.query(
    `select lead_id from lead_identities where kind = 'phone' and value = $1`,
    [`+${phone}`],
  );
  return String(row?.['lead_id']);
}

describeOnServer('explain and verify of a contact', (backend) => {
  it.each(CHANGES)('give one answer when somebody changed %s', async (_, statement, check, what) => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    for (const phone of [ANA, BRU]) expect((await ask(store, `+${phone}`)).findings).toEqual([]);
    expect(await store.sql.execute(statement, [await leadOf(store, ANA)])).toBeGreaterThan(0);
    const explained = await ask(store, `+${ANA}`);
    expect((await runCheck(store, check)).result.found).toBeGreaterThan(0);
    expect(explained.findings.length).toBeGreaterThan(0);
    for (const finding of explained.findings)
      expect(finding).toMatchObject({ outcome: 'different', reason: 'derived' });
    expect(explained.verdict).toContain(what);
    expect(explained.remedies).toEqual([{ do: 'enforce' }]);
    expect((await ask(store, `+${BRU}`)).findings).toEqual([]);
    await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: true });
    expect((await ask(store, `+${ANA}`)).findings).toEqual([]);
  });

  it('show a phone that somebody changed to whoever asks for the new one', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await store.sql.execute(CHANGES[0][1], [await leadOf(store, ANA)]);
    const { verdict, findings, remedies } = await ask(store, '+5531999998888');
    expect(verdict).toContain('phone');
    expect(findings).toMatchObject([{ outcome: 'different', reason: 'derived' }]);
    expect(remedies).toEqual([{ do: 'enforce' }]);
    await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: true });
    expect((await ask(store, '+5531999998888')).verdict).toContain('No data found');
    expect((await ask(store, `+${ANA}`)).findings).toEqual([]);
  });
});

const TABLES = ['leads', 'conversations', 'tickets'];

async function derivedRows(store: Store): Promise<unknown> {
  const dump = await dumpDatabase(store);
  return TABLES.map((table) => (dump[table] ?? []).map((row) => ({ ...row, last_synced_at: null })));
}

describeOnServer('reconcile --apply', (backend) => {
  it.each(CHANGES)('corrects and counts %s that somebody changed', async (_, statement) => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await night(store, { apply: true });
    const sound = await derivedRows(store);
    for (const full of [false, true]) {
      expect(await store.sql.execute(statement, [await leadOf(store, ANA)])).toBeGreaterThan(0);
      expect((await night(store)).figures).toMatchObject({ corrected: 0 });
      const { figures, verdict } = await night(store, { apply: true, full });
      expect(figures).toMatchObject({ lost: 0, degraded: 0, findings: 0 });
      if (!full) expect(figures.corrected).toBeGreaterThan(0);
      if (!full) expect(verdict).toMatch(/\d corrected/);
      expect(await derivedRows(store)).toEqual(sound);
    }
  });
});
