import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, inject, it } from 'vitest';
import {
  addConnection,
  compare,
  createContext,
  dedupe,
  explain,
  listConnections,
  listRuns,
  LockedError,
  readMessages,
  reconcile,
  replay,
  report,
  showRun,
  UserError,
  verify,
  type LibraryContext,
} from '../../src/index.js';
import type { DatabaseConfig } from '../../src/store/open-store.js';
import { describeOnBackends, useBackend } from '../support/databases.js';
import { ANA, echo, live, wamid } from '../support/webhooks.js';

function open(config: DatabaseConfig): Promise<LibraryContext> {
  return config.kind === 'postgresql'
    ? createContext({ databaseUrl: config.url })
    : createContext({ home: dirname(config.directory) });
}

function logOf(...bodies: unknown[]): Readable {
  return Readable.from(bodies.map((body) => `${JSON.stringify(body)}\n`));
}

/** The code of the UserError that `work` throws; anything else is a bug of the library. */
async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof UserError ? error.code : `not a UserError: ${String(error)}`;
}

describeOnBackends('the library', (backend) => {
  it('replays a stream, reads pages, verifies, reports and reconciles with nothing but a context', async () => {
    const steps: string[] = [];
    const config = await backend.config();
    const ctx = await (config.kind === 'postgresql'
      ? createContext({
          databaseUrl: config.url,
          actor: 'Maria',
          onProgress: ({ event }) => steps.push(event),
        })
      : createContext({
          home: dirname(config.directory),
          actor: 'Maria',
          onProgress: ({ event }) => steps.push(event),
        }));
    const first = await replay(ctx, {
      input: logOf(live('a', 0), echo('b', 60), live('c', 120)),
      register: true,
    });
    expect(first).toMatchObject({ status: 'completed', messages: { created: 3 } });
    expect(await replay(ctx)).toMatchObject({ entries: { read: 0 } });
    expect(await replay(ctx, { all: true, dryRun: true })).toMatchObject({ messages: { unchanged: 3 } });

    const page = await readMessages(ctx, { contact: ANA, limit: 2 });
    expect(page.messages).toHaveLength(2);
    expect(await ctx.store.sql.query('select distinct actor from access_log')).toEqual([{ actor: 'Maria' }]);
    const { cursor } = page.pagination;
    const older = await readMessages(ctx, { contact: ANA, limit: 2, cursor: cursor ?? '' });
    expect(older.messages).toHaveLength(1);

    const crm = join(await mkdtemp(join(inject('databases').directory, 'crm-')), 'Message.ndjson');
    const key = { id: wamid('a'), fromMe: false, remoteJid: `${ANA}@s.whatsapp.net` };
    const row = {
      id: 'c1',
      key,
      messageType: 'conversation',
      message: {},
      messageTimestamp: 0,
      instanceId: 'i',
    };
    await writeFile(crm, JSON.stringify(row));
    const [connection] = (await listConnections(ctx)).connections;
    const compared = await compare(ctx, {
      crm: 'evolution',
      paths: [crm],
      connection: connection?.name ?? '',
    });
    expect(compared.counts.lost + compared.counts.not_kept_by_design).toBe(2);
    expect(await codeOf(compare(ctx, { crm: 'evolution' }))).toBe('invalid_option');
    expect(await verify(ctx)).toMatchObject({ status: 'completed', findings: 0 });
    expect((await dedupe(ctx)).applied).toBe(false);
    expect((await reconcile(ctx)).status).toBe('completed');
    expect((await report(ctx)).severity).not.toBe('loss');
    expect((await explain(ctx, { subject: ANA })).findings).toEqual([]);
    const [night] = (await listRuns(ctx, { command: 'reconcile' })).runs;
    expect(await showRun(ctx, night?.id ?? '')).toMatchObject({ run: { command: 'reconcile' } });
    expect((await listConnections(ctx)).connections).toHaveLength(1);
    expect(steps).toContain('run_finished');
    await ctx.close();
  });

  it('throws a UserError with a code for everything that a caller can get wrong', async () => {
    const ctx = await open(await backend.config());
    await replay(ctx, { input: logOf(live('a', 0)), register: true });
    const wrong: [work: () => Promise<unknown>, code: string][] = [
      [() => readMessages(ctx, { contact: 'nobody' }), 'invalid_contact'],
      [() => readMessages(ctx, { contact: '' }), 'invalid_contact'],
      [() => readMessages(ctx, { contact: '+5511900000123' }), 'unknown_contact'],
      [() => readMessages(ctx, { contact: ANA, since: new Date(Number.NaN) }), 'invalid_option'],
      [() => readMessages(ctx, { contact: ANA, since: 'yesterday' }), 'invalid_option'],
      [() => readMessages(ctx, { contact: ANA, since: '2026-11-03' }), 'invalid_option'],
      [() => readMessages(ctx, { contact: ANA, since: '2026-13-40T00:00:00Z' }), 'invalid_option'],
      [() => readMessages(ctx, { contact: ANA, until: 1e300 }), 'invalid_option'],
      [() => readMessages(ctx, { contact: ANA, limit: 0 }), 'invalid_option'],
      [() => readMessages(ctx, { contact: ANA, limit: Number.NaN }), 'invalid_option'],
      [() => readMessages(ctx, { contact: ANA, cursor: 'x' }), 'invalid_cursor'],
      [() => report(ctx, { timeZone: 'Mars/Olympus' }), 'invalid_option'],
      [() => replay(ctx, { paths: ['no-such-file'] }), 'usage'],
      [() => replay(ctx, { paths: ['x'], input: logOf() }), 'invalid_option'],
      [() => replay(ctx, { input: logOf(), all: true }), 'invalid_option'],
      [() => replay(ctx, { all: true, failed: true }), 'invalid_option'],
      // @ts-expect-error: what a program without types can write
      [() => replay(ctx, { pahts: ['hooks'] }), 'invalid_option'],
      // @ts-expect-error: a name that is no check's
      [() => verify(ctx, { checks: ['duplicates'] }), 'invalid_option'],
      [() => showRun(ctx, 'ffffffff'), 'unknown_run'],
      [() => addConnection(ctx, { name: '', kind: 'baileys' }), 'invalid_name'],
      // @ts-expect-error: without a name and a kind
      [() => addConnection(ctx, {}), 'invalid_option'],
      // @ts-expect-error: a kind that does not exist
      [() => addConnection(ctx, { name: 'main', kind: 'cloud', phone: ANA }), 'invalid_option'],
      // @ts-expect-error: a number where a text belongs
      [() => addConnection(ctx, { name: 'main', kind: 'baileys', phone: 5511912345678 }), 'invalid_option'],
      // @ts-expect-error: an unknown name
      [() => listConnections(ctx, { organisation: 'default' }), 'invalid_option'],
      // @ts-expect-error: without an id
      [() => showRun(ctx), 'invalid_option'],
      // @ts-expect-error: nothing to open
      [() => createContext(), 'invalid_option'],
      // @ts-expect-error: a number where a path belongs
      [() => createContext({ home: 5 }), 'invalid_option'],
      // @ts-expect-error: an unknown name
      [() => createContext({ home: 'data', creates: true }), 'invalid_option'],
      // @ts-expect-error: no pino logger
      [() => createContext({ home: 'data', logger: 3 }), 'invalid_option'],
    ];
    const seen: string[] = [];
    for (const [work] of wrong) seen.push(await codeOf(work()));
    expect(seen).toEqual(wrong.map(([, code]) => code));
    await expect(readMessages(ctx, { contact: ANA, since: 'yesterday' })).rejects.toThrow(
      'readMessages.since is not a Date, milliseconds since 1970, or a time such as 2026-11-03T08:00:00Z',
    );
    await ctx.close();
    expect(await codeOf(readMessages(ctx, { contact: ANA }))).toBe('database_closed');
  });

  it('takes the locks that the commands take', async () => {
    const config = await backend.config();
    const ctx = await open(config);
    if (config.kind === 'pglite') {
      // An embedded database is locked by opening it.
      await expect(open(config)).rejects.toThrow(LockedError);
    } else {
      const other = await open(config);
      let seen: unknown;
      const input = Readable.from(
        (async function* () {
          yield `${JSON.stringify(live('a', 0))}\n`;
          seen = await codeOf(dedupe(other, { apply: true }));
        })(),
      );
      await replay(ctx, { input, register: true });
      expect(seen).toBe('locked');
      await other.close();
    }
    await ctx.close();
  });

  it('stops at an aborted signal after its batch', async () => {
    const config = await backend.config();
    const stop = new AbortController();
    const options = { signal: stop.signal };
    const ctx = await (config.kind === 'postgresql'
      ? createContext({ databaseUrl: config.url, ...options })
      : createContext({ home: dirname(config.directory), ...options }));
    const input = Readable.from(
      (function* () {
        for (let i = 0; i < 50; i++) {
          if (i === 25) stop.abort();
          yield `${JSON.stringify(live(`m${i}`, i))}\n`;
        }
      })(),
    );
    expect(await replay(ctx, { input, register: true, batchSize: 5 })).toMatchObject({
      status: 'interrupted',
    });
    await ctx.close();
  });
});

