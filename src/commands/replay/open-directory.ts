import type { Context } from '../../context.js';
import type { Sql } from '../../store/sql.js';
import { readConnections, readDefaultOrganization } from '../../store/tables/connections.js';
import { ConnectionDirectory } from '../../ingest/batch/connection-directory.js';
import { findConnectionIn } from '../connections/find.js';
import { endWhereNothingIsLeft } from '../../audit/erased-left.js';
import type { Target } from '../../ingest/runs/with-run.js';
import type { ErasedPeople } from '../../rules/erased-people.js';
import { openErased, openErasing } from '../contacts/erased-people.js';
import type { ReplayOptions } from './options.js';

/**
 * Loads the connections of a run, and whom to leave out of its entries: out of those from outside, everybody who was erased; stored ones have
 * lost these people, but while an erasure is open. Throws ConfigError if `--connection` matches none or several, and if the secret key
 * cannot tell who was erased.
 */
export async function openDirectory(
  sql: Sql,
  options: Pick<ReplayOptions, 'connection' | 'register'>,
  newId: () => string,
  { secretKey }: Pick<Context, 'secretKey'>,
  source: 'outside' | 'stored' = 'outside',
): Promise<ConnectionDirectory> {
  const { connection, register } = options;
  const only = connection === undefined ? undefined : (await findConnectionIn(sql, connection)).id;
  const rows = await readConnections(sql);
  return new ConnectionDirectory(rows, {
    register,
    fixed: rows.find(({ id }) => id === only) ?? null,
    defaultOrganizationId: await readDefaultOrganization(sql),
    newId,
    erased: await (source === 'outside' ? openErased : openErasing)(sql, secretKey),
  });
}

/**
 * The end of a run that applied entries: what it has learned about erased people is looked for in the database, and where
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
