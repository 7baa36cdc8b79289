import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { ProgressEvent } from '../../src/context.js';
import {
  describeProgress,
  IDLE,
  reduceProgress,
  type ProgressState,
} from '../../src/cli/ui/progress-state.js';
import { progressMode } from '../../src/cli/ui/progress.js';

const MB = 1024 * 1024;
const START: ProgressEvent = { event: 'run_started', runId: 'r', command: 'replay', dryRun: false };

function progress(bytesRead: number, messages: number, bytesTotal?: number): ProgressEvent {
  return { event: 'progress', bytesRead, messages, entries: messages, origin: 'log.ndjson:812', bytesTotal };
}

function after(events: readonly (readonly [at: number, event: ProgressEvent])[]): ProgressState {
  return events.reduce((state, [at, event]) => reduceProgress(state, event, at), IDLE);
}

describe('the progress of a run', () => {
  test('shows share, bytes, messages, rate, time left and place', () => {
    const state = after([
      [0, START],
      [2000, progress(25 * MB, 50_000, 100 * MB)],
      [4000, progress(50 * MB, 100_000, 100 * MB)],
    ]);
    expect(describeProgress(state, 4000, 120)).toBe(
      '50%  50.0 MB of 100.0 MB  100,000 messages  25,000/s  4 s left  log.ndjson:812',
    );
  });

  test('leaves out share and time where the size is unknown, as with stdin', () => {
    const state = after([
      [0, START],
      [4000, progress(50 * MB, 100_000)],
    ]);
    expect(describeProgress(state, 4000, 120)).toBe('50.0 MB  100,000 messages  25,000/s  log.ndjson:812');
  });

  test('shows files, bytes, their rate and the time left, where sizes are not known before', () => {
    const files = (done: number, bytesRead: number): ProgressEvent => ({
      event: 'progress',
      bytesRead,
      entries: 0,
      messages: 0,
      files: { done, total: 40 },
    });
    const state = after([
      [0, { ...START, command: 'media fetch' }],
      [2000, files(5, 10 * MB)],
      [4000, files(10, 20 * MB)],
    ]);
    expect(describeProgress(state, 4000, 120)).toBe('25%  10 of 40 files  20.0 MB  5.0 MB/s  12 s left');
    expect(
      describeProgress(
        after([
          [0, START],
          [100, files(0, 0)],
        ]),
        100,
        120,
      ),
    ).toBe('0%  0 of 40 files  0 B');
  });

  test('follows a change of speed within seconds', () => {
    const slow = Array.from({ length: 60 }, (_, i) => [i * 1000, progress(i * 1000, i * 100)] as const);
    const fast = Array.from(
      { length: 20 },
      (_, i) => [60_000 + i * 1000, progress(60_000 + i * 90_000, 6000 + i * 9000)] as const,
    );
    const state = after([[0, START], ...slow, ...fast]);
    expect(describeProgress(state, 79_000, 120)).toContain('9,000/s');
  });

  test('does not grow with the number of events', () => {
    const events = Array.from({ length: 5000 }, (_, i) => [i * 10, progress(i, i)] as const);
    expect(after(events).samples.length).toBeLessThan(50);
  });

  test('says 100% only at the end: the last batch is still to be stored', () => {
    const read = after([
      [0, START],
      [1000, progress(10 * MB, 10, 10 * MB)],
    ]);
    expect(describeProgress(read, 1000, 120)).toMatch(/^99%/);
    const done = reduceProgress(read, { event: 'run_finished', runId: 'r', status: 'completed' }, 1100);
    expect(describeProgress(done, 1100, 120)).toMatch(/^100%/);
  });

  test('says nothing about speed before there is anything to measure', () => {
    expect(describeProgress(after([[0, START]]), 0, 80)).toBe('0 messages');
    expect(describeProgress(IDLE, 0, 80)).toBe('0 messages');
  });

  test.each([
    ['media fetch', '0 files'],
    ['prune', '0 entries'],
  ])('counts for %s what it works on, before the first one', (command, words) => {
    expect(describeProgress(after([[0, { ...START, command }]]), 0, 80)).toBe(words);
  });

  test('gives up the place before the figures on a narrow terminal', () => {
    const state = after([
      [0, START],
      [4000, progress(50 * MB, 100_000, 100 * MB)],
    ]);
    const line = describeProgress(state, 4000, 60);
    expect(line).not.toContain('log.ndjson');
    expect(line.length).toBeLessThanOrEqual(60);
  });
});

describe('how progress is shown', () => {
  const settings = { events: false, quiet: false };

  test('is a line now and then on a terminal that does not know its size', () => {
    const sized = (columns: number) => Object.assign(new PassThrough(), { columns });
    const io = (columns: number) => ({ stderr: sized(columns), stderrIsTTY: true, env: {} });
    expect(progressMode(settings, io(80))).toBe('spinner');
    expect(progressMode(settings, io(0))).toBe('lines');
  });
});

test('says that the database is opened, and nothing of it afterwards', () => {
  const opening = reduceProgress(IDLE, { event: 'opening' }, 0);
  expect(describeProgress(opening, 0, 80)).toBe('opening the database');
  const opened = reduceProgress(opening, { event: 'opened' }, 1000);
  expect(describeProgress(opened, 1000, 80)).not.toContain('opening');
});
