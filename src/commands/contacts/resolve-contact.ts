import type { IdentityKind } from '../../model/enumerations.js';
import { ConfigError } from '../../model/errors.js';
import type { KeyOpener } from '../../model/secrets.js';
import type { Sql } from '../../store/sql.js';
import {
  findPeople,
  readKnownIdentities,
  findLeads,
  findLeadsByPhone,
  findSurvivor,
  type LeadSummary,
} from '../../store/tables/leads.js';
import { CONTACT_FORMS, namesOfPhone, parseContact } from './typed-contact.js';
import { remedy } from '../../model/remedy.js';
import { erasedAt, erasedWords } from './erased-people.js';
import { countEntriesAbout } from '../../store/queries/explain.js';
import { amount } from '../../model/amount.js';

/** A lead that a typed contact may mean. */
export interface ContactLead extends LeadSummary {
  identities: { kind: IdentityKind; value: string }[];
}

export interface ResolvedContact {
  /** As typed, without surrounding white space. */
  typed: string;
  /** Every name of the contact, as stored in the raw log's chat ids; always includes what was typed. */
  names: string[];
  /** No lead, one, or several (in two organizations; or duplicates that dedupe has not merged). */
  leads: ContactLead[];
  /** A sentence for the user: the lead was merged into another one. */
  notice?: string;
}

export interface ContactScope {
  /** Only leads of this organization. */
  organizationId?: string;
}

/**
 * Finds the person a user means by a phone in any format (with or without +, spaces, the ninth digit, 521 or 52, 549 or
 * 54), a JID, a LID, a BSUID or a lead id. The id of a merged lead leads to the survivor. Throws ConfigError
 * `invalid_contact` for what cannot be a contact, `unknown_contact` for a lead id that does not exist.
 */
export async function resolveContact(
  sql: Sql,
  typed: string,
  scope: ContactScope = {},
): Promise<ResolvedContact> {
  const contact = parseContact(typed);
  const shown = typed.trim();
  if (contact.kind === 'lead') return resolveLead(sql, shown, contact.leadId, scope);
  const found = await search(sql, contact.names, contact.phones, scope);
  if (found.leads.length > 0) return { typed: shown, ...found };
  const { otherwise } = contact;
  const other = otherwise === null ? found : await search(sql, otherwise.names, otherwise.phones, scope);
  const names = [...found.names, ...other.names];
  const last = other.leads.length > 0 ? other : await searchMisnamed(sql, contact.phones, scope);
  return { typed: shown, leads: last.leads, names: [...new Set([...names, ...last.names])] };
}

/**
 * The lead whose row alone has the phone: another program wrote it there, and `verify` reports it (`lead_values`). A lead
 * whose phone it is by its identities comes first.
 */
async function searchMisnamed(
  sql: Sql,
  phones: readonly string[],
  { organizationId }: ContactScope,
): Promise<Pick<ResolvedContact, 'names' | 'leads'>> {
  const leads = await findLeadsByPhone(sql, phones, organizationId);
  return describe(
    sql,
    leads.map(({ leadId }) => leadId),
    leads,
  );
}

async function resolveLead(
  sql: Sql,
  typed: string,
  leadId: string,
  scope: ContactScope,
): Promise<ResolvedContact> {
  const found = await describe(sql, [leadId], await findLeads(sql, [leadId], [], scope.organizationId));
  if (found.leads.length > 0) return { typed, ...found };
  const survivor = await findSurvivor(sql, leadId);
  const leads = survivor === undefined ? [] : await findLeads(sql, [survivor], [], scope.organizationId);
  if (survivor === undefined || leads.length === 0) {
    throw new ConfigError(`No lead has the id ${typed}.`, {
      code: 'unknown_contact',
      remedy: `Give ${CONTACT_FORMS}.`,
    });
  }
  return {
    typed,
    ...(await describe(sql, [survivor], leads)),
    notice: `The lead ${typed} was merged into ${survivor}: they are one person.`,
  };
}

async function search(
  sql: Sql,
  names: readonly string[],
  phones: readonly string[],
  { organizationId }: ContactScope,
): Promise<Pick<ResolvedContact, 'names' | 'leads'>> {
  const people = await findPeople(sql, names, organizationId);
  const leads = await findLeads(sql, people, phones, organizationId);
  const found = await describe(sql, people, leads);
  return { leads: found.leads, names: [...new Set([...names, ...found.names])] };
}

