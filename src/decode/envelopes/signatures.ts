import type { SignedBody } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { contentLengthIn, mayHoldSignature, sinceLastRequest } from './http-head.js';
import type { Allowance } from './allowance.js';
import { openText, type OpenedValue } from './open-text.js';
import { hasMark } from './outer-values.js';
import type { Trail } from './trail.js';

/** Headers lie beside a body, or in a request beside it. */
const MAX_DEPTH = 4;
/** Objects beside a body that are larger than any request are not searched. */
const MAX_VALUES = 2000;

/** Finds the signatures kept by wrappers beside the bodies of one entry. */
export class Signatures {
  /** What was found beside the members of an object that lead to bodies, for each header. */
  #beside = {
    hubsignature256: new Map<object, Value>(),
    hubsignature: new Map<object, Value>(),
    signature: new Map<object, Value>(),
  };

  #onTrails: Set<object> | undefined;

  /** `bodies`: all of the entry. */
  constructor(
    private readonly bodies: readonly { trail: Trail | undefined }[],
    private readonly allowance: Allowance,
  ) {}

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

  /**
   * The signature of the body at the end of a trail: whatever stands in `X-Hub-Signature-256`, also where it can be none; the
   * older header only where there is no other; what is just called a signature only without both.
   */
  of(trail: Trail | undefined): KeptSignature | undefined {
    if (!mayHaveSignature(trail)) return undefined;
    const newer = this.#find(trail, 'hubsignature256');
    if (newer !== undefined) return newer;
    const older = this.#find(trail, 'hubsignature');
    return older === undefined ? this.#find(trail, 'signature') : { ...older, isSha1: true };
  }

  #find(trail: Trail | undefined, name: MemberName): KeptSignature | undefined {
    const beside = this.#beside[name];
    for (let layer = trail; layer !== undefined; layer = layer.outer) {
      if (layer.kind === 'array' && layer.list.length > 1) {
        // Beyond a list of several requests stand the headers of whoever fetched the list, unless a request had the list in its text.
        const text = textSentAround(layer);
        if (text === undefined) return undefined;
        layer = text;
        if (!isRequest(text)) continue;
      }
      if (layer.kind === 'text' && name !== 'signature') {
        const written = signatureInWords(layer.opened, name);
        if (written !== undefined) return { header: written, at: layer };
      }
      if (layer.kind !== 'object') continue;
      const { object } = layer;
      let header = beside.get(object);
      if (header === undefined && !beside.has(object)) {
        header = this.#search(object, name, { left: MAX_VALUES });
        beside.set(object, header);
      }
      if (header !== undefined) return { header, at: object, wrapper: object };
    }
    return undefined;
  }

  #search(value: JsonValue, name: MemberName, budget: { left: number }, depth = 0): Value {
    if (budget.left-- <= 0 || depth > MAX_DEPTH) return undefined;
    if (typeof value === 'string') {
      return name === 'signature' ? undefined : this.#searchText(value, name, budget, depth);
    }
    if (typeof value !== 'object' || value === null) return undefined;
    if (depth > 0 && this.#leadsToBody(value)) return undefined;
    if (Array.isArray(value))
      return signatureInList(value, name) ?? this.#searchAll(value, name, budget, depth);
    const inside: JsonValue[] = [];
    for (const key of Object.keys(value)) {
      const each = value[key];
      if (typeof each !== 'string' && (typeof each !== 'object' || each === null)) continue;
      const header = isMember(key, each, name) ? headerValue(each) : undefined;
      if (header !== undefined) return header;
      if (typeof each === 'object' || each.length >= SHORTEST_TEXT) inside.push(each);
    }
    return signatureInPair(value, name) ?? this.#searchAll(inside, name, budget, depth);
  }

  /** Headers as a text: in any notation that a body may be in, else as they were sent. */
  #searchText(text: string, name: HeaderName, budget: { left: number }, depth: number): Value {
    if (text.length < SHORTEST_TEXT || text.length >= LONGEST_HEADERS) return undefined;
    // A person's text in a copy of the body says nothing about the signer.
    if (!mayHoldSignature(text) || hasMark(text)) return undefined;
    const opened = /[[{]/.test(text) ? openText(text, this.allowance) : [];
    const values = Array.isArray(opened) ? opened.map((each) => each.value) : [];
    return this.#searchAll(values, name, budget, depth) ?? IN_HEADERS[name].exec(text)?.[1];
  }

  #searchAll(values: JsonValue[], name: MemberName, budget: { left: number }, depth: number): Value {
    for (const each of values) {
      const header = this.#search(each, name, budget, depth + 1);
      if (header !== undefined) return header;
    }
    return undefined;
  }
}

