import type { SignedBody } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { asObject, asString } from '../read.js';
import { hasMark } from './outer-values.js';
import { exactBytes, isRequest, signedBytes, type KeptSignature, type Signatures } from './signatures.js';
import type { Trail } from './trail.js';

/** A body, and what is around it. */
interface Held {
  value: JsonObject;
  trail: Trail | undefined;
}

/** What a wrapper kept of a body's signer: all that can be checked about it. */
export type Signed = Omit<SignedBody, 'path'>;

interface Place {
  kept: KeptSignature;
  signed: Signed;
}

/**
 * The signatures of an entry's bodies, with every exact text within their reach: a sender is free to put its body into a list or an
 * object, and a program may keep the text beside what it made of it.
 */
export class SignedTexts<Body extends Held> {
  /** Of each layer of text, so that the bodies in it share its bytes. */
  readonly #bytes = new Map<object, Uint8Array | null>();
  readonly #places = new Map<Body, Place>();
  /** The exact texts in the reach of the signature beside the members of an object. */
  readonly #inReach = new Map<object, Uint8Array[]>();
  readonly #copies: ReadonlySet<Body>;

  constructor(
    bodies: readonly Body[],
    private readonly signatures: Signatures,
  ) {
    for (const body of bodies) {
      const kept = signatures.of(body.trail);
      if (kept !== undefined) this.#places.set(body, { kept, signed: this.#signedOf(kept, body) });
    }
    const isParsed = ({ signed }: Place): boolean => ownTexts(signed).length === 0;
    if (![...this.#places.values()].some(isParsed)) {
      this.#copies = new Set();
      return;
    }
    const exact = new Map<object, Set<string>>();
    const all = new Set<object>(bodies.map(({ value }) => value));
    for (const [body, { kept, signed }] of this.#places) {
      const texts = this.#inReach.get(kept.at) ?? unreadTexts(kept.wrapper ?? null, all);
      this.#inReach.set(kept.at, texts);
      const own = ownTexts(signed);
      if (own.length === 0) continue;
      for (const text of own) if (!texts.includes(text)) texts.push(text);
      const items = exact.get(kept.at) ?? new Set();
      for (const item of itemsIn(body.value)) items.add(item);
      exact.set(kept.at, items);
    }
    const copies = new Set<Body>();
    for (const [body, { kept, signed }] of this.#places) {
      if (ownTexts(signed).length > 0) continue;
      const originals = exact.get(kept.at);
      const items = originals === undefined ? [] : itemsIn(body.value);
      if (items.length > 0 && items.every((item) => originals?.has(item))) copies.add(body);
      const beside = this.#inReach.get(kept.at) ?? [];
      if (beside.length > 0) signed.beside = beside;
    }
    this.#copies = copies;
  }

  /** Whether a program made it of a text that the entry has as it was sent: whatever it says, the text is what was signed. */
  isCopy(body: Body): boolean {
    return this.#copies.has(body);
  }

  of(body: Body): Signed | undefined {
    return this.#places.get(body)?.signed;
  }

  #signedOf({ header, isSha1, at }: KeptSignature, { value, trail }: Held): Signed {
    const innermost = trail?.kind === 'text' ? trail : undefined;
    const body =
      innermost === undefined ? null : this.#once(innermost.opened, () => signedBytes(trail, value));
    const around: Uint8Array[] = [];
    let layer = innermost === undefined ? trail : innermost === at ? undefined : innermost.outer;
    for (; layer !== undefined; layer = layer.outer) {
      const bytes = this.#exact(layer, at);
      if (bytes !== null) around.push(bytes);
      if (isAt(layer, at)) break;
    }
    const outer = this.#outerOf(layer ?? innermost, value);
    return {
      header,
      ...(isSha1 === undefined ? {} : { isSha1 }),
      body,
      ...(around.length === 0 ? {} : { around }),
      ...(outer === undefined ? {} : { outer }),
    };
  }

  /** The signature of a text in which a sender could have put a signature of its own making beside the body. */
  #outerOf(layer: Trail | undefined, value: JsonObject): Signed | undefined {
    let text = layer?.outer;
    while (text !== undefined && text.kind !== 'text') text = text.outer;
    if (text?.outer === undefined) return undefined;
    const kept = this.signatures.of(text);
    if (kept === undefined || kept.at === text) return undefined;
    // Only its text as a whole counts: what is in it is no body of this signer.
    return this.#signedOf(kept, { value, trail: { kind: 'notation', step: '', outer: text } });
  }

  #exact(layer: Trail, at: object): Uint8Array | null {
    if (layer.kind !== 'text') return null;
    // Behind the words of a line, a wrapper is the logger's; behind a request's head it was sent.
    if (layer === at && !isRequest(layer)) return null;
    return this.#once(layer.opened, () => exactBytes(layer.opened));
  }

  #once(opened: object, read: () => Uint8Array | null): Uint8Array | null {
    const known = this.#bytes.get(opened);
    if (known !== undefined) return known;
    const bytes = read();
    this.#bytes.set(opened, bytes);
    return bytes;
  }
}

function isAt(layer: Trail, at: object): boolean {
  return layer === at || (layer.kind === 'object' && layer.object === at);
}

function ownTexts({ body, around = [] }: Signed): Uint8Array[] {
  return body === null ? [...around] : [body, ...around];
}

/** Headers and bodies of one request are no deeper in what a program kept of it. */
const DEEPEST = 2;

/** The texts beside a signature that hold a webhook and cannot be read: what was sent is there, and broken. */
function unreadTexts(value: JsonValue, bodies: ReadonlySet<object>, depth = 0): Uint8Array[] {
  if (typeof value === 'string') {
    const isBroken = /^[\s\uFEFF]*[{[]/.test(value) && hasMark(value) && !CUT.test(value.slice(-40));
    return isBroken && !isJson(value) ? [Buffer.from(value)] : [];
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  if (depth > DEEPEST || bodies.has(value)) return [];
  return Object.values(value).flatMap((each) => unreadTexts(each, bodies, depth + 1));
}

/** How a logger ends a text that is too long for it. */
const CUT = /(?:\.{3}|…|\b(?:truncated|cut|omitted)\b\W*)\s*$/i;

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The messages and statuses of a body, by what no program changes of them. */
function itemsIn(body: JsonObject): string[] {
  const items: string[] = [];
  const open: JsonValue[] = [body];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    const object = asObject(value);
    const id = asString(object?.id);
    if (id !== undefined && object?.timestamp !== undefined)
      items.push(`${asString(object.status) ?? ''} ${id}`);
    if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) open.push(each);
  }
  return items;
}
