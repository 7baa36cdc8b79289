import { ConfigError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import { countEntriesAbout } from '../../store/queries/explain.js';
import type { Sql } from '../../store/sql.js';
import { amount } from '../../model/amount.js';
import type { ContactLead, ResolvedContact } from './resolve-contact.js';
import { CONTACT_FORMS } from './typed-contact.js';

/** How many candidates an error lists. */
const MOST_LISTED = 10;
/** Counting stops here: "many" is all that the error needs to say. */
const MOST_COUNTED = 1000;

/**
 * The lead that a contact means. Throws ConfigError `unknown_contact` when there is none, and says whether the raw log
 * speaks of the contact all the same; `ambiguous_contact`, with the candidates, when there are several.
 */
export async function theOneLead(sql: Sql, contact: ResolvedContact): Promise<ContactLead> {
  const [first, second] = contact.leads;
  if (first === undefined) throw await unknownContact(sql, contact);
  if (second !== undefined) throw ambiguousContact(contact);
  return first;
}

async function unknownContact(sql: Sql, { typed, names }: ResolvedContact): Promise<ConfigError> {
  const entries = await countEntriesAbout(sql, names, MOST_COUNTED);
  if (entries === 0) {
    return new ConfigError(`Nobody is known as '${typed}', in the leads or in the raw log.`, {
      code: 'unknown_contact',
      remedy: `Give ${CONTACT_FORMS}.`,
    });
  }
  const many =
    entries === MOST_COUNTED
      ? `${amount(MOST_COUNTED, 'entry', 'entries')} or more`
      : amount(entries, 'entry', 'entries');
  return new ConfigError(`No lead is known as '${typed}', but the raw log has ${many} about this contact.`, {
    code: 'unknown_contact',
    remedy: remedy('explain', [typed], 'says what became of them'),
  });
}

function ambiguousContact({ typed, leads }: ResolvedContact): ConfigError {
  const organizations = new Set(leads.map((lead) => lead.organizationId));
  const listed = leads.slice(0, MOST_LISTED).map(describeLead);
  const more = leads.length > MOST_LISTED ? [`… and ${leads.length - MOST_LISTED} more`] : [];
  return new ConfigError(
    [`${leads.length} leads are known as '${typed}':`, ...listed, ...more].join('\n  '),
    {
      code: 'ambiguous_contact',
      remedy:
        organizations.size > 1
          ? 'Say which by its lead id, or by a connection of its organization (--connection).'
          : [
              'Say which by its lead id.',
              remedy('dedupe', [], 'plans to merge them, if they are one person'),
            ],
    },
  );
}

function describeLead({ organization, leadId, name }: ContactLead): string {
  return [organization, leadId, name ?? '(no name)'].join('  ');
}
