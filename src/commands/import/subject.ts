import type { Context } from '../../context.js';
import { identitiesOfUser } from '../../identity/identities.js';
import { parseJid, type JidKind } from '../../identity/jid.js';
import { INCLUDABLE_CHATS } from '../../model/enumerations.js';
import { ConfigError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import { nodesOf } from '../../rules/identity-evidence.js';
import { readConversationsOfLead } from '../../store/queries/message-pages.js';
import type { Sql } from '../../store/sql.js';
import { readConnections, type ConnectionRow } from '../../store/tables/connections.js';
import { readLinkedConnections } from '../../store/tables/linked-devices.js';
import {
  resolveContact,
  type ContactLead,
  refuseErased,
  type ResolvedContact,
  theOneLead,
} from '../contacts/resolve-contact.js';

/** The subject of an import, as far as the database knows now. */
export interface Subject {
  /** As typed, without surrounding white space. */
  typed: string;
  /** Every name in the raw log. */
  names: ReadonlySet<string>;
  /** Null for a contact with nothing stored. */
  lead: ContactLead | null;
}

/**
 * Finds the lead for a typed contact; null if there is none: its stored entries may not have been replayed yet. Throws
 * ConfigError `invalid_contact` for what is not a contact, `group_not_imported` for a group, `erased_contact` for a person who was erased,
 * and `ambiguous_contact` for several leads.
 */
export async function findSubject(
  ctx: Context,
  sql: Sql,
  typed: string,
  organizationId: string | undefined,
): Promise<Subject> {
  assertPerson(typed.trim());
  const found = await resolveContact(sql, typed, organizationId === undefined ? {} : { organizationId });
  if (found.notice !== undefined) ctx.emit({ event: 'notice', message: found.notice });
  await refuseErased(sql, found, ctx.secretKey);
  return subjectOf(ctx, sql, found);
}

const NO_PERSONS: Partial<Record<JidKind, string>> = {
  group: 'a group',
  status_broadcast: 'the status of all contacts',
  broadcast: 'a broadcast list',
  newsletter: 'a channel',
  official: 'an account of WhatsApp itself',
};

function assertPerson(typed: string): void {
  const { kind } = parseJid(typed);
  const what = NO_PERSONS[kind];
  if (what === undefined) return;
  throw new ConfigError(`'${typed}' is ${what}: only the chat of one person can be imported.`, {
    code: 'group_not_imported',
    remedy: [
      'Give one contact: a phone number, a JID, a LID, a BSUID or a lead id.',
      // A replay brings whatever else the raw log has of these chats; WhatsApp's own account is never imported.
      ...INCLUDABLE_CHATS.filter((chat) => chat === kind).map((chat) =>
        remedy('replay', ['--all', '--include', chat], 'imports such chats as far as the raw log holds them'),
      ),
    ],
  });
}

async function subjectOf(ctx: Context, sql: Sql, found: ResolvedContact): Promise<Subject> {
  return {
    typed: found.typed,
    names: new Set(found.names),
    lead: found.leads.length === 0 ? null : await theOneLead(sql, found, ctx.secretKey),
  };
}

/** A contact's addresses at WhatsApp. */
export interface Addresses {
  /** The number's address: what WhatsApp itself wrote takes precedence over one derived from the phone. */
  phone: string | null;
  lid: string | null;
}

/** The addresses given by a lead's identities; both null for a contact with only a BSUID. */
export function addressesOf({ identities, phone }: ContactLead): Addresses {
  const valueOf = (kind: 'phone' | 'wa_id' | 'lid'): string | undefined =>
    identities.find((identity) => identity.kind === kind && /^\+?\d+(@lid)?$/.test(identity.value))?.value;
  const digits = (valueOf('wa_id') ?? valueOf('phone') ?? phone ?? '').replace('+', '');
  return {
    phone: digits === '' ? null : `${digits}@s.whatsapp.net`,
    lid: valueOf('lid') ?? null,
  };
}

/** The names of a contact, plus those that these addresses add. */
export function namesWith(names: ReadonlySet<string>, addresses: readonly string[]): Set<string> {
  const added = addresses.flatMap((address) => nodesOf(identitiesOfUser(address)));
  return new Set([...names, ...added.map(({ value }) => value)]);
}

/** The connection that an import works on. */
interface Chosen {
  connection: ConnectionRow | null;
  /** Whether a device of the tool is linked to it. */
  isLinked: boolean;
}

/**
 * The connection for asking a contact's phone: the named one; else the linked one among those that the contact wrote
 * to; else, for an unknown contact, the only linked one. If none is linked, the one to link. Throws ConfigError if
 * several match.
 */
export async function chooseConnection(
  sql: Sql,
  { lead, typed }: Subject,
  namedId: string | undefined,
): Promise<Chosen> {
  const rows = await readConnections(sql);
  const linked = await readLinkedConnections(sql);
  const choose = (connection: ConnectionRow | undefined): Chosen => ({
    connection: connection ?? null,
    isLinked: connection !== undefined && linked.has(connection.id),
  });
  if (namedId !== undefined) return choose(rows.find(({ id }) => id === namedId));
  const visited = lead === null ? [] : await readConversationsOfLead(sql, lead.leadId);
  const own = rows.filter(({ id }) => visited.some(({ connectionId }) => connectionId === id));
  const candidates = own.length > 0 ? own : rows;
  const able = candidates.filter(({ id }) => linked.has(id));
  if (able.length > 1) throw ambiguous(typed, able);
  if (able.length === 1) return choose(able[0]);
  return choose(candidates.find(({ kind }) => kind !== 'cloud_api') ?? candidates[0]);
}

function ambiguous(typed: string, able: readonly ConnectionRow[]): ConfigError {
  return new ConfigError(`'${typed}' can be imported over ${able.length} connections.`, {
    code: 'connection_ambiguous',
    remedy: `Choose one with --connection: ${able.map(({ name }) => name).join(', ')}`,
    inProgram: `Choose one with the option connection: ${able.map(({ name }) => name).join(', ')}`,
  });
}
