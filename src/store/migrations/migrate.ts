import { amount } from '../../model/amount.js';
import { randomUUID } from 'node:crypto';
import { ConfigError, UserError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import { sqlState } from '../sql-state.js';
import type { Sql } from '../sql.js';
import type { Store } from '../store.js';
import {
  createBookkeeping,
  lockMigrations,
  recordApplied,
  readMigrations,
  type MigrationFile,
  assertMigratable,
  readStatus,
  type MigrationStatus,
} from './status.js';

/** The status of the database's migrations; changes nothing. */
export async function migrationStatus(store: Store): Promise<MigrationStatus> {
  return readStatus(store.sql, await readMigrations());
}

/**
 * Applies pending migrations, each file in its own transaction, and returns their names. Any number of processes may
 * call it at once. Throws UserError if this version must not change the database (see {@link assertMigratable}).
 */
export async function migrate(store: Store): Promise<{ applied: string[] }> {
  return applyMigrations(store, await readMigrations());
}

/** {@link migrate}, with the migrations given. */
export async function applyMigrations(store: Store, known: MigrationFile[]): Promise<{ applied: string[] }> {
  const status = await readStatus(store.sql, known);
  assertMigratable(status, store.location);
  const applied: string[] = [];
  for (const name of status.pending) {
    const migration = known.find((file) => file.name === name);
    if (migration !== undefined && (await applyOne(store, migration, known))) applied.push(name);
  }
  return { applied };
}

/**
 * Throws UserError `migrations_pending` unless every migration is applied, and whatever {@link assertMigratable}
 * throws. Every command that reads or writes calls it first: otherwise the user would see an error about a missing
 * column.
 */
export async function assertMigrated(store: Store): Promise<void> {
  const status = await migrationStatus(store);
  assertMigratable(status, store.location);
  if (status.pending.length === 0) return;
  throw new ConfigError(
    status.applied.length === 0
      ? `The database ${store.location} is empty: its tables have not been created yet.`
      : `The database ${store.location} is older than this version: ${amount(status.pending.length, 'migration')} pending (${status.pending.join(', ')}).`,
    { code: 'migrations_pending', remedy: remedy('db migrate', [], 'brings it up to date') },
  );
}

/** Returns false if another process applied it first. */
async function applyOne(store: Store, migration: MigrationFile, known: MigrationFile[]): Promise<boolean> {
  return store.transaction((tx) => applyWithin(tx, migration, known, store.location));
}

async function applyWithin(
  tx: Sql,
  migration: MigrationFile,
  known: readonly MigrationFile[],
  location: string,
): Promise<boolean> {
  await lockMigrations(tx);
  await createBookkeeping(tx);
  // Read again under the lock: the state from before the wait is outdated.
  const status = await readStatus(tx, known);
  assertMigratable(status, location);
  if (!status.pending.includes(migration.name)) return false;
  await runScript(tx, migration);
  await recordApplied(tx, randomUUID(), migration);
  return true;
}

/** Applies those of `known` up to `last` that are pending, all in the caller's transaction. */
export async function migrateWithin(
  tx: Sql,
  known: readonly MigrationFile[],
  location: string,
  last?: string,
): Promise<void> {
  for (const migration of known) {
    if (last !== undefined && migration.name > last) break;
    await applyWithin(tx, migration, known, location);
  }
}

async function runScript(tx: Sql, migration: MigrationFile): Promise<void> {
  for (const statement of splitStatements(migration.script)) {
    try {
      await tx.execute(statement);
    } catch (error) {
      if (error instanceof UserError || sqlState(error) === undefined) throw error;
      throw new UserError(
        `Migration ${migration.name} failed and was rolled back (SQLSTATE ${sqlState(error) ?? 'unknown'}) at: ${firstLine(statement)}`,
        {
          code: 'migration_failed',
          remedy:
            'The database is unchanged. Something in it blocks the migration; --debug shows the message of the server.',
          inProgram:
            'The database is unchanged. Something in it blocks the migration; the cause has the message of the server.',
          cause: error,
        },
      );
    }
  }
}

function firstLine(statement: string): string {
  const line = statement.split('\n').find((text) => text.trim() !== '' && !text.trimStart().startsWith('--'));
  return line?.trim() ?? '';
}

/**
 * Cuts an SQL script into its statements, because drivers run one at a time. Semicolons in strings (`'…'`, `E'…'`,
 * `"…"`, `$tag$…$tag$`), comments (`--`, nested `/* *\/`) and parentheses do not cut. A statement keeps its comments;
 * comment-only statements are left out. Function bodies are written with dollar quotes, not as BEGIN ATOMIC.
 */
export function splitStatements(script: string): string[] {
  const statements: string[] = [];
  let start = 0;
  let depth = 0;
  let hasCode = false;
  let at = 0;

  function cut(end: number): void {
    if (hasCode) statements.push(script.slice(start, end).trim());
    start = end + 1;
    hasCode = false;
  }

  while (at < script.length) {
    const comment = endOfComment(script, at);
    if (comment !== undefined) {
      at = comment;
      continue;
    }
    const character = script.charAt(at);
    if (character === ';' && depth === 0) {
      cut(at);
      at += 1;
      continue;
    }
    if (character === '(') depth += 1;
    if (character === ')') depth = Math.max(0, depth - 1);
    if (character.trim() !== '') hasCode = true;
    at = endOfQuoted(script, at) ?? at + 1;
  }
  cut(script.length);
  return statements;
}

/** Where the comment that begins at `at` ends, or undefined if none begins there. */
function endOfComment(script: string, at: number): number | undefined {
  if (script.startsWith('--', at)) {
    const newline = script.indexOf('\n', at);
    return newline === -1 ? script.length : newline + 1;
  }
  if (!script.startsWith('/*', at)) return undefined;
  let depth = 1;
  let position = at + 2;
  while (position < script.length && depth > 0) {
    const opens = script.startsWith('/*', position);
    const closes = script.startsWith('*/', position);
    if (opens) depth += 1;
    if (closes) depth -= 1;
    position += opens || closes ? 2 : 1;
  }
  return position;
}

/** Where the string or quoted name that begins at `at` ends, or undefined if none begins there. */
function endOfQuoted(script: string, at: number): number | undefined {
  const character = script.charAt(at);
  if (character === '"') return afterQuote(script, at, '"', false);
  if (character === "'") return afterQuote(script, at, "'", isEscapeString(script, at));
  if (character !== '$' || isPartOfName(script, at - 1)) return undefined;
  const tag = /^\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/u.exec(script.slice(at, at + 130))?.[0];
  if (tag === undefined) return undefined;
  const end = script.indexOf(tag, at + tag.length);
  return end === -1 ? script.length : end + tag.length;
}

/** A doubled quote needs no special handling: it ends one string and starts the next. */
function afterQuote(script: string, at: number, quote: string, backslashEscapes: boolean): number {
  let position = at + 1;
  while (position < script.length && script.charAt(position) !== quote) {
    position += backslashEscapes && script.charAt(position) === '\\' ? 2 : 1;
  }
  return position + 1;
}

function isEscapeString(script: string, at: number): boolean {
  return /^[eE]$/.test(script.charAt(at - 1)) && !isPartOfName(script, at - 2);
}

function isPartOfName(script: string, at: number): boolean {
  return at >= 0 && /[\p{L}\p{N}_$]/u.test(script.charAt(at));
}
