/**
 * `npm run bench [messages]`: measures the replay against other ways of storing the same messages, in one run.
 * `npm run bench 1000000 compare`: only `compare` with a CRM of as many rows, against `verify`, on PostgreSQL.
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
import {
  measureComparison,
  measureTarget,
  type ComparisonFigures,
  type Plan,
  type TargetFigures,
} from './measure-target.js';
import { judgePages, measurePages, type PageFigures } from './message-pages.js';
import { makePgliteTarget } from './pglite-target.js';
import { startPostgresqlTarget } from './postgresql-target.js';
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
import type { Target } from './target.js';

const DEFAULT_MESSAGES = 200_000;
/** The budget of a page speaks of a million; a quick run of the bench must not wait for them. */
const STORED_FOR_PAGES = 1_000_000;
const PAGES_FACTOR = 5;
const SAMPLE = 5000;
const SEED = 1;

const messages = Number(process.argv[2] ?? DEFAULT_MESSAGES);
const only = process.argv[3];
if (!Number.isSafeInteger(messages) || messages < 1 || ![undefined, 'compare'].includes(only))
  throw new Error('usage: npm run bench [messages] [compare]');

const directory = await mkdtemp(join(tmpdir(), 'wa-reconcile-bench-'));
try {
  await (only === 'compare' ? benchComparison(directory) : bench(directory));
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function bench(directory: string): Promise<void> {
  const plan = await makePlan(directory);
  const measured = [
    await measure(startPostgresqlTarget(), plan),
    await measure(makePgliteTarget(directory), plan),
  ];
  const figures = measured.map(({ replay }) => replay);
  const backups = measured.flatMap(({ backup }) => backup ?? []);
  const help = await measureHelp();
  const verdicts = [
    ...figures.flatMap(judge),
    ...measured.map(({ pages }) => judgePages(pages)),
    ...backups.flatMap(judgeBackup),
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
  const dedupes = figures.flatMap(dedupeRatesOf);
  print(`${plainTable(DEDUPE_HEADER, dedupes)}\n`);
  const verifications = figures.flatMap(verifyRatesOf);
  print(`${plainTable(VERIFY_HEADER, verifications)}\n`);
  const copies = backups.flatMap(backupRatesOf);
  print(`${plainTable(BACKUP_HEADER, copies)}\n`);
  print(`${plainTable(VERDICT_HEADER, verdicts.map(verdictRow))}\n`);
  print('For the README:\n');
  print(`${markdownTable(RATES_HEADER, rates)}\n`);
  print(`${markdownTable(DEDUPE_HEADER, dedupes)}\n`);
  print(`${markdownTable(VERIFY_HEADER, verifications)}\n`);
  print(`${markdownTable(BACKUP_HEADER, copies)}\n`);
  print(markdownTable(VERDICT_HEADER, verdicts.map(verdictRow)));
  failFor(verdicts);
}

/** The long case, which nothing else in the bench needs: a CRM of as many rows as there are messages. */
async function benchComparison(directory: string): Promise<void> {
  const plan = await makePlan(directory);
  const target = await startPostgresqlTarget();
  let figures: ComparisonFigures;
  try {
    figures = await measureComparison(target, plan);
  } finally {
    await target.close();
  }
  const verdicts = judgeComparison(figures);
  await printConditions(plan, [figures]);
  print(`${plainTable(VERIFY_HEADER, verifyRatesOf(figures))}\n`);
  print(plainTable(VERDICT_HEADER, verdicts.map(verdictRow)));
  failFor(verdicts);
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
  const target = await opening;
  try {
    const replay = await measureTarget(target, plan);
    const { DATABASE_URL: url } = target.env;
    if (url !== undefined) plan.say(`${target.title}: backup and restore`);
    const backup = url === undefined ? null : await measureBackup({ url, ...plan });
    plan.say(`${target.title}: pages of messages`);
    const stored = Math.min(STORED_FOR_PAGES, plan.messages * PAGES_FACTOR);
    return { replay, backup, pages: await measurePages(target, stored) };
  } finally {
    await target.close();
  }
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
