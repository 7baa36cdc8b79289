import { hostname } from 'node:os';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { RunResult } from '../../src/model/run-result.js';
import { acquireRunLock } from '../../src/store/locks/run-lock.js';
import { useBackend } from '../support/databases.js';
import { normalizedDatabase } from '../support/normalized.js';
import { replayFiles } from '../support/replaying.js';
import {
  ANA,
  BRU,
  CAR,
  FIRST,
  SECOND,
  addressBook,
  echo,
  item,
  live,
  liveFrom,
  webhook,
} from '../support/webhooks.js';
import { differences } from './differences.js';
import { useMachines, type Installation } from './installation.js';
import { busyLog, lines, liveLines } from './logs.js';
import { parseRun } from './run-json.js';

const ROUNDS = [1, 2];
const SMALL_BATCHES = ['--register', '--batch-size', '20', '--json'];

/** Runs both at once; both must end without a word of complaint. */
async function together(machine: Installation, one: string[], other: string[]): Promise<RunResult[]> {
  const ended = await Promise.all([one, other].map((argv) => machine.run(argv)));
  for (const { code, stderr } of ended) {
    expect(stderr).toBe('');
    expect([0, 4]).toContain(code);
  }
  return ended.map(({ stdout }) => parseRun(stdout));
}

function created(results: readonly RunResult[]): number {
  return results.reduce((sum, { messages }) => sum + messages.created, 0);
}

describe('two runs at once on PostgreSQL', () => {
  const backend = useBackend('postgresql');
  const machines = useMachines(backend);

  async function oneAfterTheOther(paths: readonly string[]): Promise<{
    picture: Record<string, unknown[]>;
    created: number;
  }> {
    const store = await backend.open();
    const results: RunResult[] = [];
    for (const path of paths) results.push(await replayFiles(store, [path]));
    return { picture: await normalizedDatabase(store), created: created(results) };
  }

  test.each(ROUNDS)('over logs that overlap end as one after the other does (round %d)', async (round) => {
    const machine = await machines.install();
    const log = busyLog(600, round).split('\n');
    const third = Math.floor(log.length / 3);
    const early = await machine.write('early.ndjson', log.slice(0, 2 * third).join('\n'));
    // In the other direction in every second round, so that the two meet head on.
    const rest = log.slice(third);
    const late = await machine.write('late.ndjson', (round % 2 === 0 ? rest.reverse() : rest).join('\n'));
    const results = await together(
      machine,
      ['replay', early, ...SMALL_BATCHES],
      ['replay', late, ...SMALL_BATCHES],
    );
    const alone = await oneAfterTheOther([early, late]);
    expect(differences(await machine.picture(), alone.picture)).toEqual([]);
    expect(created(results)).toBe(alone.created);
  });

  test('over one and the same log give every row once', async () => {
    const machine = await machines.install();
    const log = await machine.write('log.ndjson', busyLog(600, 21));
    const results = await together(
      machine,
      ['replay', log, ...SMALL_BATCHES],
      ['replay', log, ...SMALL_BATCHES],
    );
    const alone = await oneAfterTheOther([log]);
    expect(differences(await machine.picture(), alone.picture)).toEqual([]);
    expect(created(results)).toBe(alone.created);
  });

  test('for two numbers of one organization share its people, also those who turn out to be one', async () => {
    const machine = await machines.install();
    const people = [ANA, BRU, CAR, '551190000077', '5511990000077'];
    const forNumber = (business: typeof FIRST, tag: string): string =>
      lines(
        Array.from({ length: 60 }, (_, i) => {
          const from = people[i % people.length] ?? ANA;
          return [
            live(`${tag}${i}`, i * 10, { from }, business),
            echo(`${tag}E${i}`, i * 10 + 5, { to: from }, business),
            // First by a name that is no phone, later by both: leads become one while the other run writes to them.
            webhook(
              'messages',
              {
                contacts: [{ wa_id: i > 30 ? from : undefined, user_id: `BR.${from}` }].map((contact) =>
                  contact.wa_id === undefined ? { user_id: contact.user_id } : { ...contact, wa_id: from },
                ),
                messages: [
                  item(`${tag}B${i}`, i * 10 + 7, {
                    from: i > 30 ? from : undefined,
                    from_user_id: `BR.${from}`,
                  }),
                ],
              },
              business,
            ),
          ];
        }).flat(),
      );
    const book = lines(
      people.flatMap((phone, i) => [
        liveFrom(`Profile ${i}`, `N${i}`, i, { from: phone }),
        addressBook(i % 2 === 0 ? 'add' : 'remove', { phone_number: phone, full_name: `Book ${i}` }, i),
      ]),
    );
    const one = await machine.write('one.ndjson', forNumber(FIRST, 'X') + book);
    const two = await machine.write('two.ndjson', book + forNumber(SECOND, 'Y'));
    const small = ['--register', '--batch-size', '5', '--json'];
    const results = await together(machine, ['replay', one, ...small], ['replay', two, ...small]);
    const alone = await oneAfterTheOther([one, two]);
    expect(differences(await machine.picture(), alone.picture)).toEqual([]);
    expect(created(results)).toBe(alone.created);
  });

  test('over what is pending share it: every entry is processed once', async () => {
    const machine = await machines.install();
    const log = await machine.write('log.ndjson', liveLines(200));
    expect((await machine.run(['replay', log])).code).toBe(4);
    const results = await together(machine, ['replay', ...SMALL_BATCHES], ['replay', ...SMALL_BATCHES]);
    expect(created(results)).toBe(200);
    expect(results.reduce((sum, { entries }) => sum + entries.processed, 0)).toBe(200);
    const rows = await machine.look(({ sql }) =>
      sql.query(`select status, attempts, count(*)::int as n from webhook_log group by status, attempts`),
    );
    expect(rows).toEqual([{ status: 'processed', attempts: 2, n: 200 }]);
    const alone = await oneAfterTheOther([log]);
    expect(differences(await machine.picture(), alone.picture)).toEqual([]);
  });

  test('wait for one that must be alone only as long as they are told', async () => {
    const machine = await machines.install();
    const log = await machine.write('log.ndjson', liveLines(3));
    const lock = await acquireRunLock(machine.config, {
      mode: 'exclusive',
      command: 'dedupe --apply',
      host: hostname(),
      pid: process.pid,
    });
    onTestFinished(() => lock.release());
    const refused = await machine.run(['replay', log, '--register', '--lock-wait', '1s']);
    expect(refused).toMatchObject({ code: 5, stdout: '' });
    expect(refused.stderr).toMatch(/^wa-reconcile: .*dedupe --apply.*\n {2}.*--lock-wait/);
    expect(refused.stderr).toContain(String(process.pid));
    const patient = machine.run(['replay', log, '--register', '--lock-wait', '30s', '--json']);
    setTimeout(() => void lock.release(), 1_000);
    const { code, stdout } = await patient;
    expect(code).toBe(0);
    expect(parseRun(stdout).messages.created).toBe(3);
  });
});

