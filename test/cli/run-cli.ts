import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { onTestFinished } from 'vitest';
import type { Io, StopSignal } from '../../src/cli/io.js';
import { main } from '../../src/cli/main.js';

/** What a user sees of one call. */
export interface Seen {
  code: number;
  stdout: string;
  stderr: string;
}

export interface Surroundings {
  env?: Record<string, string>;
  cwd?: string;
  home?: string;
  /** The name of the machine, by which the locks of its dead processes are known. */
  host?: string;
  stdin?: string | AsyncIterable<string>;
  /** What a person types, each once the words before it have appeared on stderr. */
  answers?: readonly (readonly [question: string, typed: string])[];
  /** Streams that are terminals; none unless said. */
  terminals?: readonly ('stdin' | 'stdout' | 'stderr')[];
  /** The width of a terminal; 100 unless said. */
  columns?: number;
  now?: number;
  /** Gets a function that raises a signal. */
  withSignals?: (raise: (signal: StopSignal) => void) => void;
  quit?: (code: number) => void;
}

class Capture extends Writable {
  text = '';
  onText: () => void = () => undefined;

  override _write(chunk: Buffer | string, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    this.onText();
    done();
  }

  /** A question that is over ends its stream; like a process's own streams, this one stays open. */
  override end(): this {
    return this;
  }
}

/** Runs the command line in this process, with streams, environment and home of its own. */
export async function runCli(argv: readonly string[], surroundings: Surroundings = {}): Promise<Seen> {
  const stdout = new Capture();
  const stderr = new Capture();
  const listeners = new Map<StopSignal, Set<() => void>>();
  const terminals = new Set(surroundings.terminals ?? []);
  const io: Io = {
    stdin:
      surroundings.answers === undefined
        ? readableOf(surroundings.stdin)
        : person(surroundings.answers, stderr),
    stdout,
    stderr,
    stdinIsTTY: terminals.has('stdin'),
    stdoutIsTTY: terminals.has('stdout'),
    stderrIsTTY: terminals.has('stderr'),
    columns: terminals.has('stdout') ? (surroundings.columns ?? 100) : undefined,
    env: surroundings.env ?? {},
    cwd: surroundings.cwd ?? '/',
    homeDirectory: surroundings.home ?? '/nonexistent-home',
    startedAt: performance.timeOrigin,
    host: surroundings.host ?? 'test-host',
    user: 'test-user',
    pid: process.pid,
    clock: () => surroundings.now ?? Date.now(),
    onSignal: (signal, listener) => {
      const set = listeners.get(signal) ?? new Set();
      listeners.set(signal, set.add(listener));
      return () => set.delete(listener);
    },
    quit: surroundings.quit ?? (() => undefined),
  };
  surroundings.withSignals?.((signal) => {
    for (const listener of listeners.get(signal) ?? []) listener();
  });
  const code = await main(argv, io);
  return { code, stdout: stdout.text, stderr: stderr.text };
}

/** Somebody at the keyboard, who reads a question before answering it. */
function person(answers: readonly (readonly [question: string, typed: string])[], stderr: Capture): Readable {
  const keyboard = new PassThrough();
  const left = [...answers];
  let read = 0;
  stderr.onText = () => {
    const [next] = left;
    if (next === undefined || !stderr.text.slice(read).includes(next[0])) return;
    read = stderr.text.length;
    left.shift();
    setTimeout(() => keyboard.write(next[1]), 20);
  };
  return keyboard;
}

function readableOf(stdin: Surroundings['stdin']): Readable {
  if (stdin === undefined) return Readable.from([]);
  return typeof stdin === 'string' ? Readable.from([Buffer.from(stdin)]) : Readable.from(toBytes(stdin));
}

async function* toBytes(texts: AsyncIterable<string>): AsyncGenerator<Buffer> {
  for await (const text of texts) yield Buffer.from(text);
}

/** A new directory that goes away with the test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'wa-reconcile-cli-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}
