import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { live } from '../support/webhooks.js';
import { useEmbedded, useServer } from './database-home.js';
import { temporaryDirectory, type Seen } from './run-cli.js';

const RUN = z.object({
  id: z.string(),
  command: z.string(),
  status: z.string(),
  durationMs: z.number(),
  undoneBy: z.string().nullable(),
  undid: z.string().nullable(),
  canUndo: z.boolean(),
});
const LIST = z.object({ runs: z.array(RUN) });
const DISCARDED = z.object({
  runId: z.string().nullable(),
  entries: z.object({ chosen: z.number(), discarded: z.number(), kept: z.number() }),
  remedies: z.array(z.object({ command: z.string(), args: z.array(z.string()), line: z.string() })),
});

function runsOf({ stdout }: Seen): z.output<typeof RUN>[] {
  return LIST.parse(JSON.parse(stdout)).runs;
}

/** A directory with one webhook log and, beside it, files that are none. */
async function files(): Promise<string> {
  const cwd = await temporaryDirectory();
  await mkdir(join(cwd, 'node_modules', 'pg'), { recursive: true });
  await writeFile(join(cwd, 'log.ndjson'), `${JSON.stringify(live('M1', 0))}\n`);
  await writeFile(join(cwd, 'node_modules', 'pg', 'package.json'), '{"name":"pg"}');
  await writeFile(join(cwd, 'node_modules', 'pg', 'x.ndjson'), '{"a":1}\n{"b":2}\n');
  return cwd;
}

describe('runs and raw discard on the embedded database', () => {
  const database = useEmbedded();

  test('take a mistyped path out, and undo brings it back', { timeout: 180_000 }, async () => {
    const run = await database.prepare();
    const cwd = await files();
    await run(['replay', 'node_modules/pg'], { cwd });
    const done = await run(['raw', 'discard', '--origin', 'node_modules/pg', '--apply', '--json'], { cwd });
    expect(done.code).toBe(0);
    const { runId, remedies } = DISCARDED.parse(JSON.parse(done.stdout));
    expect(remedies[0]?.line).toMatch(/^wa-reconcile undo \S+ --home /);
    expect(runsOf(await run(['runs', 'list', '--json']))[0]).toMatchObject({ id: runId, canUndo: true });
    expect((await run(['undo', runId?.slice(0, 20) ?? ''])).code).toBe(0);
  });
});

describe('runs and raw discard on a server', () => {
  const database = useServer();

  test('a mistyped path comes out of the raw log, and back, by what the commands say', async () => {
    const run = await database.prepare();
    const cwd = await files();
    await run(['replay', 'log.ndjson', '--register'], { cwd });
    expect((await run(['replay', 'node_modules/pg'], { cwd })).code).toBe(4);

    const plan = await run(['raw', 'discard', '--origin', 'node_modules/pg'], { cwd });
    expect(plan.code).toBe(0);
    expect(plan.stdout).toContain('Would discard 3 raw entries');
    expect(plan.stdout).toContain('raw discard --origin node_modules/pg --apply');
    const planned = await run(['raw', 'discard', '--origin', 'node_modules/pg', '--json'], { cwd });
    const { remedies } = DISCARDED.parse(JSON.parse(planned.stdout));
    expect(remedies).toMatchObject([{ command: 'raw' }]);

    const done = await run(['raw', 'discard', '--origin', 'node_modules/pg', '--apply', '--json'], { cwd });
    expect(done.code).toBe(0);
    const { runId, entries } = DISCARDED.parse(JSON.parse(done.stdout));
    expect(entries).toEqual({ chosen: 3, discarded: 3, kept: 0 });
    expect((await run(['verify'])).code).toBe(0);

    const listed = runsOf(await run(['runs', 'list', '--json']));
    expect(listed.map(({ command, status, canUndo }) => [command, status, canUndo])).toEqual([
      ['raw discard', 'completed', true],
      ['replay', 'partial', false],
      ['replay', 'completed', false],
    ]);
    expect(listed[0]?.id).toBe(runId);
    expect((await run(['undo', runId?.slice(0, 20) ?? ''])).code).toBe(0);
    const after = runsOf(await run(['runs', 'list', '--json', '--limit', '2']));
    expect(after).toMatchObject([
      { command: 'undo', undid: runId },
      { undoneBy: after[0]?.id, canUndo: false },
    ]);

    const shown = await run(['runs', 'show', runId?.slice(0, 20) ?? '']);
    expect(shown.stdout).toContain(`raw discard ${runId ?? ''}`);
    expect(shown.stdout).toMatch(/undone by +/);
    expect(shown.stdout).toMatch(/webhook_log +3/);
    const csv = await run(['runs', 'list', '--format', 'csv', '--command', 'replay', '--since', '1d']);
    expect(csv.stdout.split('\n')).toHaveLength(4);
    expect((await run(['runs', 'list', '--format', 'markdown'])).stdout).toContain('- ✔ undo 20');
    expect((await run(['runs', 'list'])).stdout).toContain(listed[1]?.id.slice(0, 18));
  });

  test('says in its exit code what it keeps', async () => {
    const run = await database.prepare();
    const cwd = await files();
    await run(['replay', 'log.ndjson', 'node_modules/pg', '--register'], { cwd });
    const [replayed] = runsOf(await run(['runs', 'list', '--json']));
    const some = await run(['raw', 'discard', '--run', replayed?.id ?? '', '--apply']);
    expect(some.code).toBe(4);
    expect(some.stdout).toContain('Discarded 3 raw entries');
    expect(some.stdout).toContain('messages were created from them and would lose their source');
    const none = await run(['raw', 'discard', '--origin', 'log.ndjson', '--apply']);
    expect(none.code).toBe(1);
    expect(none.stdout).toMatch(/^▲ Nothing to discard: (the entry has|all \d+ entries have) messages$/m);
    expect((await run(['raw', 'discard'])).code).toBe(2);
    expect((await run(['raw', 'discard', '--origin', 'elsewhere'])).code).toBe(2);
    expect((await run(['runs', 'show', 'ffffffff'])).code).toBe(2);
    const wrong = await run(['runs', 'list', '--command', 'reply']);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('Recorded commands: replay,');
    expect((await run(['runs', 'list', '--command', 'import'])).stdout).toBe('No runs.\n');
    const refused = await run(['undo', replayed?.id ?? '']);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(`raw discard --run ${replayed?.id ?? ''}`);
  });
});
