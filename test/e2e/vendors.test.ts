import { describe, expect, test } from 'vitest';
import { healthyDays } from '../support/vendor-bodies.js';
import { wamid } from '../support/webhooks.js';
import { useMachines } from './installation.js';

const NIGHT = ['reconcile', '--apply', '--full', '--silent-after', '100000h'];

describe('a healthy log of a vendor, with the built command', () => {
  const machines = useMachines('postgresql');

  test.each(healthyDays((key) => wamid(key)))(
    '%s: inspect, replay and the night exit with 0',
    async (vendor, log) => {
      const machine = await machines.install();
      // As Docker keeps what the receiver printed.
      const lines = log.map((body) =>
        JSON.stringify({ log: `${JSON.stringify(body)}\n`, stream: 'stdout', time: '2025-09-16T05:21:00Z' }),
      );
      await machine.write('day.log', `${lines.join('\n')}\n`);
      const inspected = await machine.run(['inspect', 'day.log']);
      expect(inspected.code, inspected.stdout).toBe(0);
      expect(inspected.stdout).not.toContain('1970');
      expect(inspected.stdout).toContain('replay day.log --connection NAME');

      const isWeb = vendor === 'WAHA' || vendor === 'Evolution API';
      const kind = isWeb ? 'baileys' : 'cloud_api';
      const phone = '+5511900000000';
      await machine.run([
        'connection',
        'add',
        '--name',
        'loja',
        '--kind',
        kind,
        '--phone',
        phone,
        '--no-input',
      ]);
      const replayed = await machine.run(['replay', 'day.log', '--connection', 'loja']);
      expect(replayed.code, replayed.stdout).toBe(0);
      for (const night of [1, 2]) {
        const { code, stdout } = await machine.run(NIGHT);
        expect(code, `night ${night}: ${stdout}`).toBe(0);
      }
    },
  );
});
