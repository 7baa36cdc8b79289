/** The first two characters of a SQLSTATE name its class: a digit and a digit or letter, or one of four lettered classes. */
const SQL_STATE = /^(?:[0-9][0-9A-F]|F0|HV|P0|XX)[0-9A-Z]{3}$/;

/** The SQLSTATE of an error or one of its causes, or undefined if none. `pg` and PGlite put it in `code`. */
export function sqlState(error: unknown): string | undefined {
  return firstInChain(error, ({ code }) =>
    typeof code === 'string' && SQL_STATE.test(code) ? code : undefined,
  );
}

/** The system error name (`ECONNREFUSED`, `ENOSPC` …) of an error, or undefined if none. */
export function systemCode(error: unknown): string | undefined {
  return firstInChain(error, (link) => {
    const code = link.code;
    return typeof code === 'string' && /^E[A-Z]+$/.test(code) ? code : undefined;
  });
}

/** Every text in an error and its causes, outermost first; to distinguish errors without a code. */
export function errorMessages(error: unknown): string[] {
  const messages: string[] = [];
  firstInChain(error, (link) => {
    for (const key of ['message', 'reason']) {
      const text = link[key];
      if (typeof text === 'string' && text !== '') messages.push(text);
    }
    return undefined;
  });
  return messages;
}

/** Walks an error, its causes, and the contents of `AggregateError`, until `read` finds something. */
export function firstInChain<T>(
  error: unknown,
  read: (link: Record<string, unknown>) => T | undefined,
): T | undefined {
  const seen = new Set<object>();
  const waiting: unknown[] = [error];
  for (let link = waiting.shift(); link !== undefined || waiting.length > 0; link = waiting.shift()) {
    if (!isRecord(link) || seen.has(link)) continue;
    seen.add(link);
    const found = read(link);
    if (found !== undefined) return found;
    waiting.push(link.cause);
    if (Array.isArray(link.errors)) waiting.push(...(link.errors as unknown[]));
  }
  return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** The unique index or foreign key that an error reports as violated; undefined for any other error. */
export function violatedConstraint(
  error: unknown,
): { kind: 'unique' | 'foreign_key'; name: string } | undefined {
  const state = sqlState(error);
  if (state !== '23505' && state !== '23503') return undefined;
  const name = firstInChain(error, (link) =>
    typeof link.constraint === 'string' && link.constraint !== '' ? link.constraint : undefined,
  );
  return { kind: state === '23505' ? 'unique' : 'foreign_key', name: name ?? 'a constraint' };
}
