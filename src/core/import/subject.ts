import { identitiesOfUser } from '../../identity/identities.js';
import type { Sql } from '../../store/sql.js';
import { resolveContact, type ContactLead, type ResolvedContact } from '../contacts/resolve-contact.js';
import { theOneLead } from '../contacts/the-one-lead.js';
import type { Context } from '../context.js';
import { nodesOf } from '../plan/identity-evidence.js';

/** Whom an import is about, as far as the database knows now. */
export interface Subject {
  /** As it was typed, without the white space around it. */
  typed: string;
  /** Every name in the raw log. */
  names: ReadonlySet<string>;
  /** Null for somebody of whom nothing is stored. */
  lead: ContactLead | null;
}

/**
 * Finds whom a typed contact means; nobody, too: what is stored about the contact may not have been replayed yet.
 * Throws ConfigError `unknown_contact` for what cannot be a contact, `ambiguous_contact` for what means several leads.
 */
export async function findSubject(
  ctx: Context,
  sql: Sql,
  typed: string,
  organizationId: string | undefined,
): Promise<Subject> {
  const found = await resolveContact(sql, typed, organizationId === undefined ? {} : { organizationId });
  if (found.notice !== undefined) ctx.emit({ event: 'notice', message: found.notice });
  return subjectOf(sql, found);
}

async function subjectOf(sql: Sql, found: ResolvedContact): Promise<Subject> {
  return {
    typed: found.typed,
    names: new Set(found.names),
    lead: found.leads.length === 0 ? null : await theOneLead(sql, found),
  };
}

/** A contact's addresses at WhatsApp. */
export interface Addresses {
  /** The number's: what WhatsApp itself wrote comes before what can be made of the phone. */
  phone: string | null;
  lid: string | null;
}

/** The addresses that a lead's identities give; both null for a contact who hides behind a BSUID. */
export function addressesOf({ identities, phone }: ContactLead): Addresses {
  const valueOf = (kind: 'phone' | 'wa_id' | 'lid'): string | undefined =>
    identities.find((identity) => identity.kind === kind && /^\+?\d+(@lid)?$/.test(identity.value))?.value;
  const digits = (valueOf('wa_id') ?? valueOf('phone') ?? phone ?? '').replace('+', '');
  return {
    phone: digits === '' ? null : `${digits}@s.whatsapp.net`,
    lid: valueOf('lid') ?? null,
  };
}

/** The names of a contact, and what these addresses add to them. */
export function namesWith(names: ReadonlySet<string>, addresses: readonly string[]): Set<string> {
  const added = addresses.flatMap((address) => nodesOf(identitiesOfUser(address)));
  return new Set([...names, ...added.map(({ value }) => value)]);
}
