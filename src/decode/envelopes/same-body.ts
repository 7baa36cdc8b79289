import type { JsonValue } from '../../model/json.js';
import { asArray, asObject } from '../read.js';
import { mayHoldSignature } from './http-head.js';
import { isAsSent } from './signatures.js';
import type { Trail } from './trail.js';
import type { FoundBody } from './unwrap.js';

/** Beyond this many, one wrapper's bodies are not compared. */
const MAX_COMPARED = 5000;

/**
 * The bodies of one wrapper, by the key under which they lie, without those that another key has, too: Rails and Sidekiq keep
 * the parameters under two keys, n8n hands a body from node to node, whole or its value alone. Elements of one list are
 * different deliveries, and are never compared with each other.
 */
export function dropCopies(groups: readonly FoundBody[][]): FoundBody[] {
  const filled = groups.filter((group) => group.length > 0);
  const all = filled.flat();
  if (all.length > MAX_COMPARED) return all;
  const texts = new Map(filled.map((group) => [group, textsIn(group)]));
  const contents = new Map(all.map((body) => [body, contentOf(body)]));
  const kept: FoundBody[] = [];
  /** The groups in which each part is. */
  const holders = new Map<string, Set<FoundBody[]>>();
  for (const group of filled) {
    for (const body of group) {
      for (const part of contents.get(body)?.parts ?? []) {
        const known = holders.get(part);
        if (known === undefined) holders.set(part, new Set([group]));
        else known.add(group);
      }
    }
  }
  for (const [i, group] of filled.entries()) {
    for (const body of group) if (!isCopy(body, group, i)) kept.push(body);
  }
  return kept;

  function isCopy(body: FoundBody, group: FoundBody[], place: number): boolean {
    const own = contents.get(body);
    const [first, ...rest] = own?.parts ?? [];
    if (own === undefined || first === undefined) return false;
    for (const other of holders.get(first) ?? []) {
      if (other === group) continue;
      const original = other.find((each) => {
        const its = contents.get(each);
        return its?.parts.has(first) === true && rest.every((part) => its.parts.has(part));
      });
      const its = original === undefined ? undefined : contents.get(original);
      if (its === undefined) continue;
      if (its.fullness !== own.fullness) {
        if (its.fullness > own.fullness) return true;
      } else if (its.exactness !== own.exactness) {
        if (its.exactness > own.exactness) return true;
      } else if (its.isSigned !== own.isSigned ? its.isSigned : filled.indexOf(other) < place) return true;
    }
    // A customer may paste a webhook as a message; a node that passes on only the text makes no second webhook of it.
    const quoted = textsOnTrail(body);
    return (
      quoted.length > 0 &&
      filled.some((other) => other !== group && quoted.some((text) => texts.get(other)?.has(text)))
    );
  }
}

/** What a body says, to compare: one text per change, and how much of Meta's envelope is around it. */
interface Content {
  parts: ReadonlySet<string>;
  fullness: number;
  /** Whether its bytes are present, else in how many texts it is that are: only they allow a signature check. */
  exactness: number;
  /** Whether the words around it name its signer. */
  isSigned: boolean;
}

function contentOf({ value: body, trail }: FoundBody): Content {
  const entries = asArray(body.entry);
  const values = (entries ?? [body]).flatMap((entry) => {
    const changes = asArray(asObject(entry)?.changes);
    return (changes ?? [entry]).map((change) => asObject(change)?.value ?? change);
  });
  const fullness =
    entries !== undefined ? 3 : body.changes !== undefined ? 2 : body.value !== undefined ? 1 : 0;
  return {
    parts: new Set(values.flatMap((value) => sorted(value) ?? [])),
    fullness,
    exactness: exactnessOf(trail),
    isSigned: trail?.kind === 'text' && mayHoldSignature(trail.opened.before),
  };
}

function exactnessOf(trail: Trail | undefined): number {
  if (isAsSent(trail)) return Infinity;
  let texts = 0;
  for (let layer = trail; layer !== undefined; layer = layer.outer) if (isAsSent(layer)) texts++;
  return texts;
}

/**
 * JSON with sorted keys, without the field that n8n's trigger puts into a value: a database may have moved the keys. undefined
 * for a value that is nested too deeply to be written.
 */
function sorted(value: JsonValue): string | undefined {
  try {
    return JSON.stringify(value, (key, each: JsonValue) => {
      const object = asObject(each);
      if (object === undefined) return each;
      const keys = Object.keys(object).sort();
      return Object.fromEntries(
        keys.filter((name) => key !== '' || name !== 'field').map((name) => [name, object[name]]),
      );
    });
  } catch {
    return undefined;
  }
}

function textsOnTrail({ trail }: FoundBody): string[] {
  const texts: string[] = [];
  for (let layer = trail; layer !== undefined; layer = layer.outer) {
    if (layer.kind === 'text' && layer.outer !== undefined) texts.push(layer.text);
  }
  return texts;
}

/** The texts in bodies that could hold a body themselves. */
function textsIn(bodies: readonly FoundBody[]): Set<string> {
  const texts = new Set<string>();
  const open: JsonValue[] = bodies.map(({ value }) => value);
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value === 'string') {
      if (value.length > 40) texts.add(value);
    } else if (typeof value === 'object' && value !== null)
      for (const each of Object.values(value)) open.push(each);
  }
  return texts;
}
