import { arrayLiteral, arraysOf } from '../array-literal.js';
import { textOf } from '../row.js';
import type { Sql } from '../sql.js';
import { NO_SCOPE } from './webhook-log.js';

/**
 * The connections of raw entries that do not exist: another program wrote them, and usually there are none. Steps from one
 * to the next in the unique index, whose first column they are.
 */
async function readStrayScopes(tx: Sql): Promise<string[]> {
  const rows = await tx.query(
    `with recursive scopes (id) as (
       (select connection_scope from webhook_log order by connection_scope limit 1)
       union all
       select (
         select connection_scope from webhook_log where connection_scope > scopes.id order by connection_scope limit 1
       ) from scopes where scopes.id is not null
     )
     select id from scopes
     where id <> $1::uuid and not exists (select from connections c where c.id = scopes.id)`,
    [NO_SCOPE],
  );
  return rows.map((row) => textOf(row, 'id'));
}

/**
 * Assigns a newly known connection to its earlier events, so that the same bytes are one row: otherwise the first row
 * would stay pending forever. So it does for entries whose connection does not exist: the same bytes say whose they are.
 */
export async function adoptUnscoped(
  tx: Sql,
  entries: readonly { connectionScope: string; sha256: Uint8Array }[],
): Promise<void> {
  if (entries.length === 0) return;
  const strays = await readStrayScopes(tx);
  const due = strays.length > 0 ? entries : entries.filter((entry) => entry.connectionScope !== NO_SCOPE);
  if (due.length === 0) return;
  await tx.execute(
    `update webhook_log set connection_scope = due.connection_scope
     from (
       -- One connection for each row, and one row for each entry of a connection.
       select distinct on (connection_scope, sha256) id, connection_scope
       from (
         select distinct on (w.id) w.id, k.connection_scope, k.sha256
         from unnest($1::uuid[], $2::bytea[]) as k (connection_scope, sha256)
         cross join unnest($3::uuid[]) as given (scope)
         cross join lateral (
           select id from webhook_log where connection_scope = given.scope and sha256 = k.sha256 limit 1
         ) w
         where not exists (
           select from webhook_log own where own.connection_scope = k.connection_scope and own.sha256 = k.sha256
         )
         order by w.id, k.connection_scope
       ) found
       order by connection_scope, sha256, id
     ) due
     where webhook_log.id = due.id`,
    [...arraysOf(due, 'connectionScope', 'sha256'), arrayLiteral([NO_SCOPE, ...strays])],
  );
}

/**
 * Files entries under these connections whose own does not exist, unless the same bytes are there already. Returns
 * where each one is now: the same after a second attempt.
 */
export async function rescopeEntries(
  tx: Sql,
  entries: readonly { id: string; connectionScope: string; sha256: Uint8Array }[],
): Promise<Map<string, string>> {
  if (entries.length === 0) return new Map();
  await tx.execute(
    `update webhook_log set connection_scope = due.connection_scope
     from (
       select distinct on (k.connection_scope, k.sha256) k.id, k.connection_scope
       from unnest($1::uuid[], $2::uuid[], $3::bytea[]) as k (id, connection_scope, sha256)
       cross join lateral (select connection_scope from webhook_log where id = k.id limit 1) w
       where w.connection_scope <> $4::uuid
         and not exists (select from connections c where c.id = w.connection_scope)
         and not exists (
           select from webhook_log own where own.connection_scope = k.connection_scope and own.sha256 = k.sha256
         )
       order by k.connection_scope, k.sha256, k.id
     ) due
     where webhook_log.id = due.id`,
    [...arraysOf(entries, 'id', 'connectionScope', 'sha256'), NO_SCOPE],
  );
  const rows = await tx.query(
    `select w.id, w.connection_scope from unnest($1::uuid[]) as k (id)
     cross join lateral (select id, connection_scope from webhook_log where id = k.id limit 1) w`,
    arraysOf(entries, 'id'),
  );
  return new Map(rows.map((row) => [textOf(row, 'id'), textOf(row, 'connection_scope')]));
}
