import { z } from 'zod';
import type { JsonObject } from '../../model/json.js';

/** A place that was sent. */
export interface Place {
  latitude: number;
  longitude: number;
  name: string | null;
  address: string | null;
}

/** A person on a contact card that was sent. */
export interface ContactCard {
  name: string;
  vcard: string;
}

const word = z.string().min(1).nullish().catch(null);

const PLACE = z.object({
  latitude: z.coerce.number().min(-90).max(90),
  longitude: z.coerce.number().min(-180).max(180),
  name: word,
  address: word,
});

/** The place that `raw_meta` of a message keeps; null where it has no coordinates. Meta and WhatsApp Web agree in its form. */
export function placeIn(rawMeta: JsonObject | null): Place | null {
  const { success, data } = PLACE.safeParse(rawMeta?.location);
  if (!success) return null;
  const { latitude, longitude, name = null, address = null } = data;
  return { latitude, longitude, name, address };
}

const PHONE = z.object({ phone: word, wa_id: word });

/** Meta's form, which has its parts, and WhatsApp Web's, which has a vCard. */
const CARD = z.union([
  z
    .object({ name: word, vcard: z.string().min(1) })
    .transform(({ name, vcard }) => cardOf(name ?? nameIn(vcard), vcard)),
  z
    .object({ name: z.object({ formatted_name: z.string().min(1) }), phones: z.array(PHONE).catch([]) })
    .transform(({ name, phones }) => ({
      name: name.formatted_name,
      vcard: vcardOf(
        name.formatted_name,
        phones.flatMap(({ phone, wa_id: id }) => phone ?? (id ? `+${id}` : [])),
      ),
    })),
]);

/** The contact cards that `raw_meta` of a message keeps; null where one of them has no name. */
export function cardsIn(rawMeta: JsonObject | null): ContactCard[] | null {
  const { success, data } = z.array(CARD).min(1).safeParse(rawMeta?.contacts);
  return success && data.every(({ name }) => name !== '') ? data : null;
}

/** A card that was cut on its way into the database gets the form of a whole one again. */
function cardOf(name: string, vcard: string): ContactCard {
  if (/^END:VCARD\s*$/im.test(vcard)) return { name, vcard };
  const phones = [...vcard.matchAll(/^(?:item\d+\.)?TEL[^:\r\n]*:([^\r\n]+)\r?$/gim)];
  return {
    name,
    vcard: vcardOf(
      name,
      phones.map(([, phone = '']) => phone),
    ),
  };
}

function nameIn(vcard: string): string {
  return /^FN[^:\r\n]*:([^\r\n]+)\r?$/im.exec(vcard)?.[1] ?? '';
}

function vcardOf(name: string, phones: readonly string[]): string {
  const shown = name.replace(/[\\;,]/g, String.raw`\$&`).replace(/[\r\n]+/g, ' ');
  return [
    'BEGIN:VCARD',
    'VERSION:3.0',
    `N:${shown}`,
    `FN:${shown}`,
    ...phones.map((phone) => `TEL;type=CELL;waid=${phone.replace(/\D/g, '')}:${phone}`),
    'END:VCARD',
  ].join('\n');
}
