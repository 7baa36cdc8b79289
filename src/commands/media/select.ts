import type { Context } from '../../context.js';
import { readConnectionRecords, type ConnectionRecord } from '../../store/tables/connections.js';
import type { MediaChoice } from '../../store/tables/media-files.js';
import { findConnection } from '../connections/find.js';
import { resolveContact, theOneLead } from '../contacts/resolve-contact.js';
import type { MediaSelection } from './types.js';

/** The selected connections and files. */
export interface SelectedMedia {
  connections: readonly ConnectionRecord[];
  /** The contact's lead; null if none was named. */
  leadId: string | null;
  choiceOf: (connectionId: string) => MediaChoice;
}

/**
 * Resolves the selection: the named connection, else all in use, of any kind. Throws ConfigError for an unknown
 * connection or contact, and for an ambiguous contact.
 */
export async function selectMedia(ctx: Context, selection: MediaSelection): Promise<SelectedMedia> {
  const { connection, organization, contact, type, since, until, minSize, maxSize } = selection;
  const { sql } = ctx.store;
  const named = connection === undefined ? null : await findConnection(ctx, connection, organization);
  const all = named === null ? await readConnectionRecords(sql, { organization }) : [named];
  const [first] = all;
  const isOneOrganization =
    first !== undefined && all.every(({ organizationId }) => organizationId === first.organizationId);
  const lead =
    contact === undefined
      ? null
      : await findLead(ctx, contact, isOneOrganization ? first.organizationId : undefined);
  const connections = all
    .filter(({ archivedAt }) => named !== null || archivedAt === null)
    .filter(({ organizationId }) => lead === null || organizationId === lead.organizationId);
  return {
    connections,
    leadId: lead?.leadId ?? null,
    choiceOf: (connectionId) => ({
      connectionId,
      leadId: lead?.leadId ?? null,
      since: since ?? null,
      until: until ?? null,
      type: type ?? null,
      minBytes: minSize ?? null,
      maxBytes: maxSize ?? null,
    }),
  };
}

async function findLead(ctx: Context, typed: string, organizationId: string | undefined) {
  const { sql } = ctx.store;
  const contact = await resolveContact(sql, typed, organizationId === undefined ? {} : { organizationId });
  if (contact.notice !== undefined) ctx.emit({ event: 'notice', message: contact.notice });
  return theOneLead(sql, contact, ctx.secretKey);
}
