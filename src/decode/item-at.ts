import type { JsonValue } from '../model/json.js';
import { parseJson, textOfBytes } from './parse-json.js';
import { asObject, ownValue } from './read.js';

/** `.name`, `[3]`, `["a.name"]`. */
const STEP = /\.([^.[\]]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]/gy;

/**
 * The part of a raw entry that a fact's path names: the item as it came, with what a fact does not keep (a skipped or rejected
 * one has only the reason). JSON in texts on the way is parsed, as in decoding. Undefined when the path leads nowhere. Never
 * throws.
 */
export function itemAt(bytes: Uint8Array, path: string): JsonValue | undefined {
  let at: JsonValue | undefined = opened(textOfBytes(bytes));
  let end = 1;
  for (const step of path.slice(1).matchAll(STEP)) {
    const [whole, name, index, quoted] = step;
    at = typeof at === 'string' ? opened(at) : at;
    if (index !== undefined) at = Array.isArray(at) ? at[Number(index)] : undefined;
    else {
      const object = asObject(at);
      const key = name ?? (quoted === undefined ? undefined : unquoted(quoted));
      at = object === undefined || key === undefined ? undefined : ownValue(object, key);
    }
    if (at === undefined) return undefined;
    end += whole.length;
  }
  return end === path.length ? at : undefined;
}

/** The JSON in a text, which may be base64 (API Gateway). */
function opened(text: string): JsonValue | undefined {
  const parsed = parseJson(text);
  if (parsed.ok) return parsed.value;
  const decoded = parseJson(Buffer.from(text, 'base64').toString('utf8'));
  return decoded.ok ? decoded.value : undefined;
}

function unquoted(text: string): string | undefined {
  const parsed = parseJson(`"${text}"`);
  return parsed.ok && typeof parsed.value === 'string' ? parsed.value : undefined;
}
