import { ConfigError } from '../../model/errors.js';
import { sqlState } from '../../store/sql-state.js';

const PERMISSION_DENIED = '42501';
const READ_ONLY = '25006';

/** The error of a plan that the database does not let try: a plan does the work and rolls it back. Undefined for any other. */
export function planRefusal(error: unknown): ConfigError | undefined {
  const code = 'plan_refused';
  const why = 'so nothing can be planned: planning performs the erasure in a transaction and rolls it back.';
  switch (sqlState(error)) {
    case PERMISSION_DENIED:
      return new ConfigError(`This role may not write to every table, ${why}`, {
        code,
        remedy:
          'Use the role that owns the tables. `explain` shows to any role that reads what there is of the contact.',
        cause: error,
      });
    case READ_ONLY:
      return new ConfigError(`This database is read-only, ${why}`, {
        code,
        remedy: 'Use the primary server. `explain` shows here what there is of the contact.',
        cause: error,
      });
    default:
      return undefined;
  }
}
