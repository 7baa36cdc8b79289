import { describe, expect, test } from 'vitest';
import { runChild } from '../support/child-process.js';
import { useBackend } from '../support/databases.js';

describe('a command that needs no database', () => {
  const backend = useBackend('postgresql');

  test('loads no driver, for --help must be quick', async () => {
    const { stdout, stderr } = await runChild(
      `const { createRequire } = await import('node:module');
       const { cache } = createRequire(import.meta.url);
       const drivers = () => Object.keys(cache).filter((path) => /node_modules.(pg|@prisma|@electric-sql)./.test(path)).length;
       const { openStore } = await load('src/store/open-store');
       const { acquireRunLock } = await load('src/store/locks/run-lock');
       const before = drivers();
       const store = await openStore(input, { command: 'test', host: 'test', pid: process.pid });
       await store.close();
       console.log(JSON.stringify({ before, after: drivers() > 0 }));`,
      { input: await backend.config() },
    );
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ before: 0, after: true });
  });
});
