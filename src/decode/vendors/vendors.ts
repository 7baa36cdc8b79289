import type { Provider } from '../../model/enumerations.js';
import type { Section, Unrecognized } from '../../model/facts.js';
import type { JsonObject } from '../../model/json.js';
import type { DecodeOptions } from '../options.js';
import { recogniseGupshup } from './gupshup.js';
import { recogniseOnPremises } from './on-premises.js';
import { recogniseWaha } from './waha.js';

/** What a body of a vendor says. */
export interface VendorReading {
  provider: Provider;
  sections: Section[];
  unrecognized: Unrecognized[];
  /** When the vendor says that the event came, ms since 1970. */
  receivedAt?: number;
}

/** `path` is the JSON path of the recognised object. */
export type ReadVendor = (options: DecodeOptions & { path: string }) => VendorReading;

/** Asked in turn; at most one claims an object. */
const RECOGNISERS: readonly ((object: JsonObject) => ReadVendor | undefined)[] = [
  recogniseWaha,
  recogniseGupshup,
  recogniseOnPremises,
];

/**
 * Claims an object that a vendor sends in a form of its own (WAHA, Gupshup v2, Turn.io, the On-Premises API), by its shape
 * alone. Asked after Meta's bodies and Baileys' events, which some of these vendors send, too. undefined for anything else;
 * neither this nor the reading throws because of its input.
 */
export function recogniseVendor(object: JsonObject): ReadVendor | undefined {
  for (const recognise of RECOGNISERS) {
    const read = recognise(object);
    if (read !== undefined) return read;
  }
  return undefined;
}
