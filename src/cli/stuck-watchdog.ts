import { Worker } from 'node:worker_threads';

/** How long the process may be deaf on a full disk. Container runtimes and service managers wait as long for its end. */
const DEAF_MS = 10_000;
/** A disk with less is full: the smallest thing that PostgreSQL writes is a page of 8 KB, but it extends files by more. */
const FULL_BYTES = 1024 * 1024;

export interface WatchdogOptions {
  /** The directory of the embedded database. */
  directory: string;
  pid: number;
  deafMs?: number;
  fullBytes?: number;
}

/**
 * Ends the process if the embedded database spins because another process filled the disk in the middle of a batch:
 * PostgreSQL in WebAssembly then blocks the only thread forever, and no signal, timer or error gets through. So a
 * second thread watches the first one's heartbeat. What was committed is kept; the batch at work is rolled back on the
 * next start.
 */
export function watchForFullDisk({
  directory,
  pid,
  deafMs = DEAF_MS,
  fullBytes = FULL_BYTES,
}: WatchdogOptions): { close: () => void } {
  const beat = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const timer = setInterval(() => {
    Atomics.add(beat, 0, 1);
  }, deafMs / 10);
  timer.unref();
  const worker = new Worker(WATCH, {
    eval: true,
    // Flags of the process, such as --input-type, are not for this script.
    execArgv: [],
    workerData: { beat, directory, pid, deafMs, fullBytes },
  });
  // Without the watch the work goes on: it only helps on a bad day.
  worker.on('error', () => undefined);
  worker.unref();
  return {
    close: () => {
      clearInterval(timer);
      void worker.terminate();
    },
  };
}

/** Plain JavaScript, because a thread of its own loads no compiled sources. SIGKILL: nothing else gets through. */
const WATCH = `
  const { workerData } = require('node:worker_threads');
  const { statfsSync, writeSync } = require('node:fs');
  const { beat, directory, pid, deafMs, fullBytes } = workerData;
  let seen = -1;
  let since = Date.now();
  setInterval(() => {
    const now = Atomics.load(beat, 0);
    if (now !== seen) {
      seen = now;
      since = Date.now();
      return;
    }
    if (Date.now() - since < deafMs) return;
    try {
      const { bavail, bsize } = statfsSync(directory);
      if (bavail * bsize >= fullBytes) return;
    } catch {
      return;
    }
    writeSync(2, 'wa-reconcile: The disk of the database is full: ' + directory + '.\\n' +
      '  Free some space and run the same command again; anything committed is kept.\\n');
    process.kill(pid, 'SIGKILL');
  }, deafMs / 10);
`;
