import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Measured } from './measured.js';

/** The command as it is installed, and not its sources compiled one by one, which take longer to load. */
const BINARY = fileURLToPath(new URL('../../../dist/bin/wa-reconcile.js', import.meta.url));
const REPORT_MEMORY = new URL('./report-memory.js', import.meta.url).href;

const RunJson = z.object({
  status: z.string(),
  messages: z.object({ created: z.number(), updated: z.number(), unchanged: z.number() }),
});

export interface MeasuredReplay extends Measured {
  /** Rows that this replay made. */
  created: number;
  /** Most resident memory of the process, in bytes. */
  peakBytes: number;
}

/** One `wa-reconcile replay` in a process of its own; the time is the process's, from start to end. */
export async function replayOnce(
  log: string,
  messages: number,
  where: { env: Record<string, string>; directory: string },
  flags: readonly string[] = [],
): Promise<MeasuredReplay> {
  const memoryFile = join(where.directory, 'memory');
  const started = performance.now();
  const output = await run(
    ['--import', REPORT_MEMORY, BINARY, 'replay', log, '--register', '--json', '-q', ...flags],
    { ...where.env, BENCH_MEMORY_FILE: memoryFile },
  );
  const milliseconds = performance.now() - started;
  const result = RunJson.parse(JSON.parse(output));
  if (result.status !== 'completed') throw new Error(`the replay ended as ${result.status}`);
  return {
    messages,
    milliseconds,
    created: result.messages.created,
    peakBytes: Number(await readFile(memoryFile, 'utf8')),
  };
}

const VerifyJson = z.object({
  status: z.string(),
  messages: z.number().nullable(),
  missing: z.number().nullable(),
});

/** One `wa-reconcile verify` in a process of its own; the rate is over all messages of the raw log. */
export async function verifyOnce(
  flags: readonly string[],
  where: { env: Record<string, string>; directory: string },
): Promise<MeasuredVerify> {
  const memoryFile = join(where.directory, 'memory');
  const started = performance.now();
  const output = await run(
    ['--import', REPORT_MEMORY, BINARY, 'verify', ...flags, '--json', '-q'],
    { ...where.env, BENCH_MEMORY_FILE: memoryFile },
    // Without the unique index there is something to find.
    [0, 3],
  );
  const milliseconds = performance.now() - started;
  const { status, messages, missing } = VerifyJson.parse(JSON.parse(output));
  if (status !== 'completed' || messages === null || missing !== 0)
    throw new Error(`verify ended as ${status}, with ${missing} of ${messages} messages missing`);
  return { messages, milliseconds, peakBytes: Number(await readFile(memoryFile, 'utf8')) };
}

const CompareJson = z.object({
  status: z.string(),
  counts: z.object({ same: z.number(), lost: z.number(), only_in_crm: z.number() }),
});

/** One `wa-reconcile compare evolution` in a process of its own; the rate is over all messages that both sides have. */
export async function compareOnce(
  crmUrl: string,
  where: { env: Record<string, string>; directory: string },
): Promise<MeasuredVerify> {
  const memoryFile = join(where.directory, 'memory');
  const started = performance.now();
  const output = await run(
    ['--import', REPORT_MEMORY, BINARY, 'compare', 'evolution', '--crm-url', crmUrl, '--json', '-q'],
    { ...where.env, BENCH_MEMORY_FILE: memoryFile },
  );
  const milliseconds = performance.now() - started;
  const { status, counts } = CompareJson.parse(JSON.parse(output));
  if (status !== 'completed' || counts.lost + counts.only_in_crm > 0)
    throw new Error(
      `compare ended as ${status}, with ${counts.lost} lost and ${counts.only_in_crm} only there`,
    );
  return { messages: counts.same, milliseconds, peakBytes: Number(await readFile(memoryFile, 'utf8')) };
}

export interface MeasuredVerify extends Measured {
  /** Most resident memory of the process, in bytes. */
  peakBytes: number;
}

export interface MeasuredDedupe extends Measured {
  /** Rows that go, or went. */
  rows: number;
  /** Most resident memory of the process, in bytes. */
  peakBytes: number;
}

const DedupeJson = z.object({
  status: z.string(),
  classes: z.array(z.object({ rows: z.number() })),
  connections: z.array(z.object({ messages: z.number() })),
});

/** One `wa-reconcile dedupe` in a process of its own; the rate is over all messages that it has to look at. */
export async function dedupeOnce(
  flags: readonly string[],
  where: { env: Record<string, string>; directory: string },
): Promise<MeasuredDedupe> {
  const memoryFile = join(where.directory, 'memory');
  const started = performance.now();
  const output = await run(
    ['--import', REPORT_MEMORY, BINARY, 'dedupe', ...flags, '--json', '-q'],
    { ...where.env, BENCH_MEMORY_FILE: memoryFile },
    // A plan that finds something ends with 3.
    [0, 3],
  );
  const milliseconds = performance.now() - started;
  const result = DedupeJson.parse(JSON.parse(output));
  if (result.status !== 'completed') throw new Error(`dedupe ended as ${result.status}`);
  return {
    messages: result.connections.reduce((sum, connection) => sum + connection.messages, 0),
    milliseconds,
    rows: result.classes.reduce((sum, { rows }) => sum + rows, 0),
    peakBytes: Number(await readFile(memoryFile, 'utf8')),
  };
}

/** What a process took. */
export interface MeasuredProcess {
  milliseconds: number;
  /** Most resident memory, in bytes. */
  peakBytes: number;
}

/** One run of the command in a process of its own. */
export async function runMeasured(
  argv: readonly string[],
  env: Record<string, string>,
  directory: string,
): Promise<MeasuredProcess> {
  const memoryFile = join(directory, 'memory');
  const started = performance.now();
  await run(['--import', REPORT_MEMORY, BINARY, ...argv], { ...env, BENCH_MEMORY_FILE: memoryFile });
  return {
    milliseconds: performance.now() - started,
    peakBytes: Number(await readFile(memoryFile, 'utf8')),
  };
}

/** How long `--help` takes, in milliseconds: the median of five. */
export async function measureHelp(): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 5; i += 1) {
    const started = performance.now();
    await run([BINARY, '--help'], {});
    times.push(performance.now() - started);
  }
  return times.sort((a, b) => a - b)[2] ?? 0;
}

async function run(
  argv: readonly string[],
  env: Record<string, string>,
  expected: readonly number[] = [0],
): Promise<string> {
  const child = spawn(process.execPath, argv, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  await exited;
  if (!expected.includes(child.exitCode ?? -1)) {
    throw new Error(`${argv.join(' ')} ended with ${child.exitCode}\n${errors}`);
  }
  return output;
}
