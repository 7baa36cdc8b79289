import type { Section, Unrecognized } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { decodeChange } from '../meta/decode-change.js';
import type { DecodeOptions } from '../options.js';
import { asString } from '../read.js';
import type { VendorReading } from './vendors.js';

/**
 * Reads the value of a change that says in Meta's terms what a vendor's body says. `places` tells where the vendor has its parts:
 * `.messages[0]` is `.payload` there; the paths of facts lead to what the log holds.
 */
export function readAsMeta(
  value: JsonObject,
  places: Readonly<Record<string, string>>,
  options: DecodeOptions & { path: string },
): VendorReading {
  const sections: Section[] = [];
  const unrecognized: Unrecognized[] = [];
  const { path } = options;
  decodeChange({ path, field: 'messages', value, wabaId: undefined }, options, sections, unrecognized);
  const moves = Object.entries(places).map(([from, to]): [string, string] => [path + from, path + to]);
  const moved = (at: string): string => {
    const [from, to] = moves.find(([prefix]) => at.startsWith(prefix)) ?? ['', ''];
    return to + at.slice(from.length);
  };
  for (const section of sections) for (const fact of section.facts) fact.path = moved(fact.path);
  for (const part of unrecognized) part.path = moved(part.path);
  return { provider: 'meta', sections, unrecognized };
}

/**
 * Whether an id is WhatsApp's own: a wamid, or the id of the On-Premises API (`ABGG…` of inbound, `gBEG…` of outbound messages),
 * whose first bytes are always the same.
 */
export function isWhatsAppId(value: JsonValue | undefined): boolean {
  return /^(?:wamid\.[\w+/=-]{8,}|(?:AB|gB)[EG]G[\w+/=-]{6,})$/.test(asString(value)?.slice(0, 1024) ?? '');
}
