import type { JsonObject, JsonValue } from '../../model/json.js';
import { wholeJson } from './open-text.js';
import type { Trail } from './trail.js';

/** Headers lie beside a body, or in a request beside it. */
const MAX_DEPTH = 4;
/** Objects beside a body that are larger than any request are not looked through. */
const MAX_VALUES = 2000;

/** Finds the signatures that wrappers kept beside the bodies of one entry. */
export class Signatures {
  /** What was found beside the members of an object that lead to bodies. */
  #beside = new Map<object, string | undefined>();

  #onTrails: Set<object> | undefined;

  /** `bodies`: all of the entry. */
  constructor(private readonly bodies: readonly { trail: Trail | undefined }[]) {}

  /** Whether an object or array leads to a body: what is in it belongs to that one. */
  #leadsToBody(value: object): boolean {
    if (this.#onTrails === undefined) {
      this.#onTrails = new Set();
      for (const { trail } of this.bodies) {
        for (let layer = trail; layer !== undefined; layer = layer.outer) {
          if (layer.kind === 'object') this.#onTrails.add(layer.object);
          if (layer.kind === 'array') this.#onTrails.add(layer.list);
        }
      }
    }
    return this.#onTrails.has(value);
  }

  /** The value of `X-Hub-Signature-256` of the body at the end of a trail. */
  of(trail: Trail | undefined): string | undefined {
    if (!mayHaveSignature(trail)) return undefined;
    for (let layer = trail; layer !== undefined; layer = layer.outer) {
      // Beyond a list of several requests stand the headers of whoever fetched the list.
      if (layer.kind === 'array' && layer.list.length > 1) return undefined;
      if (layer.kind === 'text') {
        const written = signatureInWords(layer.text, layer.opened.steps);
        if (written !== undefined) return written;
      }
      if (layer.kind !== 'object') continue;
      const { object } = layer;
      let header = this.#beside.get(object);
      if (header === undefined && !this.#beside.has(object)) {
        header = this.#search(object, { left: MAX_VALUES });
        this.#beside.set(object, header);
      }
      if (header !== undefined) return header;
    }
    return undefined;
  }

  #search(value: JsonValue, budget: { left: number }, depth = 0): string | undefined {
    if (budget.left-- <= 0 || depth > MAX_DEPTH) return undefined;
    if (typeof value === 'string') {
      const isHeaders =
        value.length >= SHORTEST_TEXT && value.length < 65_536 && /hub.signature/i.test(value);
      const headers = isHeaders && /^\s*[[{]/.test(value) ? wholeJson(value)?.value : undefined;
      if (typeof headers === 'object' && headers !== null) return this.#search(headers, budget, depth + 1);
      return isHeaders ? /x-hub-signature-256\s*[:=]\s*(sha256=[\da-f]+)/i.exec(value)?.[1] : undefined;
    }
    if (typeof value !== 'object' || value === null) return undefined;
    if (depth > 0 && this.#leadsToBody(value)) return undefined;
    if (Array.isArray(value)) return signatureInList(value) ?? this.#searchAll(value, budget, depth);
    const inside: JsonValue[] = [];
    for (const key of Object.keys(value)) {
      const each = value[key];
      if (typeof each !== 'string' && (typeof each !== 'object' || each === null)) continue;
      const header = namesSignature(key) ? headerValue(each) : undefined;
      if (header !== undefined) return header;
      if (typeof each === 'object' || each.length >= SHORTEST_TEXT) inside.push(each);
    }
    return signatureInPair(value) ?? this.#searchAll(inside, budget, depth);
  }

  #searchAll(values: JsonValue[], budget: { left: number }, depth: number): string | undefined {
    for (const each of values) {
      const header = this.#search(each, budget, depth + 1);
      if (header !== undefined) return header;
    }
    return undefined;
  }
}

/** A text with the header's name and value in it is longer. */
const SHORTEST_TEXT = 30;
const SHORTEST_NAME = 'HubSignature256'.length;

/** A quick look at the text of an entry that is plain JSON; other texts may hide the word. */
function mayHaveSignature(trail: Trail | undefined): boolean {
  let entry = trail;
  while (entry?.outer !== undefined) entry = entry.outer;
  if (entry?.kind !== 'text' || entry.opened.steps.length > 0) return true;
  const { text } = entry;
  if (text.includes('ignature') || text.includes('IGNATURE')) return true;
  for (let layer = trail; layer !== undefined && layer !== entry; layer = layer.outer) {
    if (layer.kind === 'text' || layer.kind === 'notation') return true;
  }
  return false;
}

/** `X-Hub-Signature-256`, `x_hub_signature_256`, `HTTP_X_HUB_SIGNATURE_256`, `xHubSignature256`; not the older SHA-1 one. */
function namesSignature(key: string): boolean {
  return (
    key.length >= SHORTEST_NAME &&
    key.length < 64 &&
    key
      .toLowerCase()
      .replace(/[^a-z\d]/g, '')
      .endsWith('hubsignature256')
  );
}

/** A header's value: a text, or a list of one. */
function headerValue(value: JsonValue | undefined): string | undefined {
  const text = Array.isArray(value) ? value[0] : value;
  return typeof text === 'string' && /^\s*sha256=[\da-f]+\s*$/i.test(text) ? text.trim() : undefined;
}

/** `{name, value}`: a header in HAR. */
function signatureInPair(pair: JsonObject): string | undefined {
  const name = pair.name ?? pair.key ?? pair.Name;
  return typeof name === 'string' && namesSignature(name) ? headerValue(pair.value ?? pair.Value) : undefined;
}

/** `[name, value, name, value]`: Node's rawHeaders; also a pair `[name, value]`. */
function signatureInList(list: JsonValue[]): string | undefined {
  for (let i = 0; i + 1 < list.length && i < MAX_VALUES; i += 2) {
    const name = list[i];
    if (typeof name === 'string' && namesSignature(name)) return headerValue(list[i + 1]);
  }
  return undefined;
}

/** In a line of words around one value, a text that can only be a signature is its signature. */
function signatureInWords(text: string, steps: readonly string[]): string | undefined {
  if (!steps.includes('text') || text.length > 1_000_000) return undefined;
  const signatures = new Set(text.match(/\bsha256=[\da-f]{64}\b/gi) ?? []);
  const [signature, ...more] = signatures;
  return more.length === 0 ? signature : undefined;
}

/** The bytes that a body's signature signs: the text that held it as a whole. null where a program wrote it anew. */
export function signedBytes(trail: Trail | undefined, body: JsonObject): Uint8Array | null {
  // What Meta signs is the whole body; an entry or a value alone is somebody else's cut of it.
  if (!Array.isArray(body.entry) || trail?.kind !== 'text') return null;
  const { source } = trail.opened;
  // Bytes that were no UTF-8 are lost.
  return source === undefined || source.includes('\uFFFD') ? null : Buffer.from(source);
}
