import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { startDeadline } from '../../src/model/deadline.js';

describe('a deadline', () => {
  it('ends with its time, as a timeout, also when memory is collected meanwhile', async () => {
    setFlagsFromString('--expose-gc');
    let reason: unknown;
    startDeadline(60, new AbortController().signal).signal.addEventListener('abort', (event) => {
      if (event.target instanceof AbortSignal) reason = event.target.reason;
    });
    for (let round = 0; round < 12 && reason === undefined; round += 1) {
      runInNewContext('gc()');
      await delay(10);
    }
    expect(reason).toMatchObject({ name: 'TimeoutError' });
  });

  it('ends with any other that says stop, with its reason, and at once if it has said so before', async () => {
    const other = new AbortController();
    const first = startDeadline(60_000, new AbortController().signal, other.signal);
    const ended = once(first.signal, 'abort');
    other.abort('SIGTERM');
    await ended;
    const second = startDeadline(60_000, other.signal);
    expect([first.signal.reason, second.signal.aborted, second.signal.reason]).toEqual([
      'SIGTERM',
      true,
      'SIGTERM',
    ]);
    for (const deadline of [first, second]) deadline.clear();
  });

  it('ends when its owner says so, and not at all once it is cleared', async () => {
    const other = new AbortController();
    const stopped = startDeadline(60_000);
    stopped.stop('done');
    stopped.clear();
    const cleared = startDeadline(5, other.signal);
    cleared.clear();
    other.abort();
    await delay(20);
    expect([stopped.signal.reason, cleared.signal.aborted]).toEqual(['done', false]);
  });

  it('has no limit of Infinity', async () => {
    const endless = startDeadline(Infinity);
    await delay(20);
    expect(endless.signal.aborted).toBe(false);
    endless.clear();
  });
});
