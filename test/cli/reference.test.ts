import { readFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { describe, expect, test } from 'vitest';
import { renderReference, updateReference } from '../../src/cli/reference.js';

const README = new URL('../../README.md', import.meta.url);

describe('the command reference in the README', () => {
  const readme = readFileSync(README, 'utf8');

  test('says what the commands say (if not: npm run docs)', () => {
    expect(updateReference(readme)).toBe(readme);
  });

  test('is left alone by the formatter', async () => {
    const options = (await resolveConfig(README)) ?? {};
    const text = `# x\n\n${renderReference()}\n`;
    expect(await format(text, { ...options, parser: 'markdown' })).toBe(text);
  });

  test('names every command', () => {
    for (const name of ['replay', 'connection add', 'connection remove', 'db migrate', 'completion']) {
      expect(renderReference()).toContain(`### wa-reconcile ${name}\n`);
    }
  });

  test('cannot be written where the markers are missing', () => {
    expect(() => updateReference('# wa-reconcile\n')).toThrow('lacks the markers');
  });
});
