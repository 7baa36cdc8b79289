const ZERO = 48;
const NINE = 57;

/**
 * E.164 with `+`, canonical by rule I1, or undefined when `raw` is no phone (rule I2: a BSUID, a LID or a JID never is).
 *
 * Takes digits or a formatted number (`+55 11 90000-0000`). Brazil's mobile numbers gain their ninth digit, Mexico's `521`
 * loses its `1`; Argentina stays as it is, see {@link phoneEquivalents}. Numbers that no country has assigned are kept:
 * what WhatsApp names, exists. A leading zero is a national prefix or a service number, never E.164.
 */
export function canonicalPhone(raw: string): string | undefined {
  const digits = digitsOf(raw);
  if (digits === undefined || digits.length < 8 || digits.length > 15) return undefined;
  switch (digits.charCodeAt(0)) {
    case ZERO:
      return undefined;
    case ZERO + 5:
      return `+${canonicalFive(digits)}`;
    default:
      return `+${digits}`;
  }
}

/** Country codes 55 and 52: the two whose numbers WhatsApp writes in two ways. */
function canonicalFive(digits: string): string {
  const second = digits.charCodeAt(1) - ZERO;
  // Brazil, 55 + area code + 8 digits: mobiles (6-9) were prefixed with a 9 by 2016; landlines (2-5) never were.
  if (second === 5 && digits.length === 12 && digits.charCodeAt(4) >= ZERO + 6) {
    return `${digits.slice(0, 4)}9${digits.slice(4)}`;
  }
  // Mexico, 52 + 1 + 10 digits: the 1 for mobiles was abolished in 2019, WhatsApp still writes it.
  if (second === 2 && digits.length === 13 && digits.charCodeAt(2) === ZERO + 1) {
    return `52${digits.slice(3)}`;
  }
  return digits;
}

/**
 * The other canonical phones that would be the same person, if one of them is known: Argentina's `+549…` and `+54…`.
 * Only a known `+549…` justifies the step from `+54…` (the same digits may be a landline), so this is never canonicalised.
 */
export function phoneEquivalents(phone: string): string[] {
  if (!phone.startsWith('+54')) return [];
  const mobile = phone.charCodeAt(3) === NINE;
  if (mobile && phone.length === 14) return [`+54${phone.slice(4)}`];
  if (!mobile && phone.length === 13) return [`+549${phone.slice(3)}`];
  return [];
}

/**
 * Every E.164 number under which a program without rule I1 may have stored this canonical phone: itself, Brazil's without
 * the ninth digit, Mexico's with the `1`. Each of them canonicalises to it.
 */
export function phoneSpellings(phone: string): string[] {
  const others = [
    phone.startsWith('+55') && phone.length === 14 ? phone.slice(0, 5) + phone.slice(6) : phone,
    phone.startsWith('+52') && phone.length === 13 ? `+521${phone.slice(3)}` : phone,
  ];
  return [phone, ...others.filter((other) => other !== phone && canonicalPhone(other) === phone)];
}

/** Whether a stored phone has the form that the database demands of a lead's. */
export function isStoredPhone(phone: string): boolean {
  return /^\+[0-9]{4,15}$/.test(phone);
}

/**
 * The digits of a number as people write it; undefined when anything but digits, one leading `+`, spaces and `()-.` is in it.
 * The same string comes back when it is digits already, which is what webhooks send nearly always.
 */
export function digitsOf(raw: string): string | undefined {
  let formatted = false;
  let sawDigit = false;
  let sawPlus = false;
  for (let i = 0; i < raw.length; i++) {
    const code = raw.charCodeAt(i);
    if (code >= ZERO && code <= NINE) {
      sawDigit = true;
      continue;
    }
    switch (code) {
      case 0x2b: // +
        if (sawDigit || sawPlus) return undefined;
        sawPlus = true;
        break;
      case 0x20:
      case 0x28: // (
      case 0x29: // )
      case 0x2d: // -
      case 0x2e: // .
        break;
      default:
        return undefined;
    }
    formatted = true;
  }
  if (!sawDigit) return undefined;
  return formatted ? raw.replace(/\D/g, '') : raw;
}

/**
 * Every phone under which the person with this one may be stored: its spellings, and Argentina's other form. For looking up
 * what others have stored; never for storing.
 */
export function phonesToLookUp(phone: string): string[] {
  const [canonical = phone, ...others] = phoneSpellings(phone);
  return [canonical, ...phoneEquivalents(phone), ...others];
}

/**
 * The Brazilian landline in a number to which a ninth digit was added by mistake; undefined for every other phone. A guess for
 * when no contact has the phone as typed: in some areas, numbers that begin with 92 to 95 are mobile ones.
 */
export function withoutExtraNinthDigit(phone: string): string | undefined {
  return /^\+55\d{2}9[2-5]\d{7}$/.test(phone) ? phone.slice(0, 5) + phone.slice(6) : undefined;
}

/** A number as people type it: also with `00` for `+`, or with the scheme of a link (`tel:`, `whatsapp:`). */
export function phoneAsTyped(typed: string): string | undefined {
  const digits = digitsOf(typed.replace(/^(?:tel|whatsapp):/i, ''));
  return digits === undefined ? undefined : canonicalPhone(digits.replace(/^00/, ''));
}
