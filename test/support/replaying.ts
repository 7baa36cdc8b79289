import { hostname } from 'node:os';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import type { Context, ProgressEvent } from '../../src/context.js';
import type { LogSelection, ReplayOptions } from '../../src/commands/replay/options.js';
import { replay } from '../../src/commands/replay/replay.js';
import type { RunResult } from '../../src/model/run-result.js';
import { resolveInputs } from '../../src/inputs/resolve-inputs.js';
import type { Store } from '../../src/store/store.js';
import { assertBalanced } from './accounts.js';

const SAMPLES = fileURLToPath(new URL('../samples/', import.meta.url));

/** The path of a sample payload. */
export function sample(name: string): string {
  return SAMPLES + name;
}

export type TestOptions = Partial<Omit<ReplayOptions, 'input'>> & {
  signal?: AbortSignal;
  clock?: () => number;
  onEvent?: (event: ProgressEvent) => void;
  appSecrets?: readonly string[];
  secretKey?: Context['secretKey'];
};

export function testContext(store: Store, options: TestOptions = {}): Context {
  return {
    store,
    log: pino({ level: 'silent' }),
    clock: options.clock ?? Date.now,
    signal: options.signal ?? new AbortController().signal,
    emit: options.onEvent ?? ((): void => undefined),
    host: hostname(),
    pid: process.pid,
    user: 'tester',
    ...(options.secretKey === undefined ? {} : { secretKey: options.secretKey }),
    ...(options.appSecrets === undefined ? {} : { appSecrets: options.appSecrets }),
  };
}

/** Replays files as the command does with `--register`, unless told otherwise. */
export async function replayFiles(
  store: Store,
  paths: readonly string[],
  options: TestOptions = {},
): Promise<RunResult> {
  const inputs = await resolveInputs(paths, { cwd: process.cwd() });
  return run(
    store,
    { kind: 'paths', inputs, stdin: Readable.from([]), maxEntryBytes: 16 * 1024 * 1024 },
    options,
  );
}

/** Replays bodies as lines of standard input. */
export async function replayBodies(
  store: Store,
  bodies: readonly unknown[],
  options: TestOptions = {},
): Promise<RunResult> {
  const text = bodies.map((body) => (typeof body === 'string' ? body : JSON.stringify(body))).join('\n');
  return run(
    store,
    {
      kind: 'paths',
      inputs: [{ kind: 'stdin' }],
      stdin: Readable.from([Buffer.from(text)]),
      maxEntryBytes: 16 * 1024 * 1024,
    },
    options,
  );
}

/** Replays stored entries. */
export function replayLog(
  store: Store,
  selection: LogSelection,
  options: TestOptions = {},
): Promise<RunResult> {
  return run(store, { kind: 'log', ...selection }, options);
}

/** Every run of every test has to balance. */
async function run(store: Store, input: ReplayOptions['input'], options: TestOptions): Promise<RunResult> {
  const result = await replay(testContext(store, options), {
    register: true,
    tickets: 'auto',
    include: new Set(),
    dryRun: false,
    strict: false,
    batchSize: 1000,
    resume: true,
    recordedOptions: {},
    ...options,
    input,
  });
  assertBalanced(result);
  return result;
}
