import type { Provider } from '../../model/enumerations.js';
import type { Section, Unrecognized } from '../../model/facts.js';
import type { JsonObject } from '../../model/json.js';
import type { DecodeOptions } from '../options.js';
import { recognizeGupshup } from './gupshup.js';
import { recognizeOnPremises } from './on-premises.js';
import { recognizeWaha } from './waha.js';

/** What a body of a vendor says. */
export interface VendorReading {
  provider: Provider;
  sections: Section[];
  unrecognized: Unrecognized[];
  /** When the vendor says that the event came, ms since 1970. */
  receivedAt?: number;
}

/** `path` is the JSON path of the recognized object. */
export type ReadVendor = (options: DecodeOptions & { path: string }) => VendorReading;

/** Asked in turn; at most one claims an object. */
const RECOGNIZERS: readonly ((object: JsonObject) => ReadVendor | undefined)[] = [
  recognizeWaha,
  recognizeGupshup,
  recognizeOnPremises,
];

/**
 * Claims an object that a vendor sends in a form of its own (WAHA, Gupshup v2, Turn.io, the On-Premises API), by its shape
 * alone. Asked after Meta's bodies and Baileys' events, which some of these vendors send, too. undefined for anything else;
 * neither this nor the reading throws because of its input.
 */
export function recognizeVendor(object: JsonObject): ReadVendor | undefined {
  for (const recognize of RECOGNIZERS) {
    const read = recognize(object);
    if (read !== undefined) return read;
  }
  return undefined;
}
