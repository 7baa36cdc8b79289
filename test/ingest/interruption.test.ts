import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { replay } from '../../src/commands/replay/replay.js';
import type { ReplayOptions } from '../../src/commands/replay/options.js';
import type { Store } from '../../src/store/store.js';
import { describeOnServer } from '../support/databases.js';
import { testContext } from '../support/replaying.js';
import { select } from '../support/shown.js';
import { live } from '../support/webhooks.js';

function fromPipe(stdin: PassThrough): ReplayOptions {
  return {
    input: { kind: 'paths', inputs: [{ kind: 'stdin' }], stdin, maxEntryBytes: 1024 * 1024 },
    register: true,
    tickets: 'auto',
    include: new Set(),
    dryRun: false,
    strict: false,
    batchSize: 1,
    resume: true,
    recordedOptions: {},
  };
}

function runs(store: Store): ReturnType<typeof select> {
  return select(store, `select status, completed_at is not null as ended from sync_runs`);
}

describeOnServer('a run that ends before its input does', (backend) => {
  it('is interrupted, not completed, when the signal comes before the first entry', async () => {
    const store = await backend.open();
    const stop = new AbortController();
    const stdin = new PassThrough();
    const context = testContext(store, {
      signal: stop.signal,
      onEvent: ({ event }) => {
        if (event === 'run_started')
          setImmediate(() => {
            stop.abort();
          });
      },
    });
    const result = await replay(context, fromPipe(stdin));
    expect(result.status).toBe('interrupted');
    expect(await runs(store)).toEqual([{ status: 'interrupted', ended: true }]);
  });

  it('lets go of a pipe that stays open when the database fails', async () => {
    const store = await backend.open();
    const stdin = new PassThrough();
    stdin.write(`${JSON.stringify(live('A1', 0))}\n${JSON.stringify(live('A2', 1))}\n`);
    const failing: Store = { ...store, transaction: () => Promise.reject(new Error('disk full')) };
    const closed = new Promise((resolve) => stdin.once('close', resolve));
    await expect(replay(testContext(failing), fromPipe(stdin))).rejects.toThrow('disk full');
    await closed;
    // An open pipe would keep the process alive after the error has been told.
    expect(stdin.destroyed).toBe(true);
  });
});
