import { resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Keys } from '../archive/age.js';
import { backup as runBackup } from '../commands/backup/backup.js';
import { checkBackup as runCheck } from '../commands/backup/check.js';
import { encryption as encryptionFor } from '../commands/backup/encryption.js';
import { fileSource } from '../commands/backup/file-source.js';
import { openForRestore, restore as runRestore } from '../commands/backup/restore.js';
import type {
  BackupResult,
  BackupTarget,
  CheckResult as BackupCheckResult,
  RestoreResult,
} from '../commands/backup/types.js';
import { SecretKey } from '../commands/devices/secret-key.js';
import { allowErased as runAllow, erase, planErase } from '../commands/erase/erase.js';
import type { EraseResult } from '../commands/erase/types.js';
import { exportMessages as runExport } from '../commands/export/export-messages.js';
import type { ExportSink, ExportSummary } from '../commands/export/types.js';
import { packageVersion } from '../commands/package-version.js';
import { prune as runPrune } from '../commands/prune/prune.js';
import type { PruneResult } from '../commands/prune/types.js';
import { ConfigError, UserError } from '../model/errors.js';
import { underLock, type LibraryContext } from './create-context.js';
import { inProgram } from './in-program.js';
import { OPTIONS, readOptions, recordedOf, type Given } from './options.js';

/**
 * Keep, move, export and forget: the commands about whose data it is. Each throws UserError (with a `code`) for what its caller or
 * the database causes, and stops at the context's signal: `backup`, `restore` and `exportMessages` with `interrupted`, and nothing is
 * left of them; `erase` and `prune` after their batch, and the same call goes on.
 */

/** An encrypted backup: one of them. */
export interface BackupKeys {
  passphrase?: string;
  /** To write one: public keys, `age1…`. To read one: secret keys, `AGE-SECRET-KEY-1…`. */
  keys?: readonly string[];
}

/**
 * Writes everything in the database, or what belongs to one connection or organization, into `to`, as it is at one moment, and
 * ends the stream. On an error the stream is destroyed: what it holds is no backup.
 */
export async function backup(
  ctx: LibraryContext,
  { to, encryption, ...given }: { to: Writable; encryption?: BackupKeys } & Given<'backup'>,
): Promise<BackupResult> {
  const options = readOptions('backup', OPTIONS.backup, given);
  assertGiven('backup.to', to, 'a stream to write to');
  const keys = keysOf('backup', encryption);
  const encrypt = keys === undefined ? undefined : encryptionFor(keys, 'backup.encryption.keys');
  return underLock(ctx, 'backup', undefined, (held) =>
    runBackup(held, { ...options, target: targetOf(to), tool: packageVersion(), encrypt }),
  );
}

/** Proves a backup's file: every byte, and every row counted. Needs no database. Throws UserError `backup_damaged`, which names the part. */
export async function checkBackup(
  file: string,
  { encryption }: { encryption?: BackupKeys } = {},
): Promise<BackupCheckResult> {
  const named = readOptions('checkBackup', OPTIONS.checkBackup, file);
  const keys = keysOf('checkBackup', encryption);
  return inProgram(async () => runCheck(await fileSource(resolve(named), named, keys)));
}

/**
 * Reads a backup's file into the context's database, which holds no row, in one transaction; all of the file is proved first. Throws
 * UserError `database_not_empty`, `backup_newer`, `backup_damaged` and the like.
 */
export async function restore(
  ctx: LibraryContext,
  file: string,
  { encryption }: { encryption?: BackupKeys } = {},
): Promise<RestoreResult> {
  const named = readOptions('restore', OPTIONS.restore, file);
  const keys = keysOf('restore', encryption);
  const { source, archive } = await inProgram(async () => {
    const source = await fileSource(resolve(named), named, keys);
    return { source, archive: await openForRestore(source) };
  });
  return underLock(ctx, 'restore', 'exclusive', (held) => runRestore(held, { source, archive }));
}

/**
 * Gives a contact's messages, or everybody's, to `sink`: conversation by conversation, oldest first, all of one moment, with every
 * field that is stored. The access is recorded first.
 */
