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
import { useBackend } from '../support/databases.js';
import { SEED } from '../support/seed.js';
import type { Store } from '../../src/store/store.js';
import { differences } from './differences.js';
import { useMachines } from './installation.js';
import { killTimes } from './killing.js';

const PEOPLE = 12;

describe.each(['postgresql', 'pglite'] as const)('dedupe of people and conversations on %s', (name) => {
  const machines = useMachines(useBackend(name));

  test.each([
    { kind: 'lead', rows: PEOPLE },
    { kind: 'conversation', rows: 2 * PEOPLE },
  ])(`whose class $kind is killed ends as one that nobody killed (seed ${SEED})`, async ({ kind, rows }) => {
    const command = ['dedupe', '--apply', '--batch-size', '1', '--class', kind, '--json'];
    const quiet = await machines.install();
    await quiet.look(doubleEveryone);
    const result = JSON.parse((await quiet.run(command)).stdout) as { classes: { rows: number }[] };
    expect(result.classes.map((counts) => counts.rows)).toEqual([rows]);
    const expected = await quiet.picture();

    const machine = await machines.install();
    await machine.look(doubleEveryone);
    const random = createRandom(SEED);
    const begun = await killTimes(machine, command, [random.between(0, 5), random.between(1, 4)]);
    const again = await machine.run(command);
    expect({ code: again.code, stderr: again.stderr }).toEqual({ code: 0, stderr: '' });
    if (begun > 0) expect(JSON.parse(again.stdout)).toHaveProperty('resumedFrom');
    expect(differences(await machine.picture(), expected)).toEqual([]);
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
