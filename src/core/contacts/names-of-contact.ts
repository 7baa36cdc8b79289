import type { Sql } from '../../store/sql.js';
import { resolveContact } from './resolve-contact.js';

/**
 * Every name of a contact that a person may type as phone (any format), JID, LID, BSUID or lead id: the names in the raw
 * log to look for. A contact that the database does not know is looked for under what was typed.
 * Throws ConfigError for what cannot be a contact.
 */
export async function namesOfContact(sql: Sql, typed: string): Promise<string[]> {
  return (await resolveContact(sql, typed)).names;
}