export async function exportMessages(
  ctx: LibraryContext,
  { sink, ...given }: { sink: ExportSink } & Given<'exportMessages'>,
): Promise<ExportSummary> {
  const { contact, connection, since, until, separate } = readOptions(
    'exportMessages',
    OPTIONS.exportMessages,
    given,
  );
  assertGiven('exportMessages.sink', sink, 'an object with begin, messages and end');
  const options = { contact, connection, from: since, to: until, separate };
  return underLock(ctx, 'export', undefined, (held) => runExport(held, options, sink));
}

/**
 * Erases a person for good, only with `confirm`, the contact as given; otherwise returns the plan, and nothing changes. Needs the
 * context's `secretKey`, which seals what is left of the names. Throws UserError `not_confirmed`, `unknown_contact`, `secret_key_missing`.
 */
export async function eraseContact(ctx: LibraryContext, given: Given<'eraseContact'>): Promise<EraseResult> {
  const { contact, confirm, batchSize, vacuum } = readOptions('eraseContact', OPTIONS.eraseContact, given);
  if (confirm === undefined) {
    return underLock(ctx, 'erase', undefined, (held) => planErase(held, contact));
  }
  if (confirm.trim() !== contact.trim()) {
    throw new UserError('Nothing was erased: eraseContact.confirm is not the contact.', {
      code: 'not_confirmed',
      remedy: 'Give confirm exactly as the contact, with the same spaces and signs.',
    });
  }
  const key = ctx.secretKey?.();
  const secretKey = key instanceof SecretKey ? key : null;
  return underLock(ctx, 'erase', 'exclusive', (held) =>
    erase(held, { contact, secretKey, batchSize, vacuum }),
  );
}

/** Lifts a person's erasure: what comes of them from now on is stored again. Throws ConfigError `not_erased`. */
export async function allowErased(ctx: LibraryContext, contact: string): Promise<EraseResult> {
  const named = readOptions('allowErased', OPTIONS.allowErased, contact);
  return underLock(ctx, 'erase', 'exclusive', (held) => runAllow(held, named));
}

/** Retention: with `apply` empties old raw bodies, under the exclusive lock; otherwise returns the plan. */
export async function prune(ctx: LibraryContext, given: Given<'prune'>): Promise<PruneResult> {
  const { olderThanMs, classes, ...options } = readOptions('prune', OPTIONS.prune, given);
  const { olderThanMs: olderThan, classes: named, keepAlerts, ...others } = given;
  return underLock(ctx, 'prune', options.apply ? 'exclusive' : undefined, (held) =>
    runPrune(held, {
      ...options,
      olderThan: olderThanMs,
      classes: new Set(classes),
      recordedOptions: recordedOf({
        ...others,
        olderThan,
        class: named,
        noKeepAlerts: keepAlerts === false,
      }),
    }),
  );
}

/** Throws ConfigError `invalid_option`: types forbid it, and a program without types must be told. */
function assertGiven(option: string, given: object | undefined, what: string): void {
  if (given === undefined) throw new ConfigError(`${option} is not ${what}`, { code: 'invalid_option' });
}

/** Throws ConfigError `invalid_option` for a passphrase and keys, or neither. */
function keysOf(useCase: string, given: BackupKeys | undefined): Keys | undefined {
  if (given === undefined) return undefined;
  const { passphrase = '', keys = [] } = given;
  if ((passphrase === '') === (keys.length === 0)) {
    throw new ConfigError(`${useCase}.encryption: give a passphrase or keys.`, { code: 'invalid_option' });
  }
  return passphrase === '' ? { kind: 'keys', keys } : { kind: 'passphrase', passphrase };
}

function targetOf(stream: Writable): BackupTarget {
  return {
    place: '-',
    write: (bytes) =>
      new Promise((fulfil, reject) => {
        stream.write(bytes, (error) => {
          if (error === null || error === undefined) fulfil();
          else reject(notWritten(error));
        });
      }),
    finish: async () => {
      stream.end();
      await finished(stream).catch((error: unknown) => {
        throw notWritten(error);
      });
    },
    discard: () => {
      stream.destroy();
      return Promise.resolve();
    },
  };
}

function notWritten(cause: unknown): UserError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new UserError(`The backup could not be written: ${why}`, {
    code: 'backup_failed',
    remedy: 'What the stream has is no backup. No data in the database changed.',
    cause,
  });
}
