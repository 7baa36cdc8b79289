import type { Provider } from '../model/enumerations.js';
import type { DecodedEntry } from '../model/facts.js';
import type { Found } from './envelopes/bodies.js';
import { Allowance, unpacked } from './envelopes/allowance.js';
import { openText } from './envelopes/open-text.js';
import { isNoWebhook, Search, unrecognizedOf } from './envelopes/unwrap.js';
import type { DecodeOptions } from './options.js';
import type { JsonValue } from '../model/json.js';
import { textOfBytes } from './parse-json.js';
import { excerptOf } from './read.js';

export type { DecodeOptions } from './options.js';

export type DecodeResult =
  | { kind: 'decoded'; entry: DecodedEntry }
  /** `message` is one line that names the position and quotes nothing. */
  | { kind: 'invalid'; reason: 'invalid_json' | 'no_json'; message: string };

/**
 * Everything a raw entry says. `bytes` is one stored webhook body or Baileys event, in any wrapper; invalid UTF-8
 * becomes U+FFFD. Never throws, whatever the bytes, and does no I/O.
 */
export function decodeEntry(bytes: Uint8Array, options: DecodeOptions): DecodeResult {
  const allowance = new Allowance();
  const plain = unpacked(bytes, allowance);
  const text = textOfBytes(plain);
  const opened = openText(text, allowance, plain);
  if (!Array.isArray(opened)) {
    const { reason, message } = opened;
    if (reason === 'invalid_json' || reason === 'no_json') return { kind: 'invalid', reason, message };
    const unrecognized = [{ path: '$', reason, excerpt: excerptOf(text) }];
    return {
      kind: 'decoded',
      entry: { provider: 'meta', sections: [], unrecognized, signatures: [], unsigned: 0 },
    };
  }
  const search = new Search(allowance);
  const scope = { options, timeIsGiven: options.receivedAt !== undefined, field: undefined };
  const miss = search.start(text, opened, scope);
  if (miss !== undefined && opened.every((each) => isPlainScalar(each.value) && each.steps.length === 0)) {
    return { kind: 'invalid', reason: 'no_json', message: `no JSON in ${bytes.length} bytes` };
  }
  const found: Found = {
    providers: new Set(),
    sections: [],
    unrecognized: [],
    signatures: [],
    unsigned: 0,
    receivedAt: undefined,
    hasOtherTimes: false,
  };
  search.read(found);
  if (miss !== undefined && !isNoWebhook(miss)) found.unrecognized.push(unrecognizedOf(miss));

  const { providers, sections, unrecognized, signatures, unsigned, receivedAt } = found;
  const entry = { provider: providerOf(providers), sections, unrecognized, receivedAt, signatures, unsigned };
  return { kind: 'decoded', entry: found.hasOtherTimes ? { ...entry, hasOtherTimes: true } : entry };
}

/** If an entry holds bodies of several kinds, Meta's names its number. */
function providerOf(providers: ReadonlySet<Provider>): Provider {
  const [first = 'meta'] = providers;
  return providers.has('meta') ? 'meta' : providers.has('baileys') ? 'baileys' : first;
}

/** A number, a constant or a text without brackets, which log files hold between entries. */
function isPlainScalar(value: JsonValue): boolean {
  return typeof value === 'string' ? !/[{[]/.test(value) : typeof value !== 'object' || value === null;
}
