import type { JsonValue } from '../model/json.js';
import { Allowance, unpacked } from './envelopes/allowance.js';
import { openText } from './envelopes/open-text.js';
import { reveal } from './envelopes/values.js';
import { parseJson, textOfBytes } from './parse-json.js';
import { asObject, ownValue } from './read.js';

/** `.name`, `[3]`, `["a.name"]`. */
const STEP = /\.([^.[\]]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]/gy;

/** The step of a path that leads to a member. */
export function pathOfKey(key: string): string {
  return /^[^.[\]"]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

/** The members and elements that a path leads through; null if it is no path. */
export function stepsOf(path: string): (string | number)[] | null {
  const steps: (string | number)[] = [];
  let end = 1;
  for (const [whole, name, index, quoted] of path.slice(1).matchAll(STEP)) {
    const key = name ?? (quoted === undefined ? undefined : unquoted(quoted));
    const step = index === undefined ? key : Number(index);
    if (step === undefined) return null;
    steps.push(step);
    end += whole.length;
  }
  return end === path.length ? steps : null;
}

/**
 * The part of a raw entry at a fact's path: the original item, for details that a fact does not keep (a skipped or
 * rejected one has only the reason). Opens texts and notations on the way, as in decoding. Undefined if the path leads
 * nowhere. Never throws.
 */
export function itemAt(bytes: Uint8Array, path: string): JsonValue | undefined {
  return itemReader(bytes)(path);
}

/** The same for many paths of one entry, which is opened once. */
export function itemReader(bytes: Uint8Array): (path: string) => JsonValue | undefined {
  const opened = new Map<string | null, JsonValue | undefined>();
  return (path) => {
    const steps = stepsOf(path);
    if (steps === null) return undefined;
    const allowance = new Allowance();
    let at = remembered(null, () => {
      const plain = unpacked(bytes, allowance);
      return open(textOfBytes(plain), allowance, plain);
    });
    for (const step of steps) {
      at = stepInto(at, step, allowance);
      if (at === undefined) return undefined;
    }
    return at;
  };

  function remembered(text: string | null, read: () => JsonValue | undefined): JsonValue | undefined {
    if (!opened.has(text)) opened.set(text, read());
    return opened.get(text);
  }

  function stepInto(
    from: JsonValue | undefined,
    key: string | number,
    allowance: Allowance,
  ): JsonValue | undefined {
    for (let value = from, layers = 0; value !== undefined && layers < MAX_LAYERS; layers++) {
      if (typeof value === 'string') {
        const text = value;
        value = remembered(text, () => open(text, allowance));
        continue;
      }
      const member = memberOf(value, key);
      if (member !== undefined) return member;
      value = reveal(value, allowance)?.value;
    }
    return undefined;
  }
}

function open(text: string, allowance: Allowance, written?: Uint8Array): JsonValue | undefined {
  const parts = openText(text, allowance, written);
  if (!Array.isArray(parts)) return undefined;
  return parts.length === 1 ? parts[0]?.value : parts.map(({ value }) => value);
}

/** Texts in texts, and notations in them. */
const MAX_LAYERS = 40;

function memberOf(value: JsonValue, key: string | number): JsonValue | undefined {
  if (typeof key === 'number') return Array.isArray(value) ? value[key] : undefined;
  const object = asObject(value);
  return object === undefined ? undefined : ownValue(object, key);
}

function unquoted(text: string): string | undefined {
  const parsed = parseJson(`"${text}"`);
  return parsed.ok && typeof parsed.value === 'string' ? parsed.value : undefined;
}
