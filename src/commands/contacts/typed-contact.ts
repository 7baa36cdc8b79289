import { identitiesOfUser } from '../../identity/identities.js';
import {
  digitsOf,
  phoneAsTyped,
  phoneEquivalents,
  phonesToLookUp,
  withoutExtraNinthDigit,
} from '../../identity/phone.js';
import { ConfigError } from '../../model/errors.js';
import { nodesOf } from '../../rules/identity-evidence.js';

/** A typed contact, parsed without asking the database. */
export type TypedContact =
  | { kind: 'lead'; leadId: string }
  | {
      kind: 'names';
      /** As identities and the raw log's chat ids hold them. */
      names: string[];
      /** Spellings under which other programs may have stored the phone. */
      phones: string[];
      /** What it may mean if no lead has these names. */
      otherwise: { names: string[]; phones: string[] } | null;
    };

/** Accepted forms, for help texts and errors. */
export const CONTACT_FORMS = 'a phone number with country code, a JID, a LID, a BSUID or a lead id';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** A LID without its `@lid` looks like a phone too long for any country. */
const BARE_LID = /^\d{14,20}$/;

/** Throws ConfigError `invalid_contact` for what cannot be a contact. */
export function parseContact(typed: string): TypedContact {
  const contact = typed.trim();
  if (UUID.test(contact)) return { kind: 'lead', leadId: contact.toLowerCase() };
  const phone = phoneAsTyped(contact);
  const identities = phone === undefined ? identitiesOfUser(contact) : { phone };
  const names = new Set(nodesOf(identities).map((node) => node.value));
  const known = identities.phone;
  if (known !== undefined) for (const equivalent of phoneEquivalents(known)) names.add(equivalent);
  const digits = digitsOf(contact);
  if (digits !== undefined && BARE_LID.test(digits)) names.add(`${digits}@lid`);
  if (names.size === 0) {
    throw new ConfigError(`'${contact}' is not a valid contact.`, {
      code: 'invalid_contact',
      remedy: `Give ${CONTACT_FORMS}.`,
    });
  }
  const landline = known === undefined ? undefined : withoutExtraNinthDigit(known);
  return {
    kind: 'names',
    names: [...names],
    phones: known === undefined ? [] : phonesToLookUp(known),
    otherwise: landline === undefined ? null : { names: [landline], phones: [landline] },
  };
}

/** The names that webhooks may use for the owner of this phone. */
export function namesOfPhone(phone: string): string[] {
  const canonical = phoneAsTyped(phone) ?? phone;
  return [canonical, ...phoneEquivalents(canonical)];
}
