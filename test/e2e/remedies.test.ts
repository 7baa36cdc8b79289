import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/store.js';
import { builtBinary } from '../support/built-binary.js';
import { TEST_OPTIONS } from '../support/databases.js';
import { CAR, live, SECOND, wamid } from '../support/webhooks.js';
import { useMachines, type Installation } from './installation.js';
import { lines } from './logs.js';

const NEXT = z.object({ command: z.string(), args: z.array(z.string()), why: z.string().min(1) });
const ADVISED = z.looseObject({ remedy: z.string().nullable(), next: NEXT.nullable() });
const CHECKS = z.object({ checks: z.array(z.looseObject({ check: z.string(), ...ADVISED.shape })) });
const ALERTS = z.object({ alerts: z.array(z.looseObject({ kind: z.string(), ...ADVISED.shape })) });
const STORED = 60;
const MENDABLE = ['unique_index', 'duplicate_ids', 'raw_log'];

/**
 * Works on the database under `--home`, while the environment names another one that is there and empty: advice that loses
 * the flag would do its work there, and nobody would notice.
 */
describe('what is advised under --home, pasted into a shell', () => {
  beforeAll(() => builtBinary(), 180_000);
  const machines = useMachines('pglite');
  const HOME = 'my home';

  async function onMine<T>(machine: Installation, work: (store: Store) => Promise<T>): Promise<T> {
    const directory = join(machine.directory, HOME, 'database');
    const store = await openStore({ kind: 'pglite', directory }, TEST_OPTIONS);
    return work(store).finally(() => store.close());
  }

  const countMessages = (machine: Installation): Promise<number> =>
    onMine(machine, async (store) =>
      Number((await store.sql.query('select count(*)::int as n from messages'))[0]?.['n']),
    );

  async function advice(machine: Installation, check: string): Promise<string> {
    const { stdout } = await machine.run(['verify', '--json', '--home', HOME]);
    const found = CHECKS.parse(JSON.parse(stdout)).checks.find((one) => one.check === check);
    expect(found?.next).not.toBeNull();
    return asAdvised(found?.remedy);
  }

  function asAdvised(remedy: string | null | undefined): string {
    const line = remedy?.split('\n').find((one) => one.startsWith('wa-reconcile ')) ?? '';
    expect(line).toMatch(/^wa-reconcile .*--home 'my home'/);
    return line;
  }

  /** The commands under "Next", as a person reads them. */
  function nextIn(stdout: string): string[] {
    return stdout.split('\n').flatMap((line) => /^ {2}(wa-reconcile .*)$/.exec(line)?.[1] ?? []);
  }

  test('does what it says on that database, and nothing on another', async () => {
    const machine = await machines.install();
    // So many that one copy is no reason for dedupe to ask a person first.
    const log = await machine.write(
      'day 1.ndjson',
      lines(Array.from({ length: STORED }, (_, nth) => live(`A${nth}`, nth * 10))),
    );

    // A log of a number that nobody knows: the next step is to register it.
    const first = await machine.run(['replay', log, '--home', HOME]);
    expect(first.code).toBe(4);
    const [register = ''] = nextIn(first.stdout);
    expect(register).toBe(`wa-reconcile replay --register --home 'my home'`);
    expect((await machine.shell(register)).code).toBe(0);
    expect(await countMessages(machine)).toBe(STORED);

    // A row that is gone.
    const gone = await onMine(machine, (store) =>
      store.sql.execute('delete from messages where external_id = $1', [wamid('A2')]),
    );
    expect(gone).toBe(1);
    expect((await machine.shell(await advice(machine, 'raw_log'))).code).toBe(0);
    expect(await countMessages(machine)).toBe(STORED);

    // A row twice, and the index that forbids it gone.
    await onMine(machine, async (store) => {
      await store.sql.execute('drop index messages_connection_id_external_id_key');
      await store.sql.execute(
        `insert into messages select (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid()))).*
         from messages m where external_id is not null limit 1`,
      );
    });
    const merged = await machine.shell(await advice(machine, 'duplicate_ids'));
    expect(merged.code).toBe(0);
    expect(await countMessages(machine)).toBe(STORED);
    const undo = nextIn(merged.stdout).find((line) => line.startsWith('wa-reconcile undo')) ?? '';
    expect((await machine.shell(undo)).code).toBe(0);
    expect(await countMessages(machine)).toBe(STORED + 1);
    expect((await machine.shell(await advice(machine, 'duplicate_ids'))).code).toBe(0);
    const enforce = await advice(machine, 'unique_index');
    expect(enforce).toContain('verify --enforce');
    expect((await machine.shell(enforce)).code).toBe(0);
    const clean = await machine.run(['verify', '--json', '--home', HOME]);
    const left = CHECKS.parse(JSON.parse(clean.stdout)).checks.filter(({ check }) =>
      MENDABLE.includes(check),
    );
    expect(left.map(({ remedy, next }) => ({ remedy, next }))).toEqual(
      MENDABLE.map(() => ({ remedy: null, next: null })),
    );

    // A contact that only the log knows of: an error that advises.
    const other = await machine.write('other.ndjson', lines([live('S1', 0, { from: CAR }, SECOND)]));
    expect((await machine.run(['replay', other, '--home', HOME])).code).toBe(4);
    const refused = await machine.run(['messages', CAR, '--json', '--home', HOME]);
    expect(refused.code).toBe(2);
    const { error } = z.object({ error: ADVISED }).parse(JSON.parse(refused.stderr));
    expect(error.next).toMatchObject({ command: 'explain', args: [CAR, '--home', HOME] });
    const explained = await machine.shell(asAdvised(error.remedy));
    expect(explained.code).toBe(3);
    expect(explained.stdout).toContain('replay --register');

    expect(await untouched(machine)).toEqual({ messages: 0, connections: 0, runs: 0 });
  }, 300_000);

  test('takes up a run that died, as the command that it was part of', async () => {
    const machine = await machines.install();
    const log = await machine.write('log.ndjson', lines([live('A1', 0)]));
    expect((await machine.run(['replay', log, '--register', '--home', HOME])).code).toBe(0);
    // A reconcile that was killed in its replay: both are still on record as running.
    const killed = ['reconcile', '--apply', '--history-after', '90m', '--home', HOME];
    expect([0, 3]).toContain((await machine.run(killed)).code);
    await onMine(machine, (store) =>
      store.sql.execute(
        `update sync_runs set status = 'running', pid = 2147483646, completed_at = null, verdict = null
         where command = 'reconcile' or (command = 'replay' and parent_run_id is not null)`,
      ),
    );
    const report = await machine.run(['report', '--json', '--home', HOME]);
    const died = ALERTS.parse(JSON.parse(report.stdout)).alerts.filter(({ kind }) => kind === 'run_died');
    expect(died.length).toBeGreaterThan(0);
    for (const { remedy, next } of died) {
      expect(remedy).toBe(`wa-reconcile reconcile --apply --history-after 90m --home 'my home'`);
      expect(next).toMatchObject({
        command: 'reconcile',
        args: ['--apply', '--history-after', '90m', '--home', HOME],
      });
    }
    const again = await machine.shell(asAdvised(died[0]?.remedy));
    expect([0, 3]).toContain(again.code);
    const after = await machine.run(['report', '--json', '--home', HOME]);
    expect(ALERTS.parse(JSON.parse(after.stdout)).alerts.map(({ kind }) => kind)).not.toContain('run_died');
    expect(await untouched(machine)).toEqual({ messages: 0, connections: 0, runs: 0 });
  }, 180_000);

  async function untouched(machine: Installation) {
    return machine.look(async ({ sql }) => {
      const count = async (table: string): Promise<number> =>
        Number((await sql.query(`select count(*)::int as n from ${table}`))[0]?.['n']);
      return {
        messages: await count('messages'),
        connections: await count('connections'),
        runs: await count('sync_runs'),
      };
    });
  }
});
