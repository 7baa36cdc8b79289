/**
 * `npm run bench [messages]`: measures the replay against other ways of storing the same messages, in one run.
 * `npm run bench 1000000 compare`: only `compare` with a CRM of as many rows, against `verify`, on PostgreSQL.
 * `npm run bench -- --profile [messages]`: where the time of a replay goes, by statement and by function, on both databases.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { writeLog } from './generate-log.js';
import {
  BACKUP_HEADER,
  backupRatesOf,
  judgeBackup,
  measureBackup,
  type BackupFigures,
} from './measure-backup.js';
import { measureComparison, measureTarget, type Plan, type TargetFigures } from './measure-target.js';
import { judgeScattered, measureScattered, scatteredRatesOf, SCATTERED_HEADER } from './measure-scattered.js';
import { judgePages, measurePages, type PageFigures } from './message-pages.js';
import { makePgliteTarget } from './pglite-target.js';
import { startPostgresqlTarget } from './postgresql-target.js';
import { profile } from './profile.js';
import {
  DEDUPE_HEADER,
  dedupeRatesOf,
  format,
  judge,
  judgeComparison,
  markdownTable,
  plainTable,
  RATES_HEADER,
  ratesOf,
  VERDICT_HEADER,
  verdictRow,
  type Verdict,
  VERIFY_HEADER,
  verifyRatesOf,
} from './report.js';
import { measureHelp } from './run-binary.js';
import { closing, type Target } from './target.js';

const DEFAULT_MESSAGES = 200_000;
/** The budget of a page speaks of a million; a quick run of the bench must not wait for them. */
const STORED_FOR_PAGES = 1_000_000;
const PAGES_FACTOR = 5;
const SAMPLE = 5000;
const SEED = 1;

const words = process.argv.slice(2);
const only = words.find((word) => ['compare', '--profile'].includes(word));
const [given, ...others] = words.filter((word) => word !== only);
const messages = Number(given ?? DEFAULT_MESSAGES);
if (!Number.isSafeInteger(messages) || messages < 1 || others.length > 0)
  throw new Error('usage: npm run bench [messages] [compare]; npm run bench -- --profile [messages]');

const directory = await mkdtemp(join(tmpdir(), 'wa-reconcile-bench-'));
try {
  if (only === undefined) await bench(directory);
  else await (only === 'compare' ? benchComparison(directory) : benchProfile(directory));
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function bench(directory: string): Promise<void> {
  const plan = await makePlan(directory);
  const measured = [
    await measure(startPostgresqlTarget(), plan),
    await measure(makePgliteTarget(directory), plan),
  ];
  const scattered = await closing(startPostgresqlTarget(), (target) => measureScattered(target, plan));
  const figures = measured.map(({ replay }) => replay);
  const backups = measured.flatMap(({ backup }) => backup ?? []);
  const help = await measureHelp();
  const verdicts = [
    ...figures.flatMap(judge),
    ...measured.map(({ pages }) => judgePages(pages)),
    ...backups.flatMap(judgeBackup),
    judgeScattered(scattered),
    {
      title: '',
      budget: '--help in less than 200 ms',
      measured: `${help.toFixed(0)} ms`,
      pass: help < 200,
    },
  ];

  const rates = figures.flatMap(ratesOf);
  await printConditions(plan, figures);
  print(`${plainTable(RATES_HEADER, rates)}\n`);
  const spread = [scatteredRatesOf(scattered)];
  print(`${plainTable(SCATTERED_HEADER, spread)}\n`);
  const dedupes = figures.flatMap(dedupeRatesOf);
  print(`${plainTable(DEDUPE_HEADER, dedupes)}\n`);
  const verifications = figures.flatMap(verifyRatesOf);
  print(`${plainTable(VERIFY_HEADER, verifications)}\n`);
  const copies = backups.flatMap(backupRatesOf);
  print(`${plainTable(BACKUP_HEADER, copies)}\n`);
  print(`${plainTable(VERDICT_HEADER, verdicts.map(verdictRow))}\n`);
  print('For the README:\n');
  print(`${markdownTable(RATES_HEADER, rates)}\n`);
  print(`${markdownTable(SCATTERED_HEADER, spread)}\n`);
  print(`${markdownTable(DEDUPE_HEADER, dedupes)}\n`);
  print(`${markdownTable(VERIFY_HEADER, verifications)}\n`);
  print(`${markdownTable(BACKUP_HEADER, copies)}\n`);
  print(markdownTable(VERDICT_HEADER, verdicts.map(verdictRow)));
  failFor(verdicts);
}

/** The long case, which nothing else in the bench needs: a CRM of as many rows as there are messages. */
async function benchComparison(directory: string): Promise<void> {
  const plan = await makePlan(directory);
  const figures = await closing(startPostgresqlTarget(), (target) => measureComparison(target, plan));
  const verdicts = judgeComparison(figures);
  await printConditions(plan, [figures]);
  print(`${plainTable(VERIFY_HEADER, verifyRatesOf(figures))}\n`);
  print(plainTable(VERDICT_HEADER, verdicts.map(verdictRow)));
  failFor(verdicts);
}

async function benchProfile(directory: string): Promise<void> {
  const plan = await makePlan(directory);
  await closing(startPostgresqlTarget(), (target) => profile(target, plan));
  await closing(makePgliteTarget(directory), (target) => profile(target, plan));
}

async function makePlan(directory: string): Promise<Plan> {
  const log = join(directory, 'log.ndjson');
  say(`writing a log of ${format(messages)} messages`);
  await writeLog(log, { messages, seed: SEED });
  return { log, messages, sample: SAMPLE, directory, say };
}

async function printConditions(
  { log }: Plan,
  figures: readonly Pick<TargetFigures, 'conditions'>[],
): Promise<void> {
  const { size } = await stat(log);
  print(`${format(messages)} messages, ${format(size / 1e6)} MB of log`);
  print(`${machine()}\n${figures.map(({ conditions }) => conditions).join('\n')}\n`);
}

function failFor(verdicts: readonly Verdict[]): void {
  if (verdicts.some(({ pass }) => pass === false)) process.exitCode = 1;
}

async function measure(
  opening: Promise<Target>,
  plan: Plan,
): Promise<{ replay: TargetFigures; pages: PageFigures; backup: BackupFigures | null }> {
  return closing(opening, async (target) => {
    const replay = await measureTarget(target, plan);
    // Empty where the database is embedded: the variable of whoever runs the bench must not count.
    const { DATABASE_URL: url = '' } = target.env;
    if (url !== '') plan.say(`${target.title}: backup and restore`);
    const backup = url === '' ? null : await measureBackup({ url, ...plan });
    plan.say(`${target.title}: pages of messages`);
    const stored = Math.min(STORED_FOR_PAGES, plan.messages * PAGES_FACTOR);
    return { replay, backup, pages: await measurePages(target, stored) };
  });
}

function machine(): string {
  const [cpu] = cpus();
  const memory = (totalmem() / 1024 ** 3).toFixed(0);
  return `${cpus().length} cores (${cpu?.model ?? 'unknown'}), ${memory} GB, Node ${process.version}`;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function say(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}
