import type { JsonValue } from '../model/json.js';
import { locateJsonError } from './json-error.js';

export type Parsed = { ok: true; value: JsonValue } | { ok: false; message: string };

/** A log prefix (time, level, logger, request id) is shorter than this. */
const LONGEST_PREFIX = 2000;

/**
 * Parses a body as it stands in a log, also with text before it (`2025-09-16T05:33:20Z INFO webhook {"object":…`).
 * `message` is one line that says where the JSON breaks, and quotes nothing of it: messages and phones are private.
 */
export function parseJson(text: string): Parsed {
  const whole = tryParse(text);
  if (whole !== undefined) return { ok: true, value: whole };
  const start = startBehindPrefix(text);
  if (start > 0) {
    const rest = tryParse(text.slice(start));
    if (typeof rest === 'object' && rest !== null) return { ok: true, value: rest };
  }
  return { ok: false, message: locateJsonError(text) };
}

/** What JSON.parse gives is JSON; its own type only says `any`. */
const readJson: (text: string) => JsonValue = JSON.parse;

function tryParse(text: string): JsonValue | undefined {
  try {
    return readJson(text);
  } catch {
    return undefined;
  }
}

/**
 * Where the body begins: the first `{`, with the `[` before it. Never inside an array: of `[{…},{…` cut off after its first
 * element, that element alone would parse, and the loss of the others would go unseen.
 */
function startBehindPrefix(text: string): number {
  let start = text.slice(0, LONGEST_PREFIX).indexOf('{');
  for (let i = start - 1; i >= 0; i--) {
    const code = text.charCodeAt(i);
    if (code === 0x5b) start = i;
    else if (code !== 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d) break;
  }
  return start;
}
