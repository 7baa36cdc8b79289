import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  rawDiscard,
  type RawDiscardOptions,
  type RawDiscardResult,
} from '../../src/commands/raw-discard/raw-discard.js';
import { originPattern } from '../../src/commands/raw-discard/select-entries.js';
import { report } from '../../src/commands/report/report.js';
import { undo } from '../../src/commands/undo/undo.js';
import type { UndoResult } from '../../src/commands/undo/types.js';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { temporaryDirectory } from '../cli/run-cli.js';
import { describeOnBackends } from '../support/databases.js';
import { night } from '../support/nights.js';
import { replayBodies, replayFiles, replayLog, testContext } from '../support/replaying.js';
import { reportOptions } from '../support/reporting.js';
import { live, status, wamid, webhook } from '../support/webhooks.js';

/** Bytes that no text codec leaves alone. */
const BROKEN = Buffer.from([0x7b, 0xff, 0xfe, 0x00, 0x80, 0x22, 0x61]);

function discard(store: Store, options: Partial<RawDiscardOptions>): Promise<RawDiscardResult> {
  return rawDiscard(testContext(store), { entries: [], apply: true, recordedOptions: {}, ...options });
}

function undoRun(store: Store, run: string | null): Promise<UndoResult> {
  return undo(testContext(store), { run: run ?? '', force: false, dryRun: false, recordedOptions: {} });
}

/** Every table but the runs' own, bodies included. */
async function contents(store: Store): Promise<Record<string, unknown>> {
  const tables = ['webhook_log', 'rejects', 'messages', 'leads', 'pending_facts', 'lead_identities'];
  const entries = await Promise.all(
    tables.map(async (table) => [
      table,
      await store.sql.query(`select to_jsonb(t)::text as row from ${table} t order by 1`),
    ]),
  );
  return Object.fromEntries(entries) as Record<string, unknown>;
}

/** A log that was meant, and beside it a directory that was not. */
async function mistake(store: Store): Promise<{ directory: string; runId: string }> {
  const directory = await temporaryDirectory();
  await mkdir(join(directory, 'pg'));
  await mkdir(join(directory, 'pg-pool'));
  await writeFile(join(directory, 'good.ndjson'), `${JSON.stringify(live('GOOD', 0))}\n`);
  await writeFile(join(directory, 'pg', 'package.json'), '{"name":"pg","scripts":{"test":"make"}}');
  await writeFile(
    join(directory, 'pg', 'broken.ndjson'),
    Buffer.concat([BROKEN, Buffer.from('\n{"a":1}\n')]),
  );
  await writeFile(join(directory, 'pg-pool', 'package.json'), '{"name":"pg-pool"}');
  await replayFiles(store, [join(directory, 'good.ndjson')]);
  const { runId } = await replayFiles(store, [join(directory, 'pg'), join(directory, 'pg-pool')]);
  return { directory, runId };
}

async function alertKinds(store: Store): Promise<string[]> {
  const { alerts } = await report(testContext(store), reportOptions());
  return alerts.map(({ kind }) => kind).filter((kind) => kind !== 'silent');
}

async function findings(store: Store): Promise<number> {
  const result = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
  return result.findings;
}

