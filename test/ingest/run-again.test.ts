import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { addBaileysConnection } from '../support/counting.js';
import { describeOnBackends } from '../support/databases.js';
import { replayFiles, replayLog, sample } from '../support/replaying.js';
import { value } from '../support/shown.js';
import { live } from '../support/webhooks.js';

describeOnBackends('running again', (backend) => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'wa-reconcile-again-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('after a stop ends partial when the part before it held problems', async () => {
    const store = await backend.open();
    const log = join(directory, 'log.ndjson');
    const bad = live('A1', 0, { id: undefined });
    await writeFile(
      log,
      `${[bad, live('A2', 1), live('A3', 2)].map((body) => JSON.stringify(body)).join('\n')}\n`,
    );
    const stopped = await replayFiles(store, [log], { strict: true, batchSize: 1 });
    expect(stopped.status).toBe('failed');

    const resumed = await replayFiles(store, [log], { batchSize: 1 });
    expect(resumed.resumedFrom).toMatchObject({ runId: stopped.runId, problems: 1 });
    expect(resumed.problemCount).toBe(0);
    expect(resumed.status).toBe('partial');
    expect(await value(store, 'select count(*)::int from messages')).toBe(2);
  });

  it('with the connection of events that had none leaves one row of the raw log, and nothing waiting', async () => {
    const store = await backend.open();
    const log = join(directory, 'event.json');
    await copyFile(sample('baileys-history-set-lid.json'), log);
    const waiting = await replayFiles(store, [log], { register: false });
    expect(waiting.entries).toMatchObject({ stored: 1, pending: 1 });

    await addBaileysConnection(store);
    const known = await replayFiles(store, [log], { register: false, connection: 'loja' });
    expect(known.entries).toMatchObject({ stored: 0, duplicate: 1, processed: 1 });
    expect(await value(store, 'select count(*)::int from webhook_log')).toBe(1);
    const rest = await replayLog(store, { which: 'pending' });
    expect(rest.entries.read).toBe(0);
  });
});
