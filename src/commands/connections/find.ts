import { digitsOf, canonicalPhone } from '../../identity/phone.js';
import { ConfigError } from '../../model/errors.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import { readConnectionRecords, type ConnectionRecord } from '../../store/tables/connections.js';
import type { Sql } from '../../store/sql.js';
import type { Context } from '../../context.js';

/** How many connections an error names. */
const NAMED = 5;

/**
 * The one connection that `reference` means: its name, id, phone_number_id or phone. Throws ConfigError if none
 * matches, or if several organizations have one with that name.
 */
export function findConnection(
  ctx: Context,
  reference: string,
  organization?: string,
): Promise<ConnectionRecord> {
  return findConnectionIn(ctx.store.sql, reference, organization);
}

/** The same, inside a transaction. */
export async function findConnectionIn(
  sql: Sql,
  reference: string,
  organization?: string,
): Promise<ConnectionRecord> {
  // Reads all: there are few, and the error lists their names.
  const records = await readConnectionRecords(sql, { organization });
  const named = records.filter((record) => record.name === reference);
  const found = named.length > 0 ? named : records.filter((record) => isCalled(record, reference));
  const [first, second] = found;
  if (first === undefined) {
    throw new ConfigError(`There is no connection '${reference}'.`, {
      remedy:
        records.length === 0
          ? ['There are none yet.', addRemedy(reference)]
          : [
              `Known connections: ${records
                .slice(0, NAMED)
                .map((record) => record.name)
                .join(', ')}${records.length > NAMED ? ', …' : ''}.`,
              remedy('connection list', [], 'lists all of them'),
            ],
      code: 'connection_unknown',
    });
  }
  if (second !== undefined) {
    const slugs = found.map(({ organization: slug }) => slug);
    throw new ConfigError(
      `Several connections are named '${reference}', in the organizations ${slugs.join(', ')}.`,
      {
        remedy: `Give the id of one: ${found.map(({ id, organization: slug }) => `${id} (${slug})`).join(', ')}`,
        code: 'connection_ambiguous',
      },
    );
  }
  return first;
}

/** Adds the connection with the typed name, or, if the input can only be a phone, with that number. */
function addRemedy(reference: string): Remedy {
  const digits = /^\+[\d ()-]+$/.test(reference) ? digitsOf(reference) : undefined;
  return digits === undefined
    ? remedy('connection add', ['--name', reference], 'adds one of this name')
    : remedy('connection add', ['--phone', `+${digits}`], 'adds one of this number');
}

function isCalled(record: ConnectionRecord, reference: string): boolean {
  if (record.id === reference.toLowerCase() || record.phoneNumberId === reference) return true;
  const phone = storedPhone(reference);
  return phone !== undefined && phone === storedPhone(record.displayPhoneNumber);
}

/** A stored number may be as Meta writes it (`+1 555-078-3881`): two of them are compared in canonical form. */
export function storedPhone(phone: string | null): string | undefined {
  const digits = phone === null ? undefined : digitsOf(phone);
  return digits === undefined ? undefined : canonicalPhone(digits);
}
