import type { Provider } from '../../model/enumerations.js';
import type { Section, SignedBody, Unrecognized } from '../../model/facts.js';
import type { JsonObject } from '../../model/json.js';
import { decodeBaileys, recognizeBaileys } from '../baileys/decode-baileys.js';
import { recognizeChatLine } from '../exports/chat-line.js';
import { recognizeCrmRow } from '../exports/crm-row.js';
import { decodeExport, isExport } from '../exports/decode-export.js';
import type { DecodeOptions } from '../options.js';
import { recognizeVendor, type VendorReading } from '../vendors/vendors.js';
import { recognizeMeta } from './meta-body.js';

/** Everything found in an entry so far. */
export interface Found {
  providers: Set<Provider>;
  sections: Section[];
  unrecognized: Unrecognized[];
  signatures: SignedBody[];
  /** Bodies without one. */
  unsigned: number;
  /** The first time that a body or a row gave. */
  receivedAt: number | undefined;
  /** Whether the bodies beside it have other times, or none. */
  hasOtherTimes: boolean;
}

/** What a value's wrappers say. */
export interface Scope {
  options: DecodeOptions;
  /** Whether the caller gave receivedAt: then a row's own time never replaces it. */
  timeIsGiven: boolean;
  /** The field named by a wrapper (360dialog's `event`, a row's `event_type`), for bodies that name none. */
  field: string | undefined;
}

/** Adds what a body says to `found`. */
export type ReadBody = (scope: Scope, found: Found) => void;

/**
 * Claims an object that is a webhook's body or an event, by shape alone; undefined otherwise. A body is read as a
 * whole: never searched for further bodies.
 */
type Recognizer = (object: JsonObject, path: string) => ReadBody | undefined;

/** Asked in turn. */
const RECOGNIZERS: readonly Recognizer[] = [
  recognizeMeta,
  recognizeWhatsAppWeb,
  recognizeOfVendor,
  recognizeOfCrm,
  recognizeExport,
];

export function recognizeBody(object: JsonObject, path: string): ReadBody | undefined {
  for (const recognize of RECOGNIZERS) {
    const read = recognize(object, path);
    if (read !== undefined) return read;
  }
  return undefined;
}

function recognizeWhatsAppWeb(object: JsonObject, path: string): ReadBody | undefined {
  const event = recognizeBaileys(object);
  if (event === undefined) return undefined;
  return (scope, found) => {
    add({ provider: 'baileys', ...decodeBaileys(event, { ...scope.options, path }) }, found);
  };
}

function recognizeOfVendor(object: JsonObject, path: string): ReadBody | undefined {
  const read = recognizeVendor(object);
  if (read === undefined) return undefined;
  return (scope, found) => {
    add(read({ ...scope.options, path }), found);
  };
}

function recognizeOfCrm(object: JsonObject, path: string): ReadBody | undefined {
  const read = recognizeCrmRow(object) ?? recognizeChatLine(object);
  if (read === undefined) return undefined;
  return (scope, found) => {
    add(read({ ...scope.options, path }), found);
  };
}

function add(reading: VendorReading, found: Found): void {
  found.providers.add(reading.provider);
  // One by one: as the arguments of one call, 100,000 sections would exhaust the stack.
  for (const section of reading.sections) found.sections.push(section);
  for (const part of reading.unrecognized) found.unrecognized.push(part);
  found.receivedAt ??= reading.receivedAt;
}

function recognizeExport(object: JsonObject, path: string): ReadBody | undefined {
  if (!isExport(object)) return undefined;
  return (scope, found) => {
    const exported = decodeExport(object, { ...scope.options, path });
    if (exported === undefined) return;
    found.providers.add('baileys');
    for (const section of exported.sections) found.sections.push(section);
  };
}
