import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { expect, inject, it } from 'vitest';
import {
  allowErased,
  backup,
  checkBackup,
  createContext,
  eraseContact,
  exportMessages,
  prune,
  readMessages,
  replay,
  restore,
  UserError,
  verify,
  type ExportedMessage,
  type ExportSink,
  type LibraryContext,
} from '../../src/index.js';
import type { DatabaseConfig } from '../../src/store/open-store.js';
import { tableDigests } from '../support/backups.js';
import { dumpOf } from '../support/database-dump.js';
import { describeOnBackends } from '../support/databases.js';
import { ANA, BRU, BUSINESS, echo, live, wamid } from '../support/webhooks.js';
import { SECRET_TEXT as SECRET } from '../support/secret.js';

function open(config: DatabaseConfig, signal?: AbortSignal): Promise<LibraryContext> {
  const options = { secretKey: SECRET, ...(signal === undefined ? {} : { signal }) };
  return config.kind === 'postgresql'
    ? createContext({ databaseUrl: config.url, ...options })
    : createContext({ home: dirname(config.directory), ...options });
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof UserError ? error.code : `not a UserError: ${String(error)}`;
}

const LOG = [
  live('a', 0, { text: { body: 'secret of hers' } }),
  echo('b', 60),
  live('B', 90, { from: BRU, id: wamid('B', BRU) }),
  live('S', 120, { group_id: '120363000000000001@g.us' }),
];

const fill = (ctx: LibraryContext): Promise<unknown> =>
  replay(ctx, { input: Readable.from(LOG.map((body) => `${JSON.stringify(body)}\n`)), register: true });

function sinkInto(messages: ExportedMessage[], marks: string[] = []): ExportSink {
  return {
    begin: ({ contact }) => {
      marks.push(`begin ${contact.phone ?? ''}`);
      return Promise.resolve();
    },
    messages: (page) => {
      messages.push(...page);
      return Promise.resolve();
    },
    end: () => {
      marks.push('end');
      return Promise.resolve();
    },
  };
}

