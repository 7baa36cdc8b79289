import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../bench/random.js';
import { useBackend, type TestBackend } from '../support/databases.js';
import { SEED } from '../support/seed.js';
import { normalizedDatabase } from '../support/normalized.js';
import { replayFiles } from '../support/replaying.js';
import { differences } from './differences.js';
import { useMachines, type Installation } from './installation.js';
import { busyLog, largeChunk, lines, liveLines } from './logs.js';
import { parseRun } from './run-json.js';

const MESSAGES = 600;
const LOG = busyLog(MESSAGES, 7);
const LINES = LOG.split('\n').length;
const BATCH_SIZE = 15;
/** About what one batch takes, so that a kill hits any moment of it. */
const BATCH_MS = 30;

/** The command that is killed, and that is typed again afterwards. */
const COMMAND = ['replay', 'log.ndjson', '--register', '--batch-size', String(BATCH_SIZE), '--json'];

/** When to kill: as soon as what the command said is enough, and so many milliseconds later. */
interface Moment {
  isReached: (said: string) => boolean;
  ms: number;
}

/**
 * Starts the command and kills it at that moment. Gives the line that it said was done last: of an entry that takes several batches it
 * names the line while it stores it, so that only the line before is done.
 */
async function runAndKill(machine: Installation, argv: readonly string[], at: Moment): Promise<number> {
  const child = await machine.start([...argv, '--events']);
  let said = '';
  const reached = new Promise<void>((resolve) => {
    child.process.stderr?.on('data', (text: string) => {
      said += text;
      if (at.isReached(said)) resolve();
    });
  });
  if (!at.isReached('')) await Promise.race([reached, child.ended]);
  await delay(at.ms);
  child.process.kill('SIGKILL');
  const { signal, code, stderr } = await child.ended;
  // A run that was quicker than its killer is no crash.
  expect({ signal, code }).toEqual({ signal: 'SIGKILL', code: null });
  return Math.max(0, lineIn(stderr) - 1);
}

function lineIn(said: string): number {
  return Number([...said.matchAll(/"origin":"[^"]*:(\d+)"/g)].at(-1)?.[1] ?? 0);
}

function batchesIn(said: string): number {
  return said.split('"event":"progress"').length - 1;
}

type Picture = Record<string, unknown[]>;

/** One moment while it opens the database, and one in each fifth of the log, but for its last lines. */
function momentsOf(seed: number, opening: number): Moment[] {
  const random = createRandom(seed);
  const fifth = Math.floor((LINES - 6 * BATCH_SIZE) / 5);
  return [
    { isReached: () => true, ms: random.between(0, opening) },
    ...Array.from({ length: 5 }, (_, nth): Moment => {
      // Two batches at least from one moment to the next: each of the runs gets on.
      const line = random.between(nth * fifth + 1, (nth + 1) * fifth - 2 * BATCH_SIZE);
      return { isReached: (said) => lineIn(said) >= line, ms: random.between(0, BATCH_MS) };
    }),
  ];
}

/** The database of a run that nobody disturbed: once per log, in this process, whichever database the command has. */
function undisturbed(): (machine: Installation, name: string) => Promise<Picture> {
  const backend = useBackend('postgresql');
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
  return normalizedDatabase(store);
}

describe.each([
  { name: 'postgresql', opening: 400, seeds: [SEED, SEED + 1] },
  { name: 'pglite', opening: 1_500, seeds: [SEED] },
] as const)('a run on $name that is killed at any moment', ({ name, opening, seeds }) => {
  const machines = useMachines(name);
  const expected = undisturbed();

  test.each(seeds)(
    'and is killed again whenever it is typed again ends in the database of an undisturbed run (seed %d)',
    async (seed) => {
      const machine = await machines.install();
      await machine.write('log.ndjson', LOG);
      let done = 0;
      for (const moment of momentsOf(seed, opening)) {
        const line = await runAndKill(machine, COMMAND, moment);
        // None begins anew: whatever it said last does not lie before what the one before it said, which may have died late.
        if (line > 0) expect(line).toBeGreaterThanOrEqual(done);
        done = Math.max(done, line);
      }
      const again = await machine.run(COMMAND);
      expect({ code: again.code, stderr: again.stderr }).toEqual({ code: 4, stderr: '' });
      const { resumedFrom } = parseRun(again.stdout);
      // It goes on behind everything that was said to be done: a batch more may have been stored and not said.
      expect(resumedFrom?.entriesSkipped).toBeGreaterThanOrEqual(done);
      expect(differences(await machine.picture(), await expected(machine, 'log.ndjson'))).toEqual([]);
    },
  );

  test('may die again while it goes on, and in a webhook of 2,000 messages', async () => {
    const machine = await machines.install();
    await machine.write(
      'large.ndjson',
      liveLines(200) + lines([largeChunk(2_000, 300)]) + liveLines(200, 'M'),
    );
    const random = createRandom(SEED);
    const argv = ['replay', 'large.ndjson', '--register', '--batch-size', '100', '--json'];
    // Twice inside the large webhook: the second run begins it anew, as its checkpoint lies before it.
    for (const batches of [random.between(3, 8), random.between(2, 18)]) {
      await runAndKill(machine, argv, {
        isReached: (said) => batchesIn(said) >= batches,
        ms: random.between(0, BATCH_MS),
      });
    }
    const rows = await machine.look(({ sql }) => sql.query(`select count(*)::int as n from messages`));
    expect(rows[0]?.['n']).toBeGreaterThan(200);
    const again = await machine.run(argv);
    expect({ code: again.code, stderr: again.stderr }).toEqual({ code: 0, stderr: '' });
    expect(parseRun(again.stdout).resumedFrom).toBeDefined();
    expect(differences(await machine.picture(), await expected(machine, 'large.ndjson'))).toEqual([]);
  });
});
