import { parsePhoneNumberFromString } from './numbering-plan.js';
import { phoneEquivalents, canonicalPhone, digitsOf } from '../../identity/phone.js';
import type { ConnectionKind } from '../../model/enumerations.js';
import { ConfigError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import type { ConnectionFields, ConnectionRecord } from '../../store/tables/connections.js';
import { storedPhone } from './find.js';

/** The fields of a connection as typed, unchecked. */
export interface TypedFields {
  name: string;
  kind: ConnectionKind;
  phone?: string;
  phoneNumberId?: string;
  wabaId?: string;
}

const LONGEST_NAME = 100;

/** Throws ConfigError for the first invalid field. */
export function checkFields(fields: TypedFields): ConnectionFields {
  return {
    name: checkName(fields.name),
    kind: fields.kind,
    displayPhoneNumber: fields.phone === undefined ? null : parseBusinessPhone(fields.phone),
    phoneNumberId:
      fields.phoneNumberId === undefined ? null : checkId(fields.phoneNumberId, 'phone_number_id'),
    wabaId: fields.wabaId === undefined ? null : checkId(fields.wabaId, 'waba_id'),
  };
}

export function checkName(typed: string): string {
  const name = typed.trim();
  // A name appears in flags, logs and lock messages: no control characters, no line breaks.
  if (name === '' || name.length > LONGEST_NAME || /\p{C}/u.test(name)) {
    throw new ConfigError(`A name has 1 to ${LONGEST_NAME} printable characters.`, {
      remedy: 'Choose another, for example --name main.',
      inProgram: 'Choose another name, for example "main".',
      code: 'invalid_name',
    });
  }
  return name;
}

export function checkId(typed: string, what: string): string {
  const id = typed.trim();
  if (!/^\d{5,20}$/.test(id)) {
    throw new ConfigError(`A ${what} has 5 to 20 digits.`, {
      remedy:
        'Find it in the metadata of every webhook, or in Meta’s App Dashboard under WhatsApp > API setup.',
      code: 'invalid_id',
    });
  }
  return id;
}

/**
 * Webhooks are filed by phone_number_id, or once by the number, which then brings the id (rule H1): a Meta connection
 * with neither would never receive anything. Throws ConfigError.
 */
export function assertReachable(fields: ConnectionFields): void {
  if (fields.kind === 'baileys' || fields.phoneNumberId !== null || fields.displayPhoneNumber !== null)
    return;
  throw new ConfigError(`A ${fields.kind} connection needs its number or its phone_number_id.`, {
    remedy: 'Give --phone or --phone-number-id; both are in the metadata of every webhook of that number.',
    inProgram: 'Give phone or phoneNumberId; both are in the metadata of every webhook of that number.',
    code: 'missing_number',
  });
}

/**
 * Throws ConfigError when another connection has the name (in the same organization), the phone_number_id or the
 * number: one number is one connection, whatever way its messages come.
 */
export function assertUnique(
  fields: ConnectionFields,
  organization: string,
  others: readonly ConnectionRecord[],
): void {
  for (const other of others) {
    if (other.organization === organization && other.name === fields.name) {
      throw duplicate(`The name '${fields.name}' is taken.`, other);
    }
    if (fields.phoneNumberId !== null && other.phoneNumberId === fields.phoneNumberId) {
      throw duplicate(
        `The phone_number_id ${fields.phoneNumberId} belongs to the connection '${other.name}'.`,
        other,
      );
    }
    if (isSameNumber(fields.displayPhoneNumber, other.displayPhoneNumber)) {
      throw duplicate(`The connection '${other.name}' already has this number.`, other);
    }
  }
}

function isSameNumber(a: string | null, b: string | null): boolean {
  const [one, two] = [storedPhone(a), storedPhone(b)];
  if (one === undefined || two === undefined) return false;
  return one === two || phoneEquivalents(one).includes(two);
}

function duplicate(message: string, other: ConnectionRecord): ConfigError {
  return new ConfigError(message, {
    remedy: [
      remedy('connection show', [other.id], 'shows it'),
      remedy('connection edit', [other.id, '--name', 'NAME'], 'renames it'),
    ],
    code: 'connection_exists',
  });
}

/**
 * The number of a connection as stored: E.164, canonical by rule I1. Typed numbers face a stricter rule than webhooks:
 * an existing country, and a length valid in its numbering plan. Throws ConfigError.
 */
export function parseBusinessPhone(typed: string): string {
  const digits = digitsOf(typed.trim());
  const parsed = digits === undefined ? undefined : parsePhoneNumberFromString(`+${digits}`);
  const phone = parsed?.isPossible() === true ? canonicalPhone(parsed.number) : undefined;
  if (phone === undefined) {
    throw new ConfigError('This is not an international phone number.', {
      remedy: 'Write it with its country code, for example +5511912345678.',
      code: 'invalid_phone',
    });
  }
  return phone;
}
