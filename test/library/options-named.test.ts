import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { decodeCursor } from '../../src/commands/messages/cursor.js';
import { checkName } from '../../src/commands/connections/validate.js';
import type { UserError } from '../../src/model/errors.js';

/** What a program that uses the library cannot reach: commands without a function. */
const COMMAND_LINE_ONLY =
  /^src\/(?:cli|crm\/repair|commands\/(?:alerts|compare-chat|doctor|raw-discard|inspect))\//;

/** The text from the opening parenthesis at `start` to its partner, or undefined if there is none. */
function parenthesised(text: string, start: number): string {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    if (text[at] === '(') depth += 1;
    if (text[at] === ')') depth -= 1;
    if (depth === 0) return text.slice(start, at + 1);
  }
  return text.slice(start);
}

/** Without the commands of this tool, which are advice to a person also in a program, and without comments. */
function spoken(code: string): string {
  // Flags of other programs are theirs.
  let rest = code.replace(/^\s*\/\/.*$|\bage --\w+|\bnpx prisma [^.]*/gm, '');
  for (let at = rest.indexOf('remedy('); at >= 0; at = rest.indexOf('remedy('))
    rest =
      rest.slice(0, at) + rest.slice(at + 'remedy'.length + parenthesised(rest, at + 'remedy'.length).length);
  return rest;
}

/** Every construction of an error that says a flag to a program: in its message, or in a remedy without another for programs. */
function flagsSaid(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/new (?:\w*Error|TooMany\w+)\(|\bsuper\(/g)].flatMap((match) => {
    const code = spoken(parenthesised(text, match.index + match[0].length - 1));
    const [message = '', ...options] = code.split(/\bcode:|\bremedy:/);
    const flag = /(?:^|[\s'"`(])--[a-z][a-z-]+/;
    const wrong = flag.test(message) || (flag.test(options.join()) && !/\binProgram\b/.test(code));
    return wrong ? [`${file}:${text.slice(0, match.index).split('\n').length}`] : [];
  });
}

it('no error that a function of the library can throw names a flag of the command line', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .map((file) => `src/${file}`)
    .filter((file) => file.endsWith('.ts') && !COMMAND_LINE_ONLY.test(file));
  expect(files.length).toBeGreaterThan(300);
  expect(files.flatMap(flagsSaid)).toEqual([]);
});

it.each<[string, () => unknown]>([
  ['a damaged cursor', () => decodeCursor('x', 'of a page')],
  ['a bad name', () => checkName('')],
])('%s is answered with options to a program, and with flags to a person', (_, work) => {
  const error = thrownBy(work);
  expect(error.remedy).toMatch(/--\w/);
  expect(error.forProgram().remedy).not.toMatch(/--/);
});

function thrownBy(work: () => unknown): UserError {
  try {
    work();
  } catch (error) {
    return error as UserError;
  }
  throw new Error('nothing was thrown');
}
