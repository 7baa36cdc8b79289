import { canonicalPhone } from '../identity/phone.js';
import { identitiesOfUser } from '../identity/identities.js';
import { ConfigError } from '../model/errors.js';
import { arrayLiteral } from '../store/array-literal.js';
import { textOf } from '../store/row.js';
import type { Sql } from '../store/sql.js';
import { nodesOf } from './plan/identity-evidence.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Every name of a contact that a person may type as phone (any format), JID, LID, BSUID or lead id: the names in the raw
 * log to look for. A contact that the database does not know is looked for under what was typed.
 * Throws ConfigError for what cannot be a contact.
 */
export async function namesOfContact(sql: Sql, typed: string): Promise<string[]> {
  const contact = typed.trim();
  if (UUID.test(contact)) {
    const rows = await sql.query(`select value from lead_identities where lead_id = $1::uuid`, [contact]);
    if (rows.length === 0) {
      throw new ConfigError(`No lead has the id ${contact}.`, {
        code: 'unknown_contact',
        remedy: 'Give a phone number instead.',
      });
    }
    return rows.map((row) => textOf(row, 'value'));
  }
  const phone = canonicalPhone(contact);
  const identities = phone === undefined ? identitiesOfUser(contact) : { phone };
  const names = nodesOf(identities).map((node) => node.value);
  if (names.length === 0) {
    throw new ConfigError(`'${contact}' is no contact.`, {
      code: 'unknown_contact',
      remedy: 'Give a phone number with country code, a JID, a LID, a BSUID or a lead id.',
    });
  }
  const rows = await sql.query(
    `select distinct other.value
     from lead_identities known join lead_identities other on other.person_id = known.person_id
     where known.value = any($1::text[])`,
    [arrayLiteral(names)],
  );
  return [...new Set([...names, ...rows.map((row) => textOf(row, 'value'))])];
}
