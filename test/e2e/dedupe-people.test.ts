import { describe, expect, test } from 'vitest';
import { createRandom } from '../bench/random.js';
import {
  damagedConnection,
  dropUniqueIndexes,
  insertConversation,
  insertLead,
  insertMessage,
  insertTicket,
  moment,
} from '../support/damage.js';
import { SEED } from '../support/seed.js';
import type { Store } from '../../src/store/store.js';
import { differences } from './differences.js';
import { useMachines } from './installation.js';
import { killTimes } from './killing.js';

const PEOPLE = 12;

describe.each([
  { kind: 'lead', rows: PEOPLE, databases: ['postgresql', 'pglite'] as const },
  { kind: 'conversation', rows: 2 * PEOPLE, databases: ['postgresql'] as const },
])('dedupe whose class $kind is killed', ({ kind, rows, databases }) => {
  const machines = { postgresql: useMachines('postgresql'), pglite: useMachines('pglite') };
  const command = ['dedupe', '--apply', '--batch-size', '1', '--class', kind, '--json'];
  let expected: Promise<Record<string, unknown[]>> | undefined;

  /** What one that nobody kills leaves behind: the same on both. */
  async function undisturbed(): Promise<Record<string, unknown[]>> {
    const machine = await machines.postgresql.install();
    await machine.look(doubleEveryone);
    const result = JSON.parse((await machine.run(command)).stdout) as { classes: { rows: number }[] };
    expect(result.classes.map((counts) => counts.rows)).toEqual([rows]);
    return machine.picture();
  }

  test.each(databases)(`ends as one that nobody killed, on %s (seed ${SEED})`, async (name) => {
    expected ??= undisturbed();
    const machine = await machines[name].install();
    await machine.look(doubleEveryone);
    const random = createRandom(SEED);
    const begun = await killTimes(machine, command, [random.between(0, 5), random.between(1, 4)]);
    const again = await machine.run(command);
    expect({ code: again.code, stderr: again.stderr }).toEqual({ code: 0, stderr: '' });
    if (begun > 0) expect(JSON.parse(again.stdout)).toHaveProperty('resumedFrom');
    expect(differences(await machine.picture(), await expected)).toEqual([]);
  });
});

/** People of two spellings of one number each, and each of these leads with two conversations and a ticket in each. */
async function doubleEveryone(store: Store): Promise<void> {
  await dropUniqueIndexes(store);
  const connectionId = await damagedConnection(store);
  for (let i = 0; i < PEOPLE; i += 1) {
    const number = String(10_000_000 + i).slice(1);
    for (const [n, phone] of [`+551198${number}`, `+55118${number}`].entries()) {
      const at = i * 100 + n * 10;
      const lead = await insertLead(store, {
        phone_number: phone,
        first_seen_at: moment(at),
        push_name: `P${i}`,
      });
      for (const half of [0, 1]) {
        const thread = await insertConversation(store, connectionId, lead, { created_at: moment(at + half) });
        await insertMessage(store, thread, `M${i}-${n}-${half}`, at + half);
        await insertTicket(store, thread, null, at + half);
      }
    }
  }
}
