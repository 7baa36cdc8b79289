/**
 * Cuts an SQL script into its statements, because the drivers under Prisma run one at a time. Semicolons in strings
 * (`'…'`, `E'…'`, `"…"`, `$tag$…$tag$`), comments (`--`, nested `/* *\/`) and parentheses do not cut. A statement keeps its
 * comments; one of comments alone is left out. Function bodies are written with dollar quotes, not as BEGIN ATOMIC.
 */
export function splitStatements(script: string): string[] {
  const statements: string[] = [];
  let start = 0;
  let depth = 0;
  let hasCode = false;
  let at = 0;

  function cut(end: number): void {
    if (hasCode) statements.push(script.slice(start, end).trim());
    start = end + 1;
    hasCode = false;
  }

  while (at < script.length) {
    const comment = endOfComment(script, at);
    if (comment !== undefined) {
      at = comment;
      continue;
    }
    const character = script.charAt(at);
    if (character === ';' && depth === 0) {
      cut(at);
      at += 1;
      continue;
    }
    if (character === '(') depth += 1;
    if (character === ')') depth = Math.max(0, depth - 1);
    if (character.trim() !== '') hasCode = true;
    at = endOfQuoted(script, at) ?? at + 1;
  }
  cut(script.length);
  return statements;
}

/** Where the comment that begins at `at` ends, or undefined if none begins there. */
function endOfComment(script: string, at: number): number | undefined {
  if (script.startsWith('--', at)) {
    const newline = script.indexOf('\n', at);
    return newline === -1 ? script.length : newline + 1;
  }
  if (!script.startsWith('/*', at)) return undefined;
  let depth = 1;
  let position = at + 2;
  while (position < script.length && depth > 0) {
    const opens = script.startsWith('/*', position);
    const closes = script.startsWith('*/', position);
    if (opens) depth += 1;
    if (closes) depth -= 1;
    position += opens || closes ? 2 : 1;
  }
  return position;
}

/** Where the string or quoted name that begins at `at` ends, or undefined if none begins there. */
function endOfQuoted(script: string, at: number): number | undefined {
  const character = script.charAt(at);
  if (character === '"') return afterQuote(script, at, '"', false);
  if (character === "'") return afterQuote(script, at, "'", isEscapeString(script, at));
  if (character !== '$' || isPartOfName(script, at - 1)) return undefined;
  const tag = /^\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/u.exec(script.slice(at, at + 130))?.[0];
  if (tag === undefined) return undefined;
  const end = script.indexOf(tag, at + tag.length);
  return end === -1 ? script.length : end + tag.length;
}

/** A doubled quote needs no care: it ends one string and begins the next. */
function afterQuote(script: string, at: number, quote: string, backslashEscapes: boolean): number {
  let position = at + 1;
  while (position < script.length && script.charAt(position) !== quote) {
    position += backslashEscapes && script.charAt(position) === '\\' ? 2 : 1;
  }
  return position + 1;
}

function isEscapeString(script: string, at: number): boolean {
  return /^[eE]$/.test(script.charAt(at - 1)) && !isPartOfName(script, at - 2);
}

function isPartOfName(script: string, at: number): boolean {
  return at >= 0 && /[\p{L}\p{N}_$]/u.test(script.charAt(at));
}
