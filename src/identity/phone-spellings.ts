import { canonicalPhone, digitsOf, phoneEquivalents } from './phone.js';

/**
 * Every way in which programs write one phone, the canonical form (rule I1) first: Brazil without the ninth digit, Mexico's
 * `+521…`, Argentina's `+54…` beside `+549…`. For looking up what others have stored; never for storing.
 *
 * @example phoneSpellings('+5511987654321') // ['+5511987654321', '+551187654321']
 */
export function phoneSpellings(phone: string): string[] {
  const spellings = [phone, ...phoneEquivalents(phone)];
  if (/^\+55\d{2}9[6-9]\d{7}$/.test(phone)) spellings.push(phone.slice(0, 5) + phone.slice(6));
  if (/^\+52\d{10}$/.test(phone)) spellings.push(`+521${phone.slice(3)}`);
  return spellings;
}

/**
 * A Brazilian landline to which somebody added the ninth digit of mobile numbers; undefined for every other phone. A guess,
 * for when nobody has the phone as it stands: numbers that begin with 92 to 95 are mobile ones in some areas.
 */
export function withoutExtraNinthDigit(phone: string): string | undefined {
  return /^\+55\d{2}9[2-5]\d{7}$/.test(phone) ? phone.slice(0, 5) + phone.slice(6) : undefined;
}

/** A number as people type it: also with `00` for `+`, or with the scheme of a link (`tel:`, `whatsapp:`). */
export function phoneAsTyped(typed: string): string | undefined {
  const digits = digitsOf(typed.replace(/^(?:tel|whatsapp):/i, ''));
  return digits === undefined ? undefined : canonicalPhone(digits.replace(/^00/, ''));
}
