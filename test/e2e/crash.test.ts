import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../bench/random.js';
import { useBackend, type TestBackend } from '../support/databases.js';
import { SEED } from '../support/seed.js';
import { normalisedDatabase } from '../support/normalised.js';
import { replayFiles } from '../support/replaying.js';
import { differences } from './differences.js';
import { useMachines, type Installation } from './installation.js';
import { busyLog, largeChunk, lines, liveLines } from './logs.js';
import { parseRun } from './run-json.js';

const seeds = (kills: number): number[] => Array.from({ length: kills }, (_, i) => SEED + i);

const MESSAGES = 1_200;
const LOG = busyLog(MESSAGES, 7);
const BATCH_SIZE = 30;
/** So many batches the log has at least; counted, a few more. */
const BATCHES = Math.floor(MESSAGES / BATCH_SIZE);
/** About what one batch takes, so that a kill hits any moment of it. */
const BATCH_MS = 30;

/** The command that is killed, and that is typed again afterwards. */
const COMMAND = ['replay', 'log.ndjson', '--register', '--batch-size', String(BATCH_SIZE), '--json'];

/**
 * Starts the command and kills it: some milliseconds after it began, or after it said so often that it is on its way. Gives
 * the entries that it said were done.
 */
async function runAndKill(machine: Installation, argv: readonly string[], at: Moment): Promise<number> {
  const child = await machine.start([...argv, '--events']);
  let batches = 0;
  const reached = new Promise<void>((resolve) => {
    child.process.stderr?.on('data', (text: string) => {
      batches += text.split('"event":"progress"').length - 1;
      if (batches >= at.batches) resolve();
    });
  });
  if (at.batches > 0) await Promise.race([reached, child.ended]);
  await delay(at.ms);
  child.process.kill('SIGKILL');
  const { signal, code, stderr } = await child.ended;
  // A run that was quicker than its killer is no crash.
  expect({ signal, code }).toEqual({ signal: 'SIGKILL', code: null });
  return Number([...stderr.matchAll(/"entries":(\d+)/g)].at(-1)?.[1] ?? 0);
}

type Picture = Record<string, unknown[]>;

interface Moment {
  batches: number;
  ms: number;
}

/** One in five dies before its first batch, while it opens the database. */
function momentOf(seed: number, opening: number): Moment {
  const random = createRandom(seed);
  if (seed % 5 === 0) return { batches: 0, ms: random.between(0, opening) };
  return { batches: random.between(1, BATCHES - 4), ms: random.between(0, BATCH_MS) };
}

/** The database of a run that nobody disturbed: once per log, in this process. */
function undisturbed(backend: TestBackend): (machine: Installation, name: string) => Promise<Picture> {
  const pictures = new Map<string, Promise<Picture>>();
  return (machine, name) => {
    const known = pictures.get(name) ?? picture(backend, `${machine.directory}/${name}`);
    pictures.set(name, known);
    return known;
  };
}

async function picture(backend: TestBackend, path: string): Promise<Picture> {
  const store = await backend.open();
  await replayFiles(store, [path]);
  return normalisedDatabase(store);
}

describe.each([
  { name: 'postgresql', opening: 400, kills: 10 },
  { name: 'pglite', opening: 1_500, kills: 5 },
] as const)('a run on $name that is killed at any moment', ({ name, opening, kills }) => {
  const backend = useBackend(name);
  const machines = useMachines(backend);
  const expected = undisturbed(backend);

  test.each(seeds(kills))(
    'ends, typed again, in the database of an undisturbed run (seed %d)',
    async (seed) => {
      const machine = await machines.install();
      await machine.write('log.ndjson', LOG);
      const done = await runAndKill(machine, COMMAND, momentOf(seed, opening));
      const again = await machine.run(COMMAND);
      expect({ code: again.code, stderr: again.stderr }).toEqual({ code: 4, stderr: '' });
      const { resumedFrom } = parseRun(again.stdout);
      // It goes on behind everything that was said to be done: a batch more may have been stored and not said.
      if (done > 0) expect(resumedFrom?.entriesSkipped).toBeGreaterThanOrEqual(done);
      expect(differences(await machine.picture(), await expected(machine, 'log.ndjson'))).toEqual([]);
    },
  );

  test('may die again while it goes on, and in a webhook of 5,000 messages', async () => {
    const machine = await machines.install();
    await machine.write(
      'large.ndjson',
      liveLines(300) + lines([largeChunk(5_000, 300)]) + liveLines(300, 'M'),
    );
    const random = createRandom(SEED);
    const argv = ['replay', 'large.ndjson', '--register', '--batch-size', '250', '--json'];
    // Twice inside the large webhook: the second run begins it anew, as its checkpoint lies before it.
    for (const batches of [random.between(3, 8), random.between(2, 18)]) {
      await runAndKill(machine, argv, { batches, ms: random.between(0, BATCH_MS) });
    }
    const rows = await machine.look(({ sql }) => sql.query(`select count(*)::int as n from messages`));
    expect(rows[0]?.['n']).toBeGreaterThan(300);
    const again = await machine.run(argv);
    expect({ code: again.code, stderr: again.stderr }).toEqual({ code: 0, stderr: '' });
    expect(parseRun(again.stdout).resumedFrom).toBeDefined();
    expect(differences(await machine.picture(), await expected(machine, 'large.ndjson'))).toEqual([]);
  });
});