describe('two runs at once on the embedded database', () => {
  const machines = useMachines('pglite');

  test('are one run: the second says who has it, or waits', async () => {
    const machine = await machines.install();
    const log = await machine.write('log.ndjson', busyLog(300, 3));
    const first = await machine.start(['replay', log, ...SMALL_BATCHES, '--events']);
    await first.says('"event":"progress"', 'stderr');
    // It stands still in the middle, until the others have found it at work.
    first.process.kill('SIGSTOP');
    const waiting = await machine.start(['replay', log, ...SMALL_BATCHES, '--lock-wait', '60s']);
    for (const argv of [
      ['replay', log],
      ['connection', 'list'],
      ['db', 'status'],
    ]) {
      const { code, stdout, stderr } = await machine.run(argv);
      expect({ argv, code, stdout }).toEqual({ argv, code: 5, stdout: '' });
      expect(stderr).toMatch(/^wa-reconcile: .+ in use by replay \(process \d+ on .+\)\.\n {2}.*--lock-wait/);
      expect(stderr).toContain(`process ${first.process.pid ?? 'without an id'} on ${hostname()}`);
    }
    first.process.kill('SIGCONT');
    const [one, other] = await Promise.all([first.ended, waiting.ended]);
    expect([one.code, other.code]).toEqual([4, 4]);
    expect(parseRun(one.stdout).messages.created).toBeGreaterThan(270);
    expect(parseRun(other.stdout).messages).toMatchObject({ created: 0, updated: 0 });
  });
});
