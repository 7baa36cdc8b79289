import type { Context } from '../../context.js';
import { ConfigError } from '../../model/errors.js';
import { readAccess } from '../../store/tables/access-log.js';
import { findMergedInto } from '../../store/tables/leads.js';
import { resolveContact } from '../contacts/resolve-contact.js';
import { parseContact } from '../contacts/typed-contact.js';

export interface ListAccessOptions {
  /** Only accesses to this contact's messages, also under leads that were merged into it. */
  contact?: string | undefined;
  /** Only accesses by this command. */
  command?: string | undefined;
  /** Ms since 1970, included. */
  since?: number | undefined;
  /** Ms since 1970, not included. */
  until?: number | undefined;
  /** Maximum number, newest first. */
  limit: number;
}

/** One person's messages, shown to somebody. Times are RFC 3339, UTC. */
export interface AccessView {
  at: string;
  command: string;
  /** By the operating system. */
  user: string;
  host: string;
  /** Who it was for (`--as`); null where nobody was named. */
  as: string | null;
  /** Null for content that belongs to no lead. */
  leadId: string | null;
  /** It counts for any lead: a copy of them all, or rejected items, which are filed under nobody. */
  everybody: boolean;
  /** As the lead is called now; null where it is gone, or has none. */
  name: string | null;
  phone: string | null;
  messages: number;
}

/** The JSON of `runs list --access`, `schemaVersion` 1; fields are only ever added. */
export interface AccessList {
  schemaVersion: 1;
  command: 'runs list';
  /** Newest first. */
  access: AccessView[];
  database: string;
}

/** Who has looked at whose messages. Changes nothing, and is no access itself. Throws ConfigError for an unknown contact. */
export async function listAccess(ctx: Context, options: ListAccessOptions): Promise<AccessList> {
  const { sql } = ctx.store;
  const { contact, command = null, since = null, until = null, limit } = options;
  const leadIds = contact === undefined ? null : await leadsOf(ctx, contact);
  const rows = await readAccess(sql, { leadIds, since, until, command, limit });
  return {
    schemaVersion: 1,
    command: 'runs list',
    access: rows.map((row) => ({
      at: new Date(row.at).toISOString(),
      command: row.command,
      user: row.osUser,
      host: row.host,
      as: row.actor,
      leadId: row.leadId,
      everybody: row.isToEverybody,
      name: row.leadName,
      phone: row.leadPhone,
      messages: row.messages,
    })),
    database: ctx.store.location,
  };
}

/** Also a lead that is gone: its id is all that the rows name. */
async function leadsOf({ store: { sql } }: Context, typed: string): Promise<string[]> {
  const asTyped = parseContact(typed);
  const found =
    asTyped.kind === 'lead'
      ? [asTyped.leadId]
      : (await resolveContact(sql, typed)).leads.map(({ leadId }) => leadId);
  if (found.length === 0) {
    throw new ConfigError('No contact found: no lead has this name.', {
      code: 'unknown_contact',
      remedy: 'Give a phone, a JID, a LID, a BSUID or a lead id.',
    });
  }
  return [...found, ...(await findMergedInto(sql, found))];
}
