import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../bench/random.js';
import { tableDigests } from '../support/backups.js';
import { useBackend } from '../support/databases.js';
import { SEED } from '../support/seed.js';
import { useMachines, type Installation } from './installation.js';
import { busyLog, liveLines } from './logs.js';

const MESSAGES = 1_500;
const LOG = busyLog(MESSAGES, 5);

/** What a machine's database holds; null where there is none. */
async function rowsOf(machine: Installation): Promise<number | null> {
  return machine
    .look(async ({ sql }) => {
      const [row] = await sql.query('select count(*)::int as n from messages');
      return Number(row?.['n']);
    })
    .catch(() => null);
}

async function fill(machine: Installation): Promise<void> {
  await machine.write('log.ndjson', LOG);
  await machine.call(['replay', 'log.ndjson', '--register', '-q']);
}

/** Files that a command left beside what it was to write. */
async function leftovers(machine: Installation): Promise<string[]> {
  return (await readdir(machine.directory)).filter((name) => name.startsWith('.wa-reconcile-'));
}

describe.each([
  { name: 'postgresql', other: 'pglite', kills: 6 },
  { name: 'pglite', other: 'postgresql', kills: 3 },
] as const)('backup and restore by the built command on $name', ({ name, other, kills }) => {
  const backend = useBackend(name);
  const machines = useMachines(backend);
  const others = useMachines(useBackend(other));

  test('move a database to the other kind and back, equal in every row', async () => {
    const [from, over, back] = [
      await machines.install(),
      await others.install('empty'),
      await machines.install('empty'),
    ];
    await fill(from);
    const file = join(from.directory, 'crm.tar');
    expect(await from.run(['backup', file, '-q'])).toMatchObject({ code: 0, stderr: '' });
    const before = await from.look(tableDigests);
    expect(await over.run(['restore', file, '-q'])).toMatchObject({ code: 0 });
    expect(await over.look(tableDigests)).toEqual(before);
    // Through a pipe, without a file.
    const piped = await over.shell('wa-reconcile backup - | tee copy.tar | cat > whole.tar');
    expect(piped).toMatchObject({ code: 0, stdout: '' });
    expect(piped.stderr).toContain('Backup complete');
    const stdin = await readFile(join(over.directory, 'whole.tar'));
    expect(await back.run(['restore', '-', '-q'], { stdin })).toMatchObject({ code: 0 });
    const { access_log: accesses, ...copied } = await back.look(tableDigests);
    expect(before).toMatchObject(copied);
    // The replay that showed a rejected item, and both backups.
    expect(accesses).toMatch(/^3 /);
    expect(await leftovers(back)).toEqual([]);
    expect((await back.call(['restore', file])).code).toBe(2);
  });

  test('restore, killed at any moment, leaves nothing, and works when it is typed again', async () => {
    const from = await machines.install();
    await fill(from);
    const file = join(from.directory, 'crm.tar');
    await from.call(['backup', file, '-q']);
    const before = await from.look(tableDigests);
    const machine = await machines.install('empty');
    const timed = performance.now();
    await machine.run(['restore', file, '-q']);
    const whole = performance.now() - timed;
    const random = createRandom(SEED);
    for (let kill = 0; kill < kills; kill += 1) {
      const victim = await machines.install('empty');
      const child = await victim.start(['restore', file, '--events']);
      await delay(random.between(0, Math.ceil(whole)));
      child.process.kill('SIGKILL');
      const { signal } = await child.ended;
      const rows = await rowsOf(victim);
      // A restore that was quicker than its killer is complete.
      if (rows !== null && rows > 0) {
        expect(await victim.look(tableDigests)).toEqual(before);
        continue;
      }
      expect(signal).toBe('SIGKILL');
      expect(await victim.call(['restore', file, '-q'])).toMatchObject({ code: 0 });
      expect(await victim.look(tableDigests)).toEqual(before);
    }
  }, 180_000);

  test('backup, killed or interrupted at any moment, leaves the file whole or not at all', async () => {
    const machine = await machines.install();
    await fill(machine);
    const file = join(machine.directory, 'crm.tar');
    const timed = performance.now();
    await machine.run(['backup', file, '-q']);
    const whole = performance.now() - timed;
    const random = createRandom(SEED);
    for (const signal of ['SIGKILL', 'SIGKILL', 'SIGINT', 'SIGTERM'] as const) {
      await rm(file, { force: true });
      const child = await machine.start(['backup', file]);
      await delay(random.between(Math.ceil(whole / 3), Math.ceil(whole)));
      child.process.kill(signal);
      const { code } = await child.ended;
      const isThere = (await readdir(machine.directory)).includes('crm.tar');
      if (isThere) expect((await machine.call(['backup', '--check', file])).code).toBe(0);
      if (signal === 'SIGKILL') {
        // Nobody is left to remove it; it has never had the name of a backup.
        for (const name of await leftovers(machine)) await rm(join(machine.directory, name));
        continue;
      }
      // Null: the process had not begun to listen yet.
      if (!isThere) expect([130, 143, null]).toContain(code);
      expect(await leftovers(machine)).toHaveLength(0);
    }
  }, 180_000);
});

