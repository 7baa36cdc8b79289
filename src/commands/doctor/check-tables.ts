import { UserError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import { readKeyStates, UNIQUE_KEYS } from '../../store/checks/unique-keys.js';
import { migrationStatus } from '../../store/migrations/migrate.js';
import { assertMigratable } from '../../store/migrations/status.js';
import { readMissingRights } from '../../store/server.js';
import type { Sql } from '../../store/sql.js';
import type { Store } from '../../store/store.js';
import { amount } from '../../model/amount.js';
import { remedyOf, type DoctorCheck } from './result.js';
import { listed } from './words.js';

/** Whether the tables are ours, and of this version. */
export async function checkMigrations(store: Store): Promise<DoctorCheck> {
  const name = 'migrations' as const;
  const status = await migrationStatus(store);
  try {
    assertMigratable(status, store.location);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { name, status: 'fail', message: error.message, ...remedyOf(error) };
  }
  const { applied, pending } = status;
  if (pending.length === 0) return { name, status: 'ok', message: `${applied.length} applied, none pending` };
  const message =
    applied.length === 0
      ? 'the database is empty: its tables have not been created yet'
      : `${amount(pending.length, 'migration')} pending: ${listed(pending)}`;
  // The embedded database migrates itself.
  if (store.backend === 'pglite') {
    return { name, status: 'ok', message: `${message}; the next command sees to it` };
  }
  return { name, status: 'fail', message, remedy: remedy('db migrate', [], 'applies them') };
}

/** Whether this role may do what commands do. */
export async function checkRights(sql: Sql): Promise<DoctorCheck> {
  const missing = await readMissingRights(sql, [...new Set(UNIQUE_KEYS.map(({ table }) => table))]);
  if (missing.length === 0)
    return { name: 'rights', status: 'ok', message: 'this role may read and write every table' };
  return {
    name: 'rights',
    status: 'fail',
    message: `this role lacks rights on ${listed(missing)}`,
    remedy: 'As the owner: grant select, insert, update, delete on all tables in schema … to …',
  };
}

/** Whether unique indexes prevent duplicates. */
export async function checkIndexes(sql: Sql): Promise<DoctorCheck> {
  const states = await readKeyStates(sql);
  const bad = [...states].flatMap(([key, { state }]) =>
    state === 'sound' ? [] : [state === 'table_missing' ? `${key.index} (no table ${key.table})` : key.index],
  );
  if (bad.length === 0) {
    return { name: 'indexes', status: 'ok', message: `all ${states.size} unique indexes present and valid` };
  }
  return {
    name: 'indexes',
    status: 'fail',
    message: `${amount(bad.length, 'unique index', 'unique indexes')} missing or not valid: ${listed(bad)}`,
    remedy: [remedy('verify', [], 'says what is in the way'), remedy('verify', ['--enforce'], 'makes them')],
  };
}
