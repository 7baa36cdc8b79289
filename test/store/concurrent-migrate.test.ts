import { describe, expect, test } from 'vitest';
import { migrationStatus } from '../../src/store/migrations/migrate.js';
import { openStore } from '../../src/store/open-store.js';
import { runChild } from '../support/child-process.js';
import { TEST_OPTIONS, useBackend } from '../support/databases.js';

const PROGRAM = `
  const { openStore } = await load('src/store/open-store');
  const { migrate } = await load('src/store/migrations/migrate');
  const store = await openStore(input.config, { command: 'db migrate', host: 'test', pid: process.pid, waitMs: 50_000 });
  const { applied } = await migrate(store);
  await store.close();
  console.log(JSON.stringify(applied));
`;

describe('ten processes that migrate one empty database at once', () => {
  const backend = useBackend('postgresql');

  test('apply each migration once, and none of them fails', async () => {
    const config = await backend.emptyConfig();
    const runs = await Promise.all(
      Array.from({ length: 10 }, () => runChild(PROGRAM, { input: { config } })),
    );
    expect(runs.map((run) => run.stderr)).toEqual(Array(10).fill(''));

    const store = await openStore(config, TEST_OPTIONS);
    const status = await migrationStatus(store);
    const records = await store.sql.query('select migration_name from _prisma_migrations');
    await store.close();
    expect(status).toMatchObject({ pending: [], failed: [], unknown: [], changed: [] });
    expect(records).toHaveLength(status.applied.length);
    const applied = runs.flatMap((run): unknown => JSON.parse(run.stdout));
    expect(applied.flat().sort()).toEqual(status.applied.map(({ name }) => name).sort());
  });
});
