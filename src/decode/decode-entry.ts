import type { DecodedEntry } from '../model/facts.js';
import { unrecognizedOf, unwrap, type Found, type Scope } from './envelopes/unwrap.js';
import type { DecodeOptions } from './options.js';
import { parseJson, textOfBytes } from './parse-json.js';

export type { DecodeOptions } from './options.js';

export type DecodeResult =
  | { kind: 'decoded'; entry: DecodedEntry }
  /** `message` is one line that names the position and quotes nothing. */
  | { kind: 'invalid'; reason: 'invalid_json' | 'no_json'; message: string };

/**
 * Everything that a raw entry says. `bytes` is one stored webhook body or Baileys event, in whatever wrapper it was stored;
 * bytes that are no UTF-8 become U+FFFD. Never throws, whatever the bytes are, and does no I/O.
 */
export function decodeEntry(bytes: Uint8Array, options: DecodeOptions): DecodeResult {
  const text = textOfBytes(bytes);
  if (!text.includes('{') && !text.includes('[')) {
    return { kind: 'invalid', reason: 'no_json', message: `no JSON in ${bytes.length} bytes` };
  }
  const parsed = parseJson(text);
  if (!parsed.ok) return { kind: 'invalid', reason: 'invalid_json', message: parsed.message };

  const found: Found = { providers: new Set(), sections: [], unrecognized: [], receivedAt: undefined };
  const scope: Scope = {
    options,
    timeIsGiven: options.receivedAt !== undefined,
    field: undefined,
    depth: 0,
  };
  const miss = unwrap(parsed.value, '$', scope, found);
  if (miss !== undefined) found.unrecognized.push(unrecognizedOf(miss));

  const { providers, sections, unrecognized, receivedAt } = found;
  const provider = providers.has('baileys') && !providers.has('meta') ? 'baileys' : 'meta';
  return { kind: 'decoded', entry: { provider, sections, unrecognized, receivedAt } };
}
