import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { useCrmDatabases } from '../support/crm/database.js';
import { asBaileysEvents } from '../support/crm/day-baileys.js';
import { asWebhooks } from '../support/crm/day-webhooks.js';
import { createDay, WEB } from '../support/crm/day.js';
import { fillEvolution } from '../support/crm/evolution.js';
import { applyScript } from '../support/crm/repairing.js';
import { useMachines, type Installation } from './installation.js';

const FIXTURES = new URL('../../fixtures/', import.meta.url).pathname;

const RESULT = z.object({
  schemaVersion: z.literal(1),
  command: z.literal('compare'),
  counts: z.record(z.string(), z.number()),
  repaired: z.object({ messages: z.number(), same: z.number().default(0) }).nullable(),
  adopted: z.object({ entries: z.number(), created: z.number() }).nullable(),
  severity: z.string().nullable(),
});

const databases = useCrmDatabases();

async function compared(
  machine: Installation,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number | null; stderr: string; result: z.output<typeof RESULT> }> {
  const { code, stdout, stderr } = await machine.call(['compare', ...args, '--json'], { env });
  return { code, stderr, result: RESULT.parse(JSON.parse(stdout)) };
}

describe('a CRM, with the command as it is installed', () => {
  const machines = useMachines('postgresql');

  test('README.md shows what the demo day’s Evolution has lost', async () => {
    const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
    const verdict = /```text\n(✖ .* lost, .*)\n```/.exec(readme)?.[1] ?? 'no verdict in README.md';
    const machine = await machines.install();
    await machine.call(['replay', join(FIXTURES, 'demo-day.ndjson'), '--register']);
    const crm = join(FIXTURES, 'demo-day-evolution.ndjson');
    const { code, stdout } = await machine.run([
      'compare',
      'evolution',
      crm,
      '--connection',
      '+5511900000000',
    ]);
    expect(code).toBe(3);
    expect(stdout).toContain(verdict);
    const cut = join(machine.directory, 'cut.ndjson');
    await writeFile(cut, (await readFile(crm)).subarray(0, -40));
    const half = await machine.call(['compare', 'evolution', cut, '--connection', '+5511900000000']);
    expect(half.code).toBe(1);
    expect(half.stderr).toContain('cut.ndjson:');
  });

  test('is repaired by the SQL that is written, and compared every night', async () => {
    const machine = await machines.install();
    const day = createDay({ seed: 51, count: 200, batched: true });
    const log = join(machine.directory, 'log.ndjson');
    await writeFile(log, [...asWebhooks(day), ...asBaileysEvents(day)].join('\n'));
    await machine.call([
      'connection',
      'add',
      '--name',
      WEB.name,
      '--kind',
      'baileys',
      '--phone',
      `+${WEB.number}`,
    ]);
    expect((await machine.call(['replay', log, '--register'])).code).toBe(0);
    const { crm } = await databases.filled(fillEvolution, day, ['random_loss']);
    const url = join(machine.directory, 'crm.url');
    await writeFile(url, crm.readOnlyUrl);
    const key = { WA_RECONCILE_SECRET_KEY: randomBytes(32).toString('base64') };
    const evolution = ['evolution', '--crm-url-file', url];

    const first = await compared(machine, [...evolution, '--repair', 'lost.sql', '--save', 'crm'], key);
    expect(first.code).toBe(3);
    expect(first.result.severity).toBe('loss');
    const { lost = 0 } = first.result.counts;
    expect(lost).toBeGreaterThan(3);
    // Saving it again says the same, and a window of it nothing new.
    await compared(machine, [...evolution, '--save', 'crm'], key);
    await compared(machine, [...evolution, '--save', 'crm', '--until', '2001-01-01'], key);
    const report = await machine.call(['report', '--fail-on', 'loss']);
    expect(report.code).toBe(3);
    expect(report.stdout).toContain(`The CRM crm (evolution) has ${lost} lost of`);
    const night = await machine.run(['reconcile', '--compare', 'crm'], { env: key });
    expect(night.code).toBe(3);
    const messages = Object.entries(first.result.counts).reduce(
      (sum, [name, count]) => sum + (/only_in_crm|doubled|without_id/.test(name) ? 0 : count),
      0,
    );
    expect(night.stdout).toContain(`The CRM crm (evolution) has ${lost} lost of ${messages} messages.`);
    expect(night.stdout).toMatch(new RegExp(`crm +evolution: ${lost} lost of ${messages} messages`));

    const file = (name: string): Promise<string> => readFile(join(machine.directory, name), 'utf8');
    await applyScript(crm.sql, await file('lost.sql'));
    const repaired = await compared(machine, ['crm', '--verify-repair', 'lost.sql'], key);
    expect(repaired.code).toBe(0);
    expect(repaired.result.repaired).toEqual({ messages: lost, same: lost });
    const calm = await machine.call(['reconcile', '--compare', 'crm'], { env: key });
    expect(calm.stdout).not.toContain('The CRM crm');
    const { not_kept_by_design: notKept = 0 } = first.result.counts;
    expect(notKept).toBeGreaterThan(0);
    expect(calm.stdout).toContain(
      `evolution: has all ${messages - notKept} messages that it keeps; ${notKept} not kept by design`,
    );

    await applyScript(crm.sql, await file('lost.undo.sql'));
    const undone = await compared(machine, ['crm'], key);
    expect(undone.result.counts).toEqual(first.result.counts);

    const adopted = await compared(machine, ['crm', '--adopt'], key);
    expect(adopted.result.adopted?.created).toBe(first.result.counts.only_in_crm);
    const forgotten = await machine.call(['compare', 'crm', '--forget']);
    expect(forgotten.code).toBe(0);
    expect((await machine.call(['compare', 'crm'], { env: key })).code).toBe(2);
    // The password of the CRM is in no output.
    for (const output of [first.stderr, night.stdout, night.stderr, calm.stdout]) {
      expect(output).not.toContain(crm.readOnlyUrl);
    }
  });
});
