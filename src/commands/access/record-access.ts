import type { Context } from '../../context.js';
import { ConfigError } from '../../model/errors.js';
import { sqlState } from '../../store/sql-state.js';
import {
  insertAccess,
  insertAccessToAll,
  insertAccessToCopy,
  insertAccessToPart,
  type AccessScope,
  type CopiedPart,
} from '../../store/tables/access-log.js';
import { createIdGenerator } from '../../store/uuid.js';

/** What a command is about to show. */
export interface Access {
  /** The command as a user types it: `messages`, `compare chat-export`. */
  command: string;
  /**
   * Messages by person, a null lead for content that belongs to nobody, `besides` where other words of the person are shown (a name, a
   * reaction); all of a scope; or a copy: of a part, or (null) of
   * everything, which is one row whatever the number of leads, as it is written every night.
   */
  shown:
    | readonly { leadId: string | null; messages: number; besides?: boolean }[]
    | AccessScope
    | { copyOf: CopiedPart | null };
}

/** Everything that is stored. */
export const EVERYBODY: AccessScope = { organizationId: null, connectionId: null, from: null, to: null };

/**
 * Records who is about to see whose messages. Call it before anything is shown, and outside of a transaction: a process that is
 * killed afterwards leaves its trace. Nothing to show, no row. Throws ConfigError `access_log_refused` where the database takes no
 * row: what cannot be recorded is not shown.
 */
export async function recordAccess(ctx: Context, { command, shown }: Access): Promise<void> {
  const { store, host, user: osUser, actor = null } = ctx;
  const about = { at: ctx.clock(), command, osUser, host, actor };
  try {
    if ('copyOf' in shown) {
      if (shown.copyOf === null) await insertAccessToCopy(store.sql, about);
      else await insertAccessToPart(store.sql, about, shown.copyOf);
    } else if ('organizationId' in shown) {
      await insertAccessToAll(store.sql, about, shown);
    } else {
      const nextId = createIdGenerator(ctx.clock);
      const rows = shown.filter(({ messages, besides = false }) => messages > 0 || besides);
      await insertAccess(
        store.sql,
        rows.map(({ leadId, messages }) => ({ ...about, leadId, messages, id: nextId() })),
      );
    }
  } catch (error) {
    throw refusalOf(error) ?? error;
  }
}

const PERMISSION_DENIED = '42501';
const READ_ONLY = '25006';

function refusalOf(error: unknown): ConfigError | undefined {
  const code = 'access_log_refused';
  switch (sqlState(error)) {
    case PERMISSION_DENIED:
      return new ConfigError('This role may not write to access_log, so nothing of a person is shown.', {
        code,
        remedy: 'As the owner of the tables: grant insert on access_log to ROLE;',
        cause: error,
      });
    case READ_ONLY:
      return new ConfigError(
        'This database is read-only, so that access_log cannot be written, and nothing of a person is shown.',
        { code, remedy: 'Use the primary server, or a session that may write.', cause: error },
      );
    default:
      return undefined;
  }
}