describeOnBackends('keep, move, export and forget in the library', (backend) => {
  const directory = (): Promise<string> => mkdtemp(join(inject('databases').directory, 'keep-'));

  it('copies a database into a stream, proves it, and reads it into an empty one; encrypted as well', async () => {
    const file = join(await directory(), 'crm.tar');
    await using ctx = await open(await backend.config());
    await fill(ctx);
    const written = await backup(ctx, { to: createWriteStream(file) });
    expect(written).toMatchObject({ command: 'backup', encrypted: false, scope: null });
    expect(written.bytes).toBe((await readFile(file)).length);
    expect(await checkBackup(file)).toMatchObject({ rows: written.rows });
    expect(await codeOf(restore(ctx, file))).toBe('database_not_empty');
    await using copy = await open(await backend.config());
    expect(await restore(copy, file)).toMatchObject({ rows: written.rows, migrated: [] });
    expect(await tableDigests(copy.store)).toEqual(await tableDigests(ctx.store));
    expect(await verify(copy)).toMatchObject({ findings: 0 });

    const identity = await generateIdentity();
    const recipient = await identityToRecipient(identity);
    const sealed = join(await directory(), 'crm.tar.age');
    const part = { connection: `+${BUSINESS}` };
    await backup(ctx, { to: createWriteStream(sealed), encryption: { keys: [recipient] }, ...part });
    expect((await readFile(sealed, 'latin1')).startsWith('age-encryption.org/v1')).toBe(true);
    expect(await codeOf(checkBackup(sealed))).toBe('backup_encrypted');
    const other = await generateIdentity();
    expect(await codeOf(checkBackup(sealed, { encryption: { keys: [other] } }))).toBe('backup_key_wrong');
    expect(await checkBackup(sealed, { encryption: { keys: [identity] } })).toMatchObject({
      encrypted: true,
      scope: { organization: 'default' },
    });
    await using third = await open(await backend.config());
    expect(await restore(third, sealed, { encryption: { keys: [identity] } })).toMatchObject({
      encrypted: true,
    });
    expect(await verify(third)).toMatchObject({ findings: 0 });
  });

  it('leaves nothing of a backup that cannot be written, or is stopped', async () => {
    const config = await backend.config();
    const stop = new AbortController();
    await using ctx = await open(config, stop.signal);
    await fill(ctx);
    const full = new Writable({
      write: (_chunk, _encoding, done) => {
        done(new Error('ENOSPC'));
      },
    });
    full.on('error', () => undefined);
    expect(await codeOf(backup(ctx, { to: full }))).toBe('backup_failed');
    expect(full.destroyed).toBe(true);
    const file = join(await directory(), 'crm.tar');
    await backup(ctx, { to: createWriteStream(file) });
    stop.abort();
    const slow = new Writable({ write: (_chunk, _encoding, done) => setImmediate(done) });
    expect(await codeOf(backup(ctx, { to: slow }))).toBe('interrupted');
    expect(slow.destroyed).toBe(true);
    const damaged = await readFile(file);
    damaged[700] = (damaged[700] ?? 0) ^ 1;
    await writeFile(file, damaged);
    expect(await codeOf(checkBackup(file))).toBe('backup_damaged');
    expect(await codeOf(checkBackup(join(file, 'none')))).toBe('backup_unreadable');
  });

  it('exports, prunes and erases as the commands do', async () => {
    await using ctx = await open(await backend.config());
    await fill(ctx);
    const messages: ExportedMessage[] = [];
    const marks: string[] = [];
    const summary = await exportMessages(ctx, { contact: ANA, sink: sinkInto(messages, marks) });
    expect(summary).toMatchObject({ conversations: 1, messages: 2 });
    expect(messages.map(({ body }) => body)).toEqual(['secret of hers', 'b']);
    expect(marks).toEqual([`begin +${ANA}`, 'end']);
    expect(await exportMessages(ctx, { sink: sinkInto([]) })).toMatchObject({ conversations: 2 });
    expect(await ctx.store.sql.query('select count(*)::int as n from access_log')).not.toEqual([{ n: 0 }]);

    expect(await prune(ctx, { olderThanMs: 0 })).toMatchObject({ applied: false, entries: { planned: 1 } });
    expect(await prune(ctx, { olderThanMs: 0, apply: true })).toMatchObject({ entries: { pruned: 1 } });

    const plan = await eraseContact(ctx, { contact: `+${ANA}` });
    expect(plan).toMatchObject({ action: 'planned', runId: null });
    expect((await readMessages(ctx, { contact: ANA })).messages).toHaveLength(2);
    expect(await codeOf(eraseContact(ctx, { contact: `+${ANA}`, confirm: `+${BRU}` }))).toBe('not_confirmed');
    const erased = await eraseContact(ctx, { contact: `+${ANA}`, confirm: `+${ANA}` });
    expect({ tables: erased.tables, bodies: erased.bodies }).toEqual({
      tables: plan.tables,
      bodies: plan.bodies,
    });
    expect(await dumpOf(ctx.store)).not.toContain('secret of hers');
    expect(await codeOf(readMessages(ctx, { contact: ANA }))).toBe('erased_contact');
    expect(await allowErased(ctx, `+${ANA}`)).toMatchObject({ allowed: 1 });
    expect(await verify(ctx)).toMatchObject({ findings: 0 });
  });

  backend.once('throws a UserError with a code for everything that a caller can get wrong', async () => {
    const config = await backend.config();
    await using ctx = await open(config);
    await fill(ctx);
    const to = (): Writable =>
      new Writable({
        write: (_chunk, _encoding, done) => {
          done();
        },
      });
    const wrong: [work: () => Promise<unknown>, code: string][] = [
      [() => backup(ctx, { to: to(), connection: 'nobody' }), 'connection_unknown'],
      [() => backup(ctx, { to: to(), organization: 'nobody' }), 'organization_unknown'],
      [() => backup(ctx, { to: to(), encryption: {} }), 'invalid_option'],
      [() => backup(ctx, { to: to(), encryption: { keys: ['age1x'] } }), 'key_invalid'],
      [() => backup(ctx, { to: to(), encryption: { keys: ['age1x'], passphrase: 'x' } }), 'invalid_option'],
      // @ts-expect-error: nothing to write to
      [() => backup(ctx, { connection: 'x' }), 'invalid_option'],
      // @ts-expect-error: an unknown name
      [() => backup(ctx, { to: to(), conection: 'x' }), 'invalid_option'],
      [() => restore(ctx, ''), 'invalid_option'],
      [() => restore(ctx, 'no-such-file'), 'backup_unreadable'],
      [() => exportMessages(ctx, { contact: '+5541900000009', sink: sinkInto([]) }), 'unknown_contact'],
      [() => exportMessages(ctx, { contact: ANA, since: 'yesterday', sink: sinkInto([]) }), 'invalid_option'],
      // @ts-expect-error: nobody to give it to
      [() => exportMessages(ctx, { contact: ANA }), 'invalid_option'],
      [() => eraseContact(ctx, { contact: 'nobody' }), 'invalid_contact'],
      [() => eraseContact(ctx, { contact: '+5541900000009', confirm: '+5541900000009' }), 'unknown_contact'],
      [() => allowErased(ctx, `+${ANA}`), 'not_erased'],
      // @ts-expect-error: without an age
      [() => prune(ctx, {}), 'invalid_option'],
      // @ts-expect-error: a class that does not exist
      [() => prune(ctx, { olderThanMs: 1, classes: ['all'] }), 'invalid_option'],
    ];
    const seen: string[] = [];
    for (const [work] of wrong) seen.push(await codeOf(work()));
    expect(seen).toEqual(wrong.map(([, code]) => code));
    const unkeyed = { ...ctx };
    delete unkeyed.secretKey;
    expect(await codeOf(eraseContact(unkeyed, { contact: `+${ANA}`, confirm: `+${ANA}` }))).toBe(
      'secret_key_missing',
    );
  });
});

