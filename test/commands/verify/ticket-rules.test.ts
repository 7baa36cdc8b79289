import { expect, it } from 'vitest';
import type { Store } from '../../../src/store/store.js';
import { runCheck, faults } from '../../support/checking.js';
import { describeOnBackends } from '../../support/databases.js';
import { replayBodies } from '../../support/replaying.js';
import {
  ANA,
  BRU,
  CAR,
  echo,
  history,
  item,
  live,
  old,
  SECOND,
  wamid,
  webhook,
} from '../../support/webhooks.js';

async function change(store: Store, assignments: string, condition = 'true'): Promise<void> {
  expect(await store.sql.execute(`update tickets set ${assignments} where ${condition}`)).toBeGreaterThan(0);
}

function ofLead(phone: string): string {
  return `lead_id = (select id from leads where phone_number = '+${phone}')`;
}

/** What is wrong with the tickets, without their ids. */
async function problems(store: Store): Promise<string[]> {
  const lines = faults(await runCheck(store, 'ticket_rules'));
  return lines.map((line) => line.replace(/^\* ticket \S+ /, ''));
}

/** Ana's ticket: two live messages, of somebody new. */
async function openTicket(store: Store): Promise<void> {
  await replayBodies(store, [live('A1', 0), live('A2', 60), echo('A3', 120)]);
  expect(await problems(store)).toEqual([]);
}

describeOnBackends('the ticket rules', (backend) => {
  backend.once(
    'T1: the message that opened a ticket is there, live, inbound and of its conversation',
    async () => {
      const store = await backend.open();
      await openTicket(store);
      await replayBodies(store, [live('B1', 0, { from: BRU }), history([old('A0', 0)])]);
      for (const id of [wamid('A3'), wamid('B1', BRU), wamid('A0'), 'wamid.nobody']) {
        await change(store, `opened_by_external_id = '${id}'`, ofLead(ANA));
        expect(await problems(store)).toContain(
          `opened by ${id}, which is not a live inbound message of its conversation`,
        );
      }
      await change(store, `opened_by_external_id = null`);
      expect(await problems(store)).toEqual(['no message opened it', 'no message opened it']);
    },
  );

  it('T1: a ticket was opened when its message came', async () => {
    const store = await backend.open();
    await openTicket(store);
    await change(store, `opened_at = opened_at - interval '1 hour'`);
    expect(await problems(store)).toEqual([
      'opened at 2025-09-16T04:20:00.000Z, its message arrived at 2025-09-16T05:20:00.000Z',
    ]);
  });

  backend.once('T1: its last inbound message is the newest live one, neither later nor earlier', async () => {
    const store = await backend.open();
    await openTicket(store);
    for (const at of ['05:20:00', '05:30:00']) {
      await change(
        store,
        `last_inbound_at = '2025-09-16 ${at}Z', message_window_expires_at = '2025-09-17 ${at}Z'`,
      );
      expect(await problems(store)).toEqual([
        `last inbound message at 2025-09-16T${at}.000Z instead of 2025-09-16T05:21:00.000Z`,
      ]);
    }
  });

  backend.once('T1: a message on standby was for another program, and refreshes nothing', async () => {
    const store = await backend.open();
    await openTicket(store);
    await replayBodies(store, [webhook('standby', { standby: { messages: [item('A9', 900)] } })]);
    expect(await problems(store)).toEqual([]);
    // The same message live, too: now it counts, whatever entry brought it first.
    await replayBodies(store, [live('A9', 900)]);
    expect(await problems(store)).toEqual([]);
  });

  backend.once(
    'T3: the window is 24 h after the last inbound message, and none for a history lead',
    async () => {
      const store = await backend.open();
      await openTicket(store);
      await change(store, `message_window_expires_at = message_window_expires_at + interval '1 day'`);
      expect(await problems(store)).toEqual([
        'window until 2025-09-18T05:21:00.000Z instead of 2025-09-17T05:21:00.000Z (live_message)',
      ]);
      await change(store, `message_window_expires_at = null`);
      expect(await problems(store)).toEqual([
        'window until none instead of 2025-09-17T05:21:00.000Z (live_message)',
      ]);

      await replayBodies(store, [history([old('A0', -900)])]);
      expect(await problems(store)).toEqual([]);
      await change(store, `message_window_expires_at = last_inbound_at + interval '24 hours'`);
      expect(await problems(store)).toEqual([
        'window until 2025-09-17T05:21:00.000Z instead of none (history_sync)',
      ]);
    },
  );

  backend.once('T4: the origin follows the source of the lead, and what it had before', async () => {
    const store = await backend.open();
    await openTicket(store);
    await replayBodies(store, [
      live('A9', 600, {}, SECOND),
      history([old('B0', -900, { from: BRU })], {}, { id: BRU }),
      live('B1', 0, { from: BRU }),
    ]);
    expect(await problems(store)).toEqual([]);
    await change(
      store,
      `originated_from = case originated_from when 'new_contact' then 'existing' else 'new_contact' end`,
    );
    expect((await problems(store)).sort()).toEqual([
      'origin existing instead of new_contact (live_message)',
      'origin new_contact instead of existing (live_message)',
      'origin new_contact instead of history_lead (history_sync)',
    ]);
  });

  it('names each broken ticket once, and the command that mends it', async () => {
    const store = await backend.open();
    await openTicket(store);
    await replayBodies(store, [live('B1', 0, { from: BRU })]);
    await change(
      store,
      `message_window_expires_at = null, originated_from = 'existing'`,
      `last_inbound_at > '2025-09-16 05:20:30Z'`,
    );
    const { result, items } = await runCheck(store, 'ticket_rules');
    expect(result).toMatchObject({
      status: 'findings',
      checked: 2,
      found: 1,
      remedy: 'wa-reconcile verify --enforce',
      summary: '1 open ticket does not follow the open/close rules',
      samples: [{ connection: '+5511900000000' }],
    });
    expect(items.map(({ sign }) => sign).sort()).toEqual(['*', '=']);
  });

  it('leaves alone what people opened, what another program moved on, and what is closed', async () => {
    const store = await backend.open();
    await replayBodies(
      store,
      [ANA, BRU, CAR].map((from) => live('X1', 0, { from })),
    );
    const nonsense = `message_window_expires_at = null, opened_by_external_id = 'x', originated_from = 'existing'`;
    await change(store, `${nonsense}, source = 'manual'`, ofLead(ANA));
    await change(store, `${nonsense}, stage = 'negotiation'`, ofLead(BRU));
    await change(store, `${nonsense}, status = 'closed', closed_at = opened_at`, ofLead(CAR));
    expect((await runCheck(store, 'ticket_rules')).result).toMatchObject({ status: 'ok', checked: 0 });
  });

  it('looks at one connection, or at tickets of late, when asked to', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0), live('B1', 3_600, { from: BRU }, SECOND)]);
    await change(store, `opened_by_external_id = null`);
    expect((await runCheck(store, 'ticket_rules')).result.found).toBe(2);
    const one = await runCheck(store, 'ticket_rules', { connection: '+5511900000099' });
    expect(one.result.samples).toMatchObject([{ connection: '+5511900000099' }]);
    const late = await runCheck(store, 'ticket_rules', { since: Date.parse('2025-09-16T06:00:00Z') });
    expect(late.result.samples).toMatchObject([{ connection: '+5511900000099' }]);
  });
});
