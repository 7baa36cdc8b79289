import { describe, expect, test } from 'vitest';
import { createRandom } from '../bench/random.js';
import { dropUniqueIndexes, insertConversation, insertLead, insertLookAlikes } from '../support/damage.js';
import { SEED } from '../support/seed.js';
import { normalizedDatabase } from '../support/normalized.js';
import { inflict, type Damage } from '../support/random-damage.js';
import { replayFiles } from '../support/replaying.js';
import { differences } from './differences.js';
import { useMachines, type Installation } from './installation.js';
import { killTimes } from './killing.js';
import { busyLog } from './logs.js';

const LOG = busyLog(400, 11);
const KINDS = [
  'exact',
  'foreign',
  'placeholder',
  'torn',
  'web',
  'renamed',
  'blank',
  'foreign_blank',
] as const;
const COMMAND = ['dedupe', '--apply', '--force', '--batch-size', '3', '--json'];

interface Damaged {
  machine: Installation;
  before: Record<string, unknown[]>;
  copies: number;
}

describe.each([
  { name: 'postgresql', seeds: [SEED, SEED + 1] },
  { name: 'pglite', seeds: [SEED] },
] as const)('dedupe of the built command on $name', ({ name, seeds }) => {
  const machines = useMachines(name);

  async function damaged(seed: number): Promise<Damaged> {
    const machine = await machines.install();
    const log = await machine.write('log.ndjson', LOG);
    return machine.look(async (store) => {
      await replayFiles(store, [log]);
      await dropUniqueIndexes(store, ['same_id']);
      const [row] = await store.sql.query('select id from connections order by name limit 1');
      const bystanders = [
        await insertLead(store, { phone_number: '+5511955550001', push_name: 'Um' }),
        await insertLead(store, { phone_number: '+5511955550002', push_name: 'Outro' }),
      ] as const;
      await insertLookAlikes(
        store,
        await insertConversation(store, String(row?.id), bystanders[0]),
        await insertConversation(store, String(row?.id), bystanders[1]),
      );
      const before = await normalizedDatabase(store);
      const random = createRandom(seed);
      const damages = Array.from({ length: 120 }, (): Damage => ({
        pick: random.between(0, 1_000_000),
        kind: random.pick(KINDS),
        skew: random.pick([0, 1000, 2000] as const),
      }));
      return { machine, before, copies: await inflict(store, damages, bystanders) };
    });
  }

  test.each(seeds)(
    'killed at any moment and typed again gives back what was there (seed %d)',
    async (seed) => {
      const { machine, before, copies } = await damaged(seed);
      expect(copies).toBeGreaterThan(50);
      const random = createRandom(seed + 1);
      const kills = await killTimes(machine, COMMAND, [
        random.between(0, 1),
        random.between(1, 6),
        random.between(1, 10),
      ]);
      const again = await machine.run(COMMAND);
      expect({ code: again.code, stderr: again.stderr }).toEqual({ code: 0, stderr: '' });
      const result = JSON.parse(again.stdout) as { status: string; resumedFrom?: object };
      expect(result.status).toBe('completed');
      if (kills > 0) expect(result.resumedFrom).toBeDefined();
      // Nothing is left to do, and no run is left that looks as if it were still at work.
      expect((await machine.run(['dedupe', '--json'])).code).toBe(0);
      const after = await machine.look(async (store) => ({
        picture: await normalizedDatabase(store),
        running: await store.sql.query(`select from sync_runs where status = 'running'`),
      }));
      expect(differences(after.picture, before)).toEqual([]);
      expect(after.running).toEqual([]);
    },
    300_000,
  );
});