/** The leads with their identities, and all names of theirs and of people who are not leads yet. */
async function describe(
  sql: Sql,
  people: readonly string[],
  leads: readonly LeadSummary[],
): Promise<Pick<ResolvedContact, 'names' | 'leads'>> {
  const identities = await readKnownIdentities(sql, [
    ...new Set([...people, ...leads.map((lead) => lead.leadId)]),
  ]);
  const phones = leads.flatMap((lead) => (lead.phone === null ? [] : namesOfPhone(lead.phone)));
  return {
    names: [...new Set([...identities.map((identity) => identity.value), ...phones])],
    leads: leads.map((lead) => ({
      ...lead,
      identities: identities
        .filter((identity) => identity.personId === lead.leadId)
        .map(({ kind, value }) => ({ kind, value })),
    })),
  };
}

/** How many candidates an error lists. */
const MOST_LISTED = 10;
/** Counting stops here: the error only needs to say "many". */
const MOST_COUNTED = 1000;

/**
 * The lead of a contact. Throws ConfigError `unknown_contact` if there is none, and says whether the raw log still has
 * entries about the contact; `erased_contact` if the person was erased, which only the secret key can tell; `ambiguous_contact`, with the
 * candidates, if there are several.
 */
export async function theOneLead(
  sql: Sql,
  contact: ResolvedContact,
  secretKey: (() => KeyOpener | null) | undefined,
): Promise<ContactLead> {
  const [first, second] = contact.leads;
  if (first === undefined) throw await unknownContact(sql, contact, secretKey);
  if (second !== undefined) throw ambiguousContact(contact);
  return first;
}

/**
 * For a command that takes a contact without a lead as well. Throws ConfigError `erased_contact` if the person was erased; returns what to
 * say where only the secret key can tell, null if there is nothing to say.
 */
export async function refuseErased(
  sql: Sql,
  { typed, names, leads }: ResolvedContact,
  secretKey: (() => KeyOpener | null) | undefined,
): Promise<string | null> {
  if (leads.length > 0) return null;
  const erased = await erasedAt(sql, names, secretKey);
  const said = erasedWords(typed, erased);
  if (said === null || erased === 'unknown') return said;
  throw new ConfigError(`${said}.`, {
    code: 'erased_contact',
    remedy: remedy('erase', ['--allow', typed], 'if the person writes again, and agrees'),
    inProgram: 'Call allowErased, if the person writes again, and agrees.',
  });
}

async function unknownContact(
  sql: Sql,
  contact: ResolvedContact,
  secretKey: (() => KeyOpener | null) | undefined,
): Promise<ConfigError> {
  const said = await refuseErased(sql, contact, secretKey);
  const { typed, names } = contact;
  const entries = await countEntriesAbout(sql, names, MOST_COUNTED);
  if (entries === 0) {
    return new ConfigError(`No contact found for '${typed}', in the leads or in the raw log.`, {
      code: 'unknown_contact',
      remedy: said === null ? `Give ${CONTACT_FORMS}.` : [`Give ${CONTACT_FORMS}.`, said],
    });
  }
  const many =
    entries === MOST_COUNTED
      ? `${amount(MOST_COUNTED, 'entry', 'entries')} or more`
      : amount(entries, 'entry', 'entries');
  return new ConfigError(`No lead found for '${typed}', but the raw log has ${many} about this contact.`, {
    code: 'unknown_contact',
    remedy: remedy('explain', [typed], 'explains what became of them'),
  });
}

function ambiguousContact({ typed, leads }: ResolvedContact): ConfigError {
  const organizations = new Set(leads.map((lead) => lead.organizationId));
  const listed = leads.slice(0, MOST_LISTED).map(describeLead);
  const more = leads.length > MOST_LISTED ? [`… and ${leads.length - MOST_LISTED} more`] : [];
  return new ConfigError([`${leads.length} leads match '${typed}':`, ...listed, ...more].join('\n  '), {
    code: 'ambiguous_contact',
    remedy:
      organizations.size > 1
        ? 'Give the lead id, or a connection of its organization (--connection).'
        : ['Give the lead id.', remedy('dedupe', [], 'plans to merge them, if they are one person')],
    inProgram:
      organizations.size > 1
        ? 'Give the lead id, or the option connection with one of its organization.'
        : 'Give the lead id; dedupe plans to merge them, if they are one person.',
  });
}

function describeLead({ organization, leadId, name }: ContactLead): string {
  return [organization, leadId, name ?? '(no name)'].join('  ');
}
