import { PENDING_FACT_KINDS, type PendingFactKind } from '../model/enumerations.js';
import type { Media } from '../model/facts.js';
import type { JsonObject } from '../model/json.js';
import { arrayLiteral } from './array-literal.js';
import { columnNames, time, unnestParameters, unnestTable, type Column } from './columns.js';
import { keyParameters, mediaOf, type MessageKey } from './messages.js';
import { jsonObjectOf, jsonObjectOrNull, textOf, textOrNull, timeOf, wordOf } from './row.js';
import type { Sql } from './sql.js';

/** A status, edit, revoke or reaction whose message is not stored yet. */
export interface PendingFactRow {
  connectionId: string;
  targetExternalId: string;
  kind: PendingFactKind;
  factKey: string;
  at: number;
  payload: JsonObject;
  webhookLogId: string | null;
}

export interface ReactionRow {
  connectionId: string;
  targetExternalId: string;
  reactor: string;
  emoji: string | null;
  at: number;
}

export interface RevisionRow {
  messageId: string;
  version: string;
  type: string;
  body: string | null;
  media: Media | null;
  rawMeta: JsonObject | null;
  at: number;
}

const PENDING_COLUMNS: readonly Column<PendingFactRow>[] = [
  { name: 'connection_id', type: 'uuid', of: (row) => row.connectionId },
  { name: 'target_external_id', type: 'text', of: (row) => row.targetExternalId },
  { name: 'kind', type: 'text', of: (row) => row.kind },
  { name: 'fact_key', type: 'text', of: (row) => row.factKey },
  { name: 'at', type: 'timestamptz', of: (row) => time(row.at) },
  { name: 'payload', type: 'jsonb', of: (row) => JSON.stringify(row.payload) },
  { name: 'webhook_log_id', type: 'uuid', of: (row) => row.webhookLogId },
];

const REACTION_COLUMNS: readonly Column<ReactionRow>[] = [
  { name: 'connection_id', type: 'uuid', of: (row) => row.connectionId },
  { name: 'target_external_id', type: 'text', of: (row) => row.targetExternalId },
  { name: 'reactor', type: 'text', of: (row) => row.reactor },
  { name: 'emoji', type: 'text', of: (row) => row.emoji },
  { name: 'at', type: 'timestamptz', of: (row) => time(row.at) },
];

const REVISION_COLUMNS: readonly Column<RevisionRow>[] = [
  { name: 'message_id', type: 'uuid', of: (row) => row.messageId },
  { name: 'version', type: 'text', of: (row) => row.version },
  { name: 'type', type: 'text', of: (row) => row.type },
  { name: 'body', type: 'text', of: (row) => row.body },
  { name: 'media', type: 'jsonb', of: (row) => (row.media === null ? null : JSON.stringify(row.media)) },
  {
    name: 'raw_meta',
    type: 'jsonb',
    of: (row) => (row.rawMeta === null ? null : JSON.stringify(row.rawMeta)),
  },
  { name: 'at', type: 'timestamptz', of: (row) => time(row.at) },
];

export async function readPendingFacts(tx: Sql, targets: readonly MessageKey[]): Promise<PendingFactRow[]> {
  if (targets.length === 0) return [];
  const rows = await tx.query(
    `select ${PENDING_COLUMNS.map((column) => `p.${column.name}`).join(', ')}
     from unnest($1::uuid[], $2::text[]) as k (connection_id, target)
     cross join lateral (
       select * from pending_facts where connection_id = k.connection_id and target_external_id = k.target offset 0
     ) p`,
    keyParameters(targets),
  );
  return rows.map((row) => ({
    connectionId: textOf(row, 'connection_id'),
    targetExternalId: textOf(row, 'target_external_id'),
    kind: wordOf(row, 'kind', PENDING_FACT_KINDS),
    factKey: textOf(row, 'fact_key'),
    at: timeOf(row, 'at'),
    payload: jsonObjectOf(row, 'payload'),
    webhookLogId: textOrNull(row, 'webhook_log_id'),
  }));
}

