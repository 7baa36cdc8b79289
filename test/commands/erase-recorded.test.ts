import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { erase } from '../../src/commands/erase/erase.js';
import type { Store } from '../../src/store/store.js';
import { dumpOf, tracesIn } from '../support/database-dump.js';
import { describeOnBackends } from '../support/databases.js';
import { replayBodies, replayFiles, replayLog, testContext, type TestOptions } from '../support/replaying.js';
import { SECRET } from '../support/secret.js';
import { value } from '../support/shown.js';
import { ANA, ANA_BSUID, ANA_LID, BRU, item, live, webhook, webLive } from '../support/webhooks.js';

const KEYED = { secretKey: () => SECRET } as const;
const LID = ANA_LID.split('@')[0] ?? '';

/** How people call a file after her, each with what is on record of it. */
const FOLDERS: readonly (readonly [name: string, left: string])[] = [
  [`chat-${ANA}`, 'chat-[erased]'],
  ['+55 11 90000-0001', '[erased]'],
  ['2025-09-16 55.11.90000.0001 x', '2025-09-16 [erased] x'],
  [`of_${LID}`, 'of_[erased]'],
  [`of ${ANA_LID}`, 'of [erased]'],
  [`of ${ANA_BSUID}`, 'of [erased]'],
  [`chat-${BRU} 2025-09-16`, `chat-${BRU} 2025-09-16`],
];

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'recorded-'));
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

describeOnBackends('what a run records where people were erased', (backend) => {
  async function erased(): Promise<Store> {
    const store = await backend.open();
    await replayBodies(store, [
      webhook('messages', {
        contacts: [{ wa_id: ANA, user_id: ANA_BSUID }],
        messages: [item('A0', -10, { from_user_id: ANA_BSUID })],
      }),
      webLive('WEB1', 60, {}, { remoteJid: ANA_LID, remoteJidAlt: `${ANA}@s.whatsapp.net` }),
      live('B0', 0, { from: BRU }),
    ]);
    await erase(testContext(store, KEYED), { contact: `+${ANA}`, secretKey: SECRET, batchSize: 9 });
    return store;
  }

  async function fileIn(folder: string, lines: readonly unknown[]): Promise<string> {
    await mkdir(join(root, folder), { recursive: true });
    const file = join(root, folder, 'log.ndjson');
    await writeFile(file, lines.map((line) => JSON.stringify(line)).join('\n'));
    return file;
  }

  const last = (store: Store, what: string): Promise<unknown> =>
    value(store, `select ${what} from sync_runs where command = 'replay' order by id desc limit 1`);
  const options = (file: string): TestOptions => ({ ...KEYED, recordedOptions: { paths: [file] } });

  it.each(backend.some(FOLDERS, ([, left]) => left.includes('[erased]')))(
    'F2: has no path with the number: %s',
    async (folder, left) => {
      const store = await erased();
      const file = await fileIn(folder, [live('A1', 1), live('B1', 2, { from: BRU })]);
      await replayFiles(store, [file], options(file));
      expect(await tracesIn(store, [ANA, '90000-0001', '90000.0001', LID, ANA_BSUID], ANA)).toEqual([]);
      const recorded = join(root, left, 'log.ndjson');
      expect(await last(store, `options -> 'paths' ->> 0`)).toBe(recorded);
      expect(await last(store, 'work')).toContain(JSON.stringify(recorded));
      expect(
        await value(store, `select count(*)::int from webhook_log where origin like '${recorded}:%'`),
      ).toBe(2);
    },
  );

  /** A replay that is stopped after its first batch. */
  function stoppedReplay(store: Store, file: string) {
    const stop = new AbortController();
    return replayFiles(store, [file], {
      ...options(file),
      batchSize: 2,
      signal: stop.signal,
      onEvent: ({ event }) => {
        if (event === 'progress') stop.abort();
      },
    });
  }

  backend.once('F2: is found by the run that resumes it, and has no number in its checkpoint', async () => {
    const store = await erased();
    const lines = Array.from({ length: 6 }, (_, at) => live(`B${at + 1}`, at, { from: BRU }));
    const file = await fileIn(`chat-${ANA}`, lines);
    const first = await stoppedReplay(store, file);
    expect(first.status).toBe('interrupted');
    expect(await last(store, 'checkpoint is not null')).toBe(true);
    expect(await tracesIn(store, [ANA], ANA)).toEqual([]);
    const second = await replayFiles(store, [file], options(file));
    expect(second.resumedFrom?.runId).toBe(first.runId);
    expect(second.status).toBe('completed');
    expect(await tracesIn(store, [ANA], ANA)).toEqual([]);
  });

  backend.once('F2: is found as well if it was recorded before the erasure', async () => {
    const store = await backend.open();
    const lines = [live('A1', 1), ...Array.from({ length: 5 }, (_, at) => live(`B${at}`, at, { from: BRU }))];
    const file = await fileIn(`chat-${ANA}`, lines);
    const first = await stoppedReplay(store, file);
    await erase(testContext(store, KEYED), { contact: `+${ANA}`, secretKey: SECRET, batchSize: 9 });
    const second = await replayFiles(store, [file], options(file));
    expect(second.resumedFrom?.runId).toBe(first.runId);
    expect(await tracesIn(store, [ANA], ANA)).toEqual([]);
  });

  backend.once('F2: does not say why it failed with the number', async () => {
    const store = await erased();
    const file = await fileIn(`chat-${ANA}`, [live('B1', 1, { from: BRU })]);
    const failing = replayFiles(store, [file], {
      ...options(file),
      onEvent: ({ event }) => {
        if (event === 'progress') throw new Error(`nothing reads ${file}`);
      },
    });
    await expect(failing).rejects.toThrow('nothing reads');
    expect(await last(store, 'error')).toContain('nothing reads');
    expect(await dumpOf(store)).not.toContain(ANA);
  });

  const asked = (store: Store, contact: string, key: TestOptions): Promise<unknown> =>
    replayLog(store, { which: 'all', contact }, { ...key, recordedOptions: { contact } });

  it.each(backend.some([`+${ANA}`, '+55 (11) 90000-0001', ANA_BSUID, ANA_LID], () => 'contact'))(
    'F2: does not name the contact that somebody asked for: %s',
    async (contact) => {
      const store = await erased();
      const runs = () => value(store, 'select count(*)::int from sync_runs');
      const before = await runs();
      await expect(asked(store, contact, KEYED)).rejects.toMatchObject({ code: 'erased_contact' });
      expect(await runs()).toBe(before);
      await asked(store, contact, {});
      expect(await last(store, `options ->> 'contact'`)).toBe('[erased]');
    },
  );

  backend.once('F2: names another one, and nobody where no key can tell', async () => {
    const store = await erased();
    await asked(store, `+${BRU}`, KEYED);
    expect(await last(store, `options ->> 'contact'`)).toBe(`+${BRU}`);
    for (const contact of [`+${BRU}`, `+${ANA}`]) {
      await asked(store, contact, {});
      expect(await last(store, `options ->> 'contact'`)).toBe('[erased]');
    }
  });

  backend.once('names everybody where nobody was erased', async () => {
    const store = await backend.open();
    const file = await fileIn(`chat-${ANA}`, [live('A1', 1)]);
    await replayFiles(store, [file], options(file));
    await asked(store, `+${ANA}`, {});
    expect(await last(store, `options ->> 'contact'`)).toBe(`+${ANA}`);
    expect(await value(store, `select origin from webhook_log`)).toBe(`${file}:1`);
  });
});
