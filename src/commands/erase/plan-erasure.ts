import type { Context } from '../../context.js';
import type { IdentityKind } from '../../model/enumerations.js';
import {
  countRowsOf,
  readNamesOfPerson,
  type ErasedPerson,
  type TableRows,
} from '../../store/queries/erasure.js';
import { inSnapshot } from '../../store/transactions.js';
import { resolveContact, theOneLead } from '../contacts/resolve-contact.js';
import { wamidPrefixes, wordsOfNames } from '../../identity/name-words.js';
import { planBodies, type ErasedBodies } from './erase-bodies.js';

/** A shorter name stands in too many words to be looked for in texts. */
const SHORTEST_NAME = 3;

/** What an erasure of a person is about. */
export interface ErasurePlan {
  leadId: string;
  /** All identities that name the person. */
  identities: { kind: IdentityKind; value: string }[];
  /** Rows of every table but the raw log, in the order of their dependence. */
  tables: TableRows[];
  bodies: ErasedBodies;
  /** What no command of this tool reaches. */
  outOfReach: readonly string[];
}

const OUT_OF_REACH = [
  'backups of the database, and files that were exported from it',
  'the log files that were replayed: keep them away from replay, or delete the person there',
  'the CRM, and whatever other program shares the data',
  'what other people wrote about the person: quotes, texts, contact cards',
] as const;

/** Everything by which a person is known. Throws ConfigError for a contact that is none, or several. */
export async function findPerson(
  ctx: Context,
  contact: string,
): Promise<ErasedPerson & Pick<ErasurePlan, 'leadId' | 'identities'>> {
  const { sql } = ctx.store;
  const resolved = await resolveContact(sql, contact);
  const { leadId, identities } = await theOneLead(sql, resolved);
  const { names } = resolved;
  const called = (await readNamesOfPerson(sql, [leadId])).filter((name) => name.length >= SHORTEST_NAME);
  return {
    leadId,
    identities,
    leadIds: [leadId],
    names,
    // The id of a message holds the number as well.
    words: [...new Set([...wordsOfNames(names), ...wamidPrefixes(names), ...called])],
  };
}

/** Counts what an erasure would remove, table by table. Changes nothing. */
export async function planErasure(ctx: Context, contact: string): Promise<ErasurePlan> {
  const person = await findPerson(ctx, contact);
  const { leadId, identities, names, words } = person;
  return inSnapshot(ctx.store, async (sql) => ({
    leadId,
    identities,
    tables: await countRowsOf(sql, person),
    bodies: await planBodies(sql, { names: new Set(names), words }, ctx.signal),
    outOfReach: OUT_OF_REACH,
  }));
}
