import type { Context } from '../../context.js';
import type { Sql } from '../../store/sql.js';
import { readConnections, readDefaultOrganization } from '../../store/tables/connections.js';
import { ConnectionDirectory } from '../../ingest/batch/connection-directory.js';
import { findConnectionIn } from '../connections/find.js';
import { endWhereNothingIsLeft } from '../../audit/erased-left.js';
import type { Target } from '../../ingest/runs/with-run.js';
import type { ErasedPeople } from '../../rules/erased-people.js';
import { openErased } from '../contacts/erased-people.js';
import type { ReplayOptions } from './options.js';

/**
 * Loads the connections of a run, and, for one that brings entries from outside, whom to leave out of them. Throws ConfigError if
 * `--connection` matches none or several, and if people were erased and the secret key cannot tell who.
 */
export async function openDirectory(
  sql: Sql,
  options: Pick<ReplayOptions, 'connection' | 'register'>,
  newId: () => string,
  outside: Pick<Context, 'secretKey'> | null,
): Promise<ConnectionDirectory> {
  const { connection, register } = options;
  const only = connection === undefined ? undefined : (await findConnectionIn(sql, connection)).id;
  const rows = await readConnections(sql);
  return new ConnectionDirectory(rows, {
    register,
    fixed: rows.find(({ id }) => id === only) ?? null,
    defaultOrganizationId: await readDefaultOrganization(sql),
    newId,
    erased: outside === null ? null : await openErased(sql, outside.secretKey),
  });
}

/**
 * The end of a run that brought entries from outside: what it has learned about erased people is looked for in the database, and where
 * nothing is left, their erasure ends again. A run that is killed before leaves it open. `target`: the transaction of a dry run.
 */
export async function endReopened(
  ctx: Pick<Context, 'store' | 'emit'>,
  erased: ErasedPeople | null,
  target?: Target,
): Promise<void> {
  const reopened = erased?.takeReopened();
  if (erased === null || reopened === undefined || reopened.size === 0) return;
  ctx.emit({
    event: 'notice',
    message: 'Looking for data under names that became known as those of erased people',
  });
  const end = (tx: Sql): Promise<void> => endWhereNothingIsLeft(tx, erased, reopened);
  await (target?.dryRun === true ? end(target.sql) : ctx.store.transaction(end));
}
