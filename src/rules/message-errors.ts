import type { MessageError } from '../model/facts.js';

type Errors = readonly MessageError[] | null;

/**
 * What two tellings say together about why a message failed: one error per code, each with the longer title and the longer
 * details. Commutative, associative and idempotent, so any order of the log gives the same; `mine` itself comes back where
 * the other one adds nothing.
 */
export function mergeErrors(mine: Errors, theirs: Errors): Errors {
  if (theirs === null) return mine;
  const merged = new Map<string, MessageError>();
  for (const error of [...(mine ?? []), ...theirs]) {
    const key = keyOf(error);
    const known = merged.get(key);
    merged.set(key, known === undefined ? error : joined(known, error));
  }
  const all = [...merged.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, error]) => ordered(error));
  return textOfErrors(all) === textOfErrors(mine) ? mine : all;
}

/** The same text for the same errors. */
export function textOfErrors(errors: Errors): string {
  return errors === null ? '' : JSON.stringify(errors.map(ordered));
}

/** Without a code, the title is all that tells one error from another. */
function keyOf({ code, title }: MessageError): string {
  return code === undefined ? `~${title ?? ''}` : String(code).padStart(16, '0');
}

function joined(a: MessageError, b: MessageError): MessageError {
  return {
    ...(a.code === undefined ? {} : { code: a.code }),
    ...longer('title', a.title, b.title),
    ...longer('details', a.details, b.details),
  };
}

/** The longer text; of two of one length the larger, so that it never depends on which came first. */
function longer<K extends string>(
  key: K,
  a: string | undefined,
  b: string | undefined,
): Partial<Record<K, string>> {
  const left = a ?? '';
  const right = b ?? '';
  const first = left.length === right.length ? left > right : left.length > right.length;
  const text = first ? left : right;
  const found: Partial<Record<K, string>> = {};
  if (text !== '') found[key] = text;
  return found;
}

function ordered({ code, title, details }: MessageError): MessageError {
  return {
    ...(code === undefined ? {} : { code }),
    ...(title === undefined ? {} : { title }),
    ...(details === undefined ? {} : { details }),
  };
}
