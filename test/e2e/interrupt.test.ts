import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import type { Child } from '../support/child-process.js';
import { useBackend } from '../support/databases.js';
import { normalizedDatabase } from '../support/normalized.js';
import { replayFiles } from '../support/replaying.js';
import { differences } from './differences.js';
import { useMachines } from './installation.js';
import { busyLog, liveLines } from './logs.js';
import { parseRun } from './run-json.js';

const LOG = busyLog(400, 11);
const COMMAND = ['replay', 'log.ndjson', '--register', '--batch-size', '20'];

describe.each([
  // Which signal it is makes no difference to the database.
  { name: 'postgresql', signals: ['SIGINT', 'SIGTERM'] },
  { name: 'pglite', signals: ['SIGINT'] },
] as const)('Ctrl-C on $name', ({ name, signals }) => {
  const backend = useBackend('postgresql');
  const machines = useMachines(name);

  test.each(signals)(
    '(%s) finishes the batch, says how to go on, and the same command does',
    async (signal) => {
      const machine = await machines.install();
      const log = await machine.write('log.ndjson', LOG);
      const child = await machine.start([...COMMAND, '--events']);
      await child.says('"entries":1', 'stderr');
      child.process.kill(signal);
      const { code, stdout, stderr } = await child.ended;
      expect(code).toBe(signal === 'SIGINT' ? 130 : 143);
      expect(stderr).toContain('Stopping: the current batch is finished and stored first.');
      expect(stdout).toMatch(/^■ Replay interrupted; what it did is stored/);
      expect(stdout).toContain(`Next\n  wa-reconcile ${COMMAND.join(' ')}`);
      const open = await machine.look(({ sql }) =>
        sql.query(`select status, counters->'messages'->>'seen' as seen from sync_runs`),
      );
      expect(open).toHaveLength(1);
      expect(open[0]).toMatchObject({ status: 'interrupted' });
      expect(Number(open[0]?.['seen'])).toBeGreaterThan(0);

      const again = await machine.run([...COMMAND, '--json']);
      expect(again.code).toBe(4);
      expect(parseRun(again.stdout).resumedFrom?.entriesSkipped).toBeGreaterThan(0);
      const store = await backend.open();
      await replayFiles(store, [log]);
      expect(differences(await machine.picture(), await normalizedDatabase(store))).toEqual([]);
    },
  );

  test('ends a pipe that stays open, and stores what has come through it', async () => {
    const machine = await machines.install();
    async function* tail(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(liveLines(5));
      await new Promise(() => undefined);
    }
    const child = await machine.start(['replay', '-', '--register', '--events', '--json'], { stdin: tail() });
    await child.says('run_started', 'stderr');
    await delay(300);
    child.process.kill('SIGINT');
    const { code, stdout } = await child.ended;
    expect(code).toBe(130);
    expect(parseRun(stdout)).toMatchObject({ status: 'interrupted', messages: { created: 5 } });
  });
});

describe('Ctrl-C pressed twice', () => {
  const machines = useMachines('postgresql');

  test('does not wait for the batch, which leaves nothing behind', async () => {
    const machine = await machines.install();
    await machine.write('log.ndjson', liveLines(5));
    const before = await machine.picture();
    await machine.look((store) =>
      store.transaction(async (tx) => {
        // Somebody else's lock, on which the batch waits for ever.
        await tx.execute('lock table messages in access exclusive mode');
        const child = await machine.start(['replay', 'log.ndjson', '--register', '--events']);
        await child.says('run_started', 'stderr');
        await delay(300);
        child.process.kill('SIGINT');
        await child.says('Stopping: the current batch is finished and stored first.', 'stderr');
        await delay(300);
        expect(child.process.exitCode).toBeNull();
        const pressed = Date.now();
        child.process.kill('SIGINT');
        const { code, stdout } = await child.ended;
        expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
        expect(Date.now() - pressed).toBeLessThan(2_000);
      }),
    );
    expect(differences(await machine.picture(), before)).toEqual([]);
    const again = await machine.run(['replay', 'log.ndjson', '--register', '--json']);
    expect(again.code).toBe(0);
    expect(parseRun(again.stdout).messages.created).toBe(5);
  });
});

describe('SIGTERM', () => {
  const machines = useMachines('postgresql');

  const COMMANDS = [
    ['report'],
    ['explain', '+5511900000001'],
    ['verify'],
    ['messages', '+5511900000001'],
    ['connection', 'list'],
    ['runs', 'list'],
    ['doctor'],
    ['connection', 'remove', 'shop', '--yes'],
  ];

  test('ends every command at once with exit 143, whatever the database does', async () => {
    const machine = await machines.install();
    await machine.write('log.ndjson', liveLines(2));
    await machine.run(['replay', 'log.ndjson', '--register']);
    await machine.look((store) =>
      store.transaction(async (tx) => {
        // Every command waits for one of these.
        await tx.execute('lock table messages, connections, leads, sync_runs in access exclusive mode');
        const waiting = async (): Promise<number> =>
          (
            await tx.query(
              `select distinct pid from pg_locks
               where not granted and database = (select oid from pg_database where datname = current_database())`,
            )
          ).length;
        const children: Child[] = [];
        for (const command of COMMANDS) {
          const before = await waiting();
          children.push(await machine.start(command));
          await vi.waitUntil(async () => (await waiting()) > before, { timeout: 20_000, interval: 50 });
        }
        expect(children.map((child) => child.process.exitCode)).toEqual(COMMANDS.map(() => null));
        const asked = Date.now();
        for (const child of children) child.process.kill('SIGTERM');
        const ended = await Promise.all(children.map((child) => child.ended));
        expect(ended.map(({ code, stdout }) => ({ code, stdout }))).toEqual(
          COMMANDS.map(() => ({ code: 143, stdout: '' })),
        );
        expect(Date.now() - asked).toBeLessThan(5_000);
      }),
    );
  });

  test('waits no longer than ten seconds for a batch that cannot end', async () => {
    const machine = await machines.install();
    await machine.write('log.ndjson', liveLines(5));
    await machine.look((store) =>
      store.transaction(async (tx) => {
        await tx.execute('lock table messages in access exclusive mode');
        const child = await machine.start(['replay', 'log.ndjson', '--register', '--events']);
        await child.says('run_started', 'stderr');
        await delay(500);
        const asked = Date.now();
        child.process.kill('SIGTERM');
        const { code, stderr } = await child.ended;
        expect(code).toBe(143);
        expect(stderr).toContain('run the same command again to resume');
        expect(Date.now() - asked).toBeLessThan(10_000);
      }),
    );
    const again = await machine.run(['replay', 'log.ndjson', '--register', '--json']);
    expect(again.code).toBe(0);
    expect(parseRun(again.stdout).messages.created).toBe(5);
  });
});