describe('a backup while others write', () => {
  const backend = useBackend('postgresql');
  const machines = useMachines(backend);

  test('is the database of one moment', async () => {
    const machine = await machines.install();
    await fill(machine);
    await machine.write('more.ndjson', liveLines(3_000, 'M'));
    const writer = await machine.start([
      'replay',
      'more.ndjson',
      '--register',
      '--batch-size',
      '20',
      '--events',
    ]);
    await writer.says('"event":"progress"', 'stderr');
    const file = join(machine.directory, 'crm.tar');
    expect((await machine.run(['backup', file, '-q'])).code).toBe(0);
    const { code } = await writer.ended;
    expect(code).toBe(0);
    const copy = await machines.install('empty');
    expect((await copy.call(['restore', file, '-q'])).code).toBe(0);
    // Each batch is whole or absent: what the copy lacks is missing together with its raw entries.
    const [verified, original] = [
      await copy.call(['verify', '--json']),
      await machine.call(['verify', '--json']),
    ];
    expect(findings(verified.stdout)).toEqual(findings(original.stdout));
    const [row] = await copy.look(({ sql }) => sql.query('select count(*)::int as n from messages'));
    const [all] = await machine.look(({ sql }) => sql.query('select count(*)::int as n from messages'));
    expect(Number(row?.['n'])).toBeLessThanOrEqual(Number(all?.['n']));
  }, 120_000);
});

describe('a backup for which there is no room', () => {
  const machines = useMachines(useBackend('postgresql'));

  test('fails and leaves no half file', async () => {
    const machine = await machines.install();
    await fill(machine);
    await machine.call(['backup', 'older.tar', '-q']);
    const older = await readFile(join(machine.directory, 'older.tar'));
    // A limit of the shell stands for a full disk: the kernel refuses the bytes behind it.
    const full = await machine.shell(`ulimit -f 40; wa-reconcile backup older.tar --force`);
    expect(full).toMatchObject({ code: 1, stdout: '' });
    expect(full.stderr).toContain('The backup could not be written to');
    expect((await readFile(join(machine.directory, 'older.tar'))).equals(older)).toBe(true);
    expect(await leftovers(machine)).toEqual([]);
  });
});

function findings(json: string): unknown {
  const parsed: unknown = JSON.parse(json);
  if (
    typeof parsed !== 'object' ||
    parsed === null ||
    !('checks' in parsed) ||
    !Array.isArray(parsed.checks)
  ) {
    throw new Error('verify gave no checks');
  }
  const checks: unknown[] = parsed.checks;
  return checks.map((check) =>
    typeof check === 'object' && check !== null && 'check' in check && 'status' in check
      ? [check.check, check.status]
      : check,
  );
}
