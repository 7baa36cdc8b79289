import { readServerFacts } from '../../store/server.js';
import type { Store } from '../../store/store.js';
import type { DoctorCheck } from './result.js';

/** Whether the server can hold what is stored in it. */
export async function checkServer(store: Store): Promise<DoctorCheck> {
  const facts = await readServerFacts(store.sql);
  const name = 'server' as const;
  const message = `PostgreSQL ${facts.version}`;
  if (facts.encoding !== 'UTF8') {
    return {
      name,
      status: 'fail',
      message: `${message}, encoding ${facts.encoding}: it cannot store emoji and most languages`,
      remedy: `Create the database again: create database … encoding 'UTF8' template template0`,
    };
  }
  if (facts.readOnly) {
    return {
      name,
      status: 'fail',
      message: `${message}, read-only: a standby, or a role that may not write`,
      remedy: 'Name the primary server in the database URL.',
    };
  }
  if (store.backend === 'postgresql' && !facts.autovacuum) {
    return {
      name,
      status: 'warn',
      message: `${message}, with autovacuum switched off: tables swell and queries slow down`,
      remedy: 'On the server: alter system set autovacuum = on; select pg_reload_conf();',
    };
  }
  return { name, status: 'ok', message };
}

/** What a connection pooler between here and the server changes; null where there is none, or none in use. */
export function checkPooler(store: Store): DoctorCheck | null {
  if (!store.pooled) return null;
  return {
    name: 'pooler',
    status: 'ok',
    message:
      'a connection pooler stands before the server: a run holds its lock in an open transaction, and statements are ' +
      'planned each time. With DIRECT_URL, the address of the server itself, runs are quicker; verify --enforce needs it',
  };
}