describeOnBackends('raw discard', (backend) => {
  backend.once(
    'plans by default, takes out what came of a mistyped path, and comes back byte for byte',
    async () => {
      const store = await backend.open();
      const { directory } = await mistake(store);
      const before = await contents(store);
      const origin = join(directory, 'pg');

      const plan = await discard(store, { origin, apply: false });
      expect(plan).toMatchObject({ status: 'completed', applied: false, runId: null, kept: [] });
      expect(plan.entries).toEqual({ chosen: 3, discarded: 3, kept: 0 });
      expect(plan.files.map(({ file, discarded }) => [file, discarded])).toEqual([
        [join(origin, 'broken.ndjson'), 2],
        [join(origin, 'package.json'), 1],
      ]);
      expect(await contents(store)).toEqual(before);
      expect(await alertKinds(store)).toContain('entries_failed');

      const done = await discard(store, { origin });
      expect(done).toMatchObject({ status: 'completed', applied: true, entries: { discarded: 3 } });
      const left = await store.sql.query(`select origin from webhook_log order by id`);
      expect(left.map((row) => row['origin'])).toEqual([
        `${join(directory, 'good.ndjson')}:1`,
        `${join(directory, 'pg-pool', 'package.json')}:1`,
      ]);
      await discard(store, { origin: join(directory, 'pg-pool/') });
      expect(await alertKinds(store)).not.toContain('entries_failed');
      expect(await findings(store)).toBe(0);
      const full = await night(store, { full: true });
      expect(full).toMatchObject({ status: 'completed', figures: { missing: 0, findings: 0 } });

      const undone = await undoRun(store, done.runId);
      expect(undone).toMatchObject({ status: 'completed', left: { found: 0 } });
      expect(await store.sql.query('select from discarded_bodies')).toHaveLength(1);
      // And once more, both ways.
      const again = await undoRun(store, undone.runId);
      expect(await store.sql.query('select from discarded_bodies')).toHaveLength(4);
      await undoRun(store, again.runId);
      const [pool] = await store.sql.query(
        `select id from sync_runs where command = 'raw discard' order by started_at desc, id desc limit 1`,
      );
      await undoRun(store, String(pool?.['id']));
      expect(await contents(store)).toEqual(before);
      const [broken] = await store.sql.query(
        `select raw_body from webhook_log where origin like '%broken.ndjson:1'`,
      );
      expect(Buffer.from(broken?.['raw_body'] as Uint8Array)).toEqual(BROKEN);
    },
  );

  it('keeps entries from which something came, with the reason, and takes the others', async () => {
    const store = await backend.open();
    const other = webhook('messages', { messages: [{ from: '5511900000001', type: 'text' }] });
    const { runId } = await replayBodies(store, [
      live('M1', 0),
      status(wamid('LATER'), 'read', 60),
      other,
      '{"nothing":"known"}',
    ]);
    const result = await discard(store, { run: runId.slice(0, 23) });
    expect(result.status).toBe('partial');
    expect(result.kept.map(({ reason, entries, messages }) => [reason, entries, messages])).toEqual([
      ['messages', 1, 1],
      ['updates', 1, 0],
    ]);
    // The item without an id was rejected, and nothing else was in its entry: its reject goes along.
    expect(result).toMatchObject({ entries: { chosen: 4, discarded: 2 }, rejects: 1 });
    expect(await store.sql.query('select from rejects')).toEqual([]);
    expect(await store.sql.query('select from webhook_log')).toHaveLength(2);
    expect(await findings(store)).toBe(0);
    await undoRun(store, result.runId);
    expect(await store.sql.query('select from rejects')).toHaveLength(1);

    const [first] = result.kept;
    const refused = await discard(store, { entries: [`log:${first?.samples[0]?.id ?? ''}`] });
    expect(refused).toMatchObject({ status: 'failed', applied: false, runId: null });
  });

  it('finds what a run stored although another run has tried it again since', async () => {
    const store = await backend.open();
    let now = Date.now();
    const clock = (): number => (now += 5);
    const first = await replayBodies(store, ['{"nothing":"known"}', '{broken'], { clock });
    now += 60_000;
    await replayBodies(store, ['{"another":"run"}'], { clock });
    now += 60_000;
    await replayLog(store, { which: 'failed' }, { clock });
    const plan = await discard(store, { run: first.runId, apply: false });
    expect(plan.entries.chosen).toBe(2);
  });

  it('says that entries were stored again since, and changes nothing', async () => {
    const store = await backend.open();
    const { directory } = await mistake(store);
    // Of the log that was meant nothing goes: messages came from it.
    const { runId, entries } = await discard(store, { origin: join(directory, '**', '*.ndjson') });
    expect(entries).toEqual({ chosen: 3, discarded: 2, kept: 1 });
    await replayFiles(store, [join(directory, 'pg')]);
    const before = await contents(store);
    await expect(undoRun(store, runId)).rejects.toMatchObject({ code: 'stored_again', exitCode: 1 });
    expect(await contents(store)).toEqual(before);
  });

  it('refuses what is not exactly one entry, one run, or any entry at all', async () => {
    const store = await backend.open();
    const { runId } = await replayBodies(store, ['{"a":1}', '{"b":1}']);
    await store.sql.execute(
      `update webhook_log set id = ('01234567-0000-7000-8000-00000000000' || case when raw_body like '%a%' then '1' else '2' end)::uuid`,
    );
    const codes: [Partial<RawDiscardOptions>, string][] = [
      [{}, 'nothing_chosen'],
      [{ entries: ['log:ffffffff'] }, 'unknown_entry'],
      [{ entries: ['%'] }, 'unknown_entry'],
      [{ entries: ['log:01234567'] }, 'ambiguous_entry'],
      [{ run: 'ffff' }, 'unknown_run'],
      [{ origin: 'nowhere' }, 'no_entries'],
      [{ origin: '.*' }, 'no_entries'],
    ];
    for (const [options, code] of codes) {
      await expect(discard(store, options)).rejects.toMatchObject({ code, exitCode: 2 });
    }
    const one = await discard(store, { entries: ['01234567-0000-7000-8000-000000000002'], run: runId });
    expect(one.entries).toEqual({ chosen: 1, discarded: 1, kept: 0 });
  });
});

describe('the origin of raw entries', () => {
  const fits = (typed: string, origin: string): boolean => new RegExp(originPattern(typed)).test(origin);

  it.each([
    ['node_modules/pg', 'node_modules/pg/x.json:3', true],
    ['node_modules/pg/', 'node_modules/pg/lib/x.json:3[12]', true],
    ['./node_modules/pg', 'node_modules/pg/x.json:3', true],
    ['node_modules/pg', './node_modules/pg/x.json:3', true],
    ['node_modules/pg', 'node_modules/pg-pool/x.json:3', false],
    ['node_modules/pg', 'other/node_modules/pg/x.json:3', false],
    ['log.json', 'log.json:3', true],
    ['log.json', 'log.json.gz:3', false],
    ['log.json', 'logXjson:3', false],
    ['log.json:3', 'log.json:3', true],
    ['log.json:3', 'log.json:31', false],
    ['log.json:3[1]', 'log.json:3[1]', true],
    ['logs/*.json', 'logs/a.json:1', true],
    ['logs/*.json', 'logs/b/a.json:1', false],
    ['logs/**/*.json', 'logs/b/c/a.json:1', true],
    ['logs/**/*.json', 'logs/a.json:1', true],
    ['log?.json', 'log1.json:1', true],
    ['/', '/var/log/a.json:1', true],
    ['são paulo (1)+$.json', 'são paulo (1)+$.json:9', true],
    ['📦.json', '📦.json:9', true],
  ])('%s and %s: %s', (typed, origin, expected) => {
    expect(fits(typed, origin)).toBe(expected);
  });
});