export async function insertPendingFacts(tx: Sql, rows: readonly PendingFactRow[]): Promise<number> {
  if (rows.length === 0) return 0;
  return tx.execute(
    `insert into pending_facts (${columnNames(PENDING_COLUMNS)})
     select r.* from ${unnestTable(PENDING_COLUMNS)}
     -- The same fact, come again while its message is still missing.
     on conflict (connection_id, target_external_id, kind, fact_key) do nothing`,
    unnestParameters(PENDING_COLUMNS, rows),
  );
}

/** Removes what has just been applied, by full key. */
export async function deletePendingFacts(tx: Sql, rows: readonly PendingFactRow[]): Promise<number> {
  if (rows.length === 0) return 0;
  const keys = PENDING_COLUMNS.filter((column) =>
    ['connection_id', 'target_external_id', 'kind', 'fact_key'].includes(column.name),
  );
  return tx.execute(
    `delete from pending_facts p using ${unnestTable(keys)}
     where ${keys.map((column) => `p.${column.name} = r.${column.name}`).join(' and ')}`,
    unnestParameters(keys, rows),
  );
}

export async function readReactions(tx: Sql, targets: readonly MessageKey[]): Promise<ReactionRow[]> {
  if (targets.length === 0) return [];
  const rows = await tx.query(
    `select ${REACTION_COLUMNS.map((column) => `x.${column.name}`).join(', ')}
     from unnest($1::uuid[], $2::text[]) as k (connection_id, target)
     cross join lateral (
       select * from message_reactions where connection_id = k.connection_id and target_external_id = k.target offset 0
     ) x`,
    keyParameters(targets),
  );
  return rows.map((row) => ({
    connectionId: textOf(row, 'connection_id'),
    targetExternalId: textOf(row, 'target_external_id'),
    reactor: textOf(row, 'reactor'),
    emoji: textOrNull(row, 'emoji'),
    at: timeOf(row, 'at'),
  }));
}

export async function writeReactions(tx: Sql, rows: readonly ReactionRow[]): Promise<number> {
  if (rows.length === 0) return 0;
  return tx.execute(
    `insert into message_reactions (${columnNames(REACTION_COLUMNS)})
     select r.* from ${unnestTable(REACTION_COLUMNS)}
     on conflict (connection_id, target_external_id, reactor) do update
       set emoji = excluded.emoji, at = excluded.at
       -- Latest wins, whatever came first; of one moment, the larger, so that the order cannot matter.
       where (message_reactions.at, coalesce(message_reactions.emoji, ''))
           < (excluded.at, coalesce(excluded.emoji, ''))`,
    unnestParameters(REACTION_COLUMNS, rows),
  );
}

export async function deleteReactions(tx: Sql, targets: readonly MessageKey[]): Promise<number> {
  if (targets.length === 0) return 0;
  return tx.execute(
    `delete from message_reactions x
     using unnest($1::uuid[], $2::text[]) as k (connection_id, target)
     where x.connection_id = k.connection_id and x.target_external_id = k.target`,
    keyParameters(targets),
  );
}

export async function readRevisions(tx: Sql, messageIds: readonly string[]): Promise<RevisionRow[]> {
  if (messageIds.length === 0) return [];
  const rows = await tx.query(
    `select ${columnNames(REVISION_COLUMNS)} from message_revisions where message_id = any($1::uuid[])`,
    [arrayLiteral(messageIds)],
  );
  return rows.map((row) => ({
    messageId: textOf(row, 'message_id'),
    version: textOf(row, 'version'),
    type: textOf(row, 'type'),
    body: textOrNull(row, 'body'),
    media: mediaOf(jsonObjectOrNull(row, 'media')),
    rawMeta: jsonObjectOrNull(row, 'raw_meta'),
    at: timeOf(row, 'at'),
  }));
}

/** Replaces the revisions of the given messages by what their merged states say. */
export async function replaceRevisions(
  tx: Sql,
  messageIds: readonly string[],
  rows: readonly RevisionRow[],
): Promise<void> {
  if (messageIds.length === 0) return;
  await tx.execute(`delete from message_revisions where message_id = any($1::uuid[])`, [
    arrayLiteral(messageIds),
  ]);
  if (rows.length === 0) return;
  await tx.execute(
    `insert into message_revisions (${columnNames(REVISION_COLUMNS)}) select r.* from ${unnestTable(REVISION_COLUMNS)}`,
    unnestParameters(REVISION_COLUMNS, rows),
  );
}
