import { afterAll, expect, vi } from 'vitest';
import type * as remedies from '../../src/model/remedy.js';

interface Advised {
  remedies: Map<string, remedies.Remedy>;
  isChecking: boolean;
}

declare global {
  var advisedInTests: Advised | undefined;
}

/**
 * What the tests of this file made the tool advise, each once. Global, because files that share a process also share the
 * mocked module: it stays with the collection of the first file, and the advice of the others would be checked nowhere.
 */
const advised = vi.hoisted(
  () => (globalThis.advisedInTests ??= { remedies: new Map<string, remedies.Remedy>(), isChecking: false }),
);

vi.mock('../../src/model/remedy.js', async (importOriginal) => {
  const original = await importOriginal<typeof remedies>();
  return {
    ...original,
    remedy: (command: string, args: readonly string[], why: string): remedies.Remedy => {
      const made = original.remedy(command, args, why);
      if (!advised.isChecking) advised.remedies.set(JSON.stringify([command, args]), made);
      return made;
    },
  };
});

/** Every command that any test makes the tool advise has to be one that the tool understands. */
afterAll(async () => {
  const made = [...advised.remedies.values()];
  advised.remedies.clear();
  if (made.length === 0) return;
  advised.isChecking = true;
  const { complaintsAbout } = await import('./parse-remedy.js');
  const complaints = await complaintsAbout(made).finally(() => {
    advised.isChecking = false;
  });
  expect(complaints).toEqual([]);
});
