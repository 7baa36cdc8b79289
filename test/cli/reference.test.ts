import { readFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { describe, expect, test } from 'vitest';
import { renderReference } from '../../src/cli/reference.js';
import { remedy, type Remedy } from '../../src/model/remedy.js';
import { complaintsAbout } from '../support/parse-remedy.js';
import { runCli } from './run-cli.js';

const ROOT = new URL('../../', import.meta.url);
/** A document may show two commands in one line, and what stands around them in a shell. */
const COMMAND = /(?:^|\s)(?:npx )?wa-reconcile ([^#|>`]*)/;

/** Every command line in the code blocks of a document, as words. */
function commandsIn(path: string): string[][] {
  const text = readFileSync(new URL(path, ROOT), 'utf8');
  const blocks = [...text.matchAll(/^```(?:sh|cron)\n(.*?)^```/gms)].map(([, block = '']) => block);
  return blocks
    .flatMap((block) => block.split('\n'))
    .flatMap((line) => COMMAND.exec(line)?.[1] ?? [])
    .map((words) =>
      [...words.trim().matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? ''),
    )
    .filter((words) => words.length > 0 && !words[0]?.startsWith('-'));
}

/** As advice: commands of two words have their second in the command. */
function asRemedy(words: readonly string[]): Remedy {
  const size = ['connection', 'db', 'runs', 'raw', 'alerts'].includes(words[0] ?? '') ? 2 : 1;
  const args = words
    .slice(size)
    .map((word) => (/\.(json|ndjson)(\.gz)?$|^webhooks\/$|^\/var\/log/.test(word) ? 'LOG' : word));
  return remedy(words.slice(0, size).join(' '), args, 'stands in a document');
}

describe('the documents', () => {
  test.each(['README.md', 'CONTRIBUTING.md'])('%s shows commands that the tool understands', async (path) => {
    const commands = commandsIn(path);
    expect(commands.length).toBeGreaterThan(3);
    expect(await complaintsAbout(commands.map(asRemedy))).toEqual([]);
  });

  test('README.md is read in a few minutes', () => {
    expect(readFileSync(new URL('README.md', ROOT)).length).toBeLessThan(15_000);
  });
});

describe('help --all', () => {
  test('is the help of every command, as Markdown', async () => {
    const { code, stdout, stderr } = await runCli(['help', '--all']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(`${renderReference()}\n`);
    for (const name of ['replay', 'connection add', 'connection remove', 'db migrate', 'completion'])
      expect(stdout).toContain(`## wa-reconcile ${name}\n`);
  });

  test('is left alone by a formatter', async () => {
    const options = (await resolveConfig(new URL('README.md', ROOT))) ?? {};
    const text = `${renderReference()}\n`;
    expect(await format(text, { ...options, parser: 'markdown' })).toBe(text);
  });
});