/** A text with the header's name and value in it is longer. */
const SHORTEST_TEXT = 30;
const SHORTEST_NAME = 'HubSignature'.length;

/** How the name of a header ends, in small letters and without what is between them. */
type HeaderName = 'hubsignature256' | 'hubsignature';

/** The name under which a signature lies beside a body: a header's, or any that says what it is. */
type MemberName = HeaderName | 'signature';

/** A signature, and where it was kept: beside the members of an object, or in the words of a layer of text. */
export interface KeptSignature extends Pick<SignedBody, 'header' | 'isSha1'> {
  at: object;
  /** Absent where it was in words. */
  wrapper?: JsonObject;
}

/** The text around a value that a wrapper holds, or a request below its head. */
function textSentAround({ outer }: Trail): TextLayer | undefined {
  for (let layer = outer; layer !== undefined; layer = layer.outer) {
    if (layer.kind === 'text' && isAsSent(layer) && (layer.outer !== undefined || isRequest(layer)))
      return layer;
  }
  return undefined;
}

type TextLayer = Extract<Trail, { kind: 'text' }>;

/** Whether a text is a request with its head. */
export function isRequest({ opened }: TextLayer): boolean {
  return opened.steps.includes('http');
}

/** A header's value; undefined where there is none. */
type Value = string | undefined;

/** Headers in one text: as they were sent, as a literal that cannot be read, or as PHP serializes them. */
const IN_HEADERS = { hubsignature256: inHeaders('[-_]?256'), hubsignature: inHeaders('') };

function inHeaders(ending: string): RegExp {
  const between = String.raw`["'\\]*[^\S\n]*(?:=>|[:=]|;(?:a:1:\{i:0;)?s:\d+:)[^\S\n]*["'\\[({]*`;
  return new RegExp(String.raw`hub[-_]?signature${ending}${between}([^\s,;"'\\\])}]+)`, 'i');
}

/** Longer texts are no headers. */
const LONGEST_HEADERS = 65_536;

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

/** `X-Hub-Signature-256`, `x_hub_signature_256`, `HTTP_X_HUB_SIGNATURE_256`, `xHubSignature256`; the older one without its number. */
function namesSignature(key: string, name: MemberName): boolean {
  return (
    name !== 'signature' &&
    key.length >= SHORTEST_NAME &&
    key.length < 64 &&
    key
      .toLowerCase()
      .replace(/[^a-z\d]/g, '')
      .endsWith(name)
  );
}

function isMember(key: string, value: JsonValue, name: MemberName): boolean {
  if (name !== 'signature') return namesSignature(key, name);
  return typeof value === 'string' && isCalledSignature(key, value);
}

/** Whether a column or key is one of the headers. */
export function namesHubSignature(key: string): boolean {
  return namesSignature(key, 'hubsignature256') || namesSignature(key, 'hubsignature');
}

/** Whether a member that is just called `signature` has what the header has. */
export function isCalledSignature(key: string, value: string): boolean {
  return (
    /(?:signature|sig)(?:[-_ ]?256)?$/i.test(key.slice(-64)) &&
    /^\s*sha256=[\da-f]+\s*$/i.test(value.slice(0, 200))
  );
}

