import { describe, expect, test } from 'vitest';
import { createRandom } from '../bench/random.js';
import { useBackend } from '../support/databases.js';
import { SEED } from '../support/seed.js';
import { differences } from './differences.js';
import { useMachines } from './installation.js';
import { killTimes } from './killing.js';
import { busyLog } from './logs.js';

const COMMAND = [
  ...['prune', '--older-than', '0', '--class', 'status,group,newsletter,broadcast,processed'],
  ...['--apply', '--batch-size', '5', '--json'],
];

describe.each(['postgresql', 'pglite'] as const)('prune of the built command on %s', (name) => {
  const machines = useMachines(useBackend(name));

  test('killed at any moment and typed again ends where one run ends', async () => {
    const machine = await machines.install();
    await machine.write('log.ndjson', busyLog(300, 11));
    await machine.call(['replay', 'log.ndjson', '--register', '-q', '--json']);
    const rows = async (): Promise<Record<string, unknown[]>> =>
      Object.fromEntries(
        Object.entries(await machine.picture()).filter(([table]) => table !== 'webhook_log'),
      );
    const verdicts = async (): Promise<unknown> => {
      const { checks } = JSON.parse((await machine.call(['verify', '--json'])).stdout) as {
        checks: { check: string; status: string; found: number }[];
      };
      return checks.map(({ check, status, found }) => [check, status, found]);
    };
    const before = await rows();
    const told = await verdicts();
    const plan = await machine.call(COMMAND.filter((word) => word !== '--apply'));
    const { entries } = JSON.parse(plan.stdout) as { entries: { planned: number } };
    expect(entries.planned).toBeGreaterThan(50);

    const random = createRandom(SEED);
    await killTimes(machine, COMMAND, [random.between(0, 3), random.between(1, 5), random.between(0, 9)]);
    const again = await machine.run(COMMAND);
    expect({ code: again.code, stderr: again.stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse((await machine.call(COMMAND)).stdout)).toMatchObject({ entries: { planned: 0 } });
    const pruned = await machine.look(({ sql }) =>
      sql.query(
        `select count(*)::int as entries from webhook_log where body_state = 'pruned' and raw_body = ''`,
      ),
    );
    expect(pruned).toEqual([{ entries: entries.planned }]);
    expect(differences(await rows(), before)).toEqual([]);

    expect(await verdicts()).toEqual(told);
    // The log again, and a night: nothing comes back, and nothing is missing.
    await machine.call(['replay', 'log.ndjson', '-q', '--json']);
    const night = await machine.call(['reconcile', '--apply', '--full', '--json']);
    expect(JSON.parse(night.stdout)).toMatchObject({ figures: { missing: 0, restored: 0, created: 0 } });
    expect(await verdicts()).toEqual(told);
    expect(differences(await rows(), before)).toEqual([]);
    const refused = await machine.call(['prune']);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('prune --older-than 180d');
  });
});