const embedded = useBackend('pglite');

it('creates an embedded database only when it is told to, and refuses to guess which', async () => {
  const home = await mkdtemp(join(inject('databases').directory, 'library-'));
  expect(await codeOf(createContext({ home }))).toBe('database_missing');
  expect(await readdir(home)).toEqual([]);
  const ctx = await createContext({ home, create: true });
  expect((await listConnections(ctx)).connections).toEqual([]);
  await ctx.close();
  const again = await createContext({ home });
  await again.close();
  expect(await codeOf(createContext({ databaseUrl: '' }))).toBe('invalid_option');
  // @ts-expect-error: what a program without types can write
  expect(await codeOf(createContext({ databaseUrl: 'postgresql://127.0.0.1:1/none', home: 'x' }))).toBe(
    'invalid_option',
  );
  expect(await codeOf(createContext({ databaseUrl: 'postgresql://127.0.0.1:1/none' }))).toBe(
    'database_unreachable',
  );
});

const server = useBackend('postgresql');

it('migrates a server only when it is told to', async () => {
  const config = await server.emptyConfig();
  if (config.kind !== 'postgresql') throw new Error('the server has a URL');
  expect(await codeOf(createContext({ databaseUrl: config.url }))).toBe('migrations_pending');
  const ctx = await createContext({ databaseUrl: config.url, migrate: true });
  expect((await listConnections(ctx)).connections).toEqual([]);
  await ctx.close();
});

it('closes at the end of an `await using` block', async () => {
  const config = await embedded.config();
  {
    await using ctx = await open(config);
    await listConnections(ctx);
  }
  await using again = await open(config);
  expect((await listConnections(again)).connections).toEqual([]);
});