describeOnBackends('an error in a program', (backend) => {
  async function adviceOf(work: Promise<unknown>): Promise<[code: string, told: string]> {
    const error: unknown = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof UserError)) throw new Error('not a UserError', { cause: error });
    return [error.code, `${error.message} ${JSON.stringify(error.remedy ?? '')}`];
  }

  it('names options of the library, and neither a flag nor a variable', async () => {
    const directory = await mkdtemp(join(inject('databases').directory, 'keep-'));
    const config = await backend.config();
    await using ctx = await open(config);
    await fill(ctx);
    const sealed = join(directory, 'crm.tar.age');
    await backup(ctx, {
      to: createWriteStream(sealed),
      encryption: { keys: [await identityToRecipient(await generateIdentity())] },
    });
    const plain = join(directory, 'crm.tar');
    await backup(ctx, { to: createWriteStream(plain) });
    await eraseContact(ctx, { contact: ANA, confirm: ANA });
    const keyless = { ...ctx, secretKey: () => null };
    await using held = await createContext({ home: join(directory, 'held'), create: true });
    expect(held.store.backend).toBe('pglite');
    const calls: (() => Promise<unknown>)[] = [
      () => checkBackup(sealed),
      () => restore(ctx, sealed),
      () => checkBackup(sealed, { encryption: { keys: ['not a key'] } }),
      () => backup(ctx, { to: new Writable(), encryption: { keys: ['not a key'] } }),
      () => restore(ctx, plain),
      () => exportMessages(ctx, { contact: ANA, sink: sinkInto([]) }),
      () => eraseContact(keyless, { contact: BRU, confirm: BRU }),
      () => allowErased(keyless, ANA),
      () => createContext({ home: join(directory, 'none') }),
      () => createContext({ home: join(directory, 'held') }),
      () => createContext({ home: join(plain, 'file'), create: true }),
    ];
    const seen = [];
    for (const call of calls) seen.push(await adviceOf(call()));
    expect(seen.map(([code]) => code)).toEqual([
      'backup_encrypted',
      'backup_encrypted',
      'key_invalid',
      'key_invalid',
      'database_not_empty',
      'erased_contact',
      'secret_key_missing',
      'secret_key_missing',
      'database_missing',
      'locked',
      'database_not_a_directory',
    ]);
    for (const [, told] of seen) expect(told).not.toMatch(/--[a-z]|WA_RECONCILE_|DATABASE_URL/);
  });
});