/** A header's value: a text, or a list of one. Log systems write a dash, or nothing, for a header that was not there. */
function headerValue(value: JsonValue | undefined): Value {
  const text = Array.isArray(value) ? value[0] : value;
  if (typeof text !== 'string' || text === '-') return undefined;
  const plain = text.slice(0, LONGEST_VALUE).trim();
  return plain === '' ? undefined : (IN_LIST.exec(plain)?.[1] ?? plain);
}

/** The only one of a list that is a text: of JSON, or of PostgreSQL. */
const IN_LIST = /^[[{"']+(sha\d+=[\da-f]+)[\]}"']+$/i;

/** No signature is longer; what was logged in its place may be. */
const LONGEST_VALUE = 200;

/** `{name, value}`: a header in HAR. */
function signatureInPair(pair: JsonObject, header: MemberName): Value {
  const name = pair.name ?? pair.key ?? pair.Name;
  return typeof name === 'string' && namesSignature(name, header)
    ? headerValue(pair.value ?? pair.Value)
    : undefined;
}

/** `[name, value, name, value]`: Node's rawHeaders; also a pair `[name, value]`. */
function signatureInList(list: JsonValue[], header: MemberName): Value {
  for (let i = 0; i + 1 < list.length && i < MAX_VALUES; i += 2) {
    const name = list[i];
    if (typeof name === 'string' && namesSignature(name, header)) return headerValue(list[i + 1]);
  }
  return undefined;
}

/**
 * In the words around a value: the header nearest before it, of its own request; else a text that can only be a signature, where
 * there is just one.
 */
function signatureInWords({ before, after }: OpenedValue, name: HeaderName): string | undefined {
  if (before === '' && after === '') return undefined;
  const own = sinceLastRequest(before.slice(-LONGEST_HEADERS));
  let header: string | undefined;
  for (const [, value] of own.matchAll(new RegExp(IN_HEADERS[name], 'gi'))) header = value;
  // ngrep prints a dot for the carriage return.
  header = header?.replace(/^(sha\d+=[\da-f]+)\.$/i, '$1');
  if (header !== undefined && header !== '-') return header;
  if (name !== 'hubsignature256') return undefined;
  const words = own + after.slice(0, LONGEST_HEADERS);
  const [signature, ...more] = new Set(words.match(/\bsha256=[\da-f]{64}\b/gi) ?? []);
  return more.length === 0 ? signature : undefined;
}

/** Whether the log has the text that held a body. */
export function isAsSent(trail: Trail | undefined): boolean {
  return trail?.kind === 'text' && trail.opened.source !== undefined;
}

/** The bytes that a body's signature signs: the text that held it as a whole. null where a program wrote it anew. */
export function signedBytes(trail: Trail | undefined, body: JsonObject): Uint8Array | null {
  if (trail?.kind !== 'text') return null;
  // What Meta signs is the whole body; an entry or a value alone is somebody else's cut of it, unless it is what was sent.
  const isWhole = Array.isArray(body.entry);
  const isSent = trail.outer?.kind === 'object' && OF_REQUEST.test(trail.outer.key);
  return isWhole || isSent ? exactBytes(trail.opened) : null;
}

/** The key of a request's body, as it came. */
const OF_REQUEST = /^(?:raw|http|request|req)?[-_ ]?body(?:[-_ ]?(?:raw|text|string))?$/i;

/** The bytes of a text as it was sent; null where a program wrote it anew. */
export function exactBytes({ source, before }: OpenedValue): Uint8Array | null {
  // A viewer that prints a body over several lines has written it anew; its request says how large it was.
  if (source?.includes('\n') === true) {
    const size = contentLengthIn(before);
    if (size !== undefined && size !== Buffer.byteLength(source)) return null;
  }
  // Invalid UTF-8 bytes are lost.
  return source === undefined || source.includes('\uFFFD') ? null : Buffer.from(source);
}
