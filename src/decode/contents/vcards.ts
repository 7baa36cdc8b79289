import type { JsonValue } from '../../model/json.js';
import { lineText } from './wording.js';

/** A card with a photo has some hundred kilobytes; names and phones come before it. */
const LONGEST_CARD = 64 * 1024;
const MOST_LINES = 500;
const MOST_PHONES = 10;

/**
 * The person on a contact card: `Ana Silva: +55 11 90000-0001`. `known`: the name that stands beside the vCard. Undefined when
 * there is neither name nor phone.
 */
export function vcardText(value: JsonValue | undefined, known?: string): string | undefined {
  if (typeof value !== 'string') return known;
  const card = readCard(value.slice(0, LONGEST_CARD));
  return contactText(known ?? card.fullName ?? card.name ?? card.organization, card.phones);
}

/** The same for an already parsed card. */
export function contactText(
  name: string | undefined,
  phones: readonly (string | undefined)[],
): string | undefined {
  const shown = [...new Set(phones.filter((phone) => phone !== undefined))].slice(0, MOST_PHONES).join(', ');
  if (name === undefined) return shown === '' ? undefined : shown;
  return shown === '' ? name : `${name}: ${shown}`;
}

interface Card {
  fullName: string | undefined;
  name: string | undefined;
  organization: string | undefined;
  phones: string[];
}

function readCard(text: string): Card {
  const card: Card = { fullName: undefined, name: undefined, organization: undefined, phones: [] };
  for (const line of unfolded(text)) {
    const colon = endOfName(line);
    if (colon < 0) continue;
    const [property = '', ...parameters] = line.slice(0, colon).split(';');
    const value = decoded(line.slice(colon + 1), parameters);
    // `item1.TEL`: programs group a phone with its label.
    switch (property.slice(property.lastIndexOf('.') + 1).toUpperCase()) {
      case 'FN':
        card.fullName ??= lineText(unescaped(value));
        break;
      case 'N':
        card.name ??= nameOf(value);
        break;
      case 'ORG':
        card.organization ??= lineText(unescaped(value).replaceAll(';', ' '));
        break;
      case 'TEL': {
        const phone = lineText(unescaped(value).replace(/^tel:/i, ''));
        if (phone !== undefined && card.phones.length < MOST_PHONES && !card.phones.includes(phone)) {
          card.phones.push(phone);
        }
        break;
      }
    }
  }
  return card;
}

/**
 * A line that begins with white space continues the previous one; so does the line after one that ends in `=` (vCard
 * 2.1).
 */
function unfolded(text: string): string[] {
  return text
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(/\n[ \t]/g, '')
    .replaceAll(/=\n(?==)/g, '')
    .split('\n', MOST_LINES);
}

/** The colon after the property's name, not one inside a quoted parameter. */
function endOfName(line: string): number {
  let isQuoted = false;
  for (let i = 0; i < line.length; i++) {
    const char = line.charAt(i);
    if (char === '"') isQuoted = !isQuoted;
    else if (char === ':' && !isQuoted) return i;
  }
  return -1;
}

/** `Silva;Ana;Maria;Dra.;` in readable form. */
function nameOf(value: string): string | undefined {
  const [family, given, middle, prefix, suffix] = value
    .split(/(?<!\\);/)
    .map((part) => unescaped(part).trim());
  const parts = [prefix, given, middle, family, suffix].filter((part) => part !== undefined && part !== '');
  return lineText(parts.join(' '));
}

function unescaped(text: string): string {
  return text.replaceAll(/\\([nN\\,;:])/g, (_match, char: string) =>
    char.toLowerCase() === 'n' ? ' ' : char,
  );
}

/** Android's older cards write names outside ASCII as quoted-printable UTF-8. */
function decoded(value: string, parameters: readonly string[]): string {
  const isQuotedPrintable = parameters.some((parameter) => /quoted-printable$/i.test(parameter));
  if (!isQuotedPrintable) return value;
  const bytes = value.replaceAll(/(?:=[0-9A-Fa-f]{2})+/g, (run) =>
    Buffer.from(run.replaceAll('=', ''), 'hex').toString('utf8'),
  );
  return bytes;
}
