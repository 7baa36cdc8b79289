import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { useServer } from './database-home.js';
import { temporaryDirectory } from './run-cli.js';
import { OWN_SCHEMA } from '../../src/store/own-schema.js';

const ROOT = new URL('../../', import.meta.url);
const LOG = new URL('fixtures/demo-day.ndjson', ROOT).pathname;
const ANA = '+55 11 90000-0001';

/** The grants that the README shows. */
function grantsTo(role: string): string[] {
  const readme = readFileSync(new URL('README.md', ROOT), 'utf8');
  const blocks = [...readme.matchAll(/^```sql\n(.*?)^```/gms)].map(([, block = '']) => block);
  const grants = blocks.find((block) => block.includes('access_log')) ?? '';
  return grants
    .trim()
    .split('\n')
    .map((line) => line.replace('auditor', role));
}

const server = useServer();

type Ask = (sql: string) => Promise<Record<string, unknown>[]>;

/** Connects for each statement: the database goes before the test is over. */
function ownerOf(url: string): Ask {
  return async (sql) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query<Record<string, unknown>>(sql).finally(() => client.end());
    return rows;
  };
}

async function withRole() {
  const run = await server.prepare();
  await run(['replay', LOG, '--register']);
  const { role, as } = await server.addRole(run);
  return { run, owner: ownerOf(run.url), role, as };
}

/** Every row of every table, by table. */
async function dumpOf(owner: Ask): Promise<Map<string, string>> {
  const tables = await owner(
    `select relname::text as name from pg_class where relnamespace = ${OWN_SCHEMA} and relkind = 'r' order by 1`,
  );
  const dump = new Map<string, string>();
  for (const { name } of tables) {
    const rows = await owner(`select t::text as row from "${String(name)}" t order by 1`);
    dump.set(String(name), rows.map(({ row }) => String(row)).join('\n'));
  }
  return dump;
}

test('the role of the README reads, is recorded, and changes nothing else', async () => {
  const { owner, role, as } = await withRole();
  for (const grant of grantsTo(role)) await owner(grant);
  const doctor = await as(['doctor']);
  expect({ code: doctor.code, stdout: doctor.stdout }).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('only reads') as string,
  });
  const before = await dumpOf(owner);
  const directory = await temporaryDirectory();
  for (const argv of [
    ['messages', ANA],
    ['explain', ANA, '--bodies', '--json'],
    ['report', '--json'],
    ['verify'],
    ['export', ANA, '-o', join(directory, 'ana.html')],
    ['runs', 'list', '--access'],
    ['connection', 'list'],
    ['alerts', 'list'],
    ['media', 'status'],
    ['db', 'status'],
    ['dedupe'],
    ['prune', '--older-than', '1d'],
  ]) {
    const { code, stdout, stderr } = await as(argv);
    expect({ argv, isDone: code === 0 || code === 3, stderr }).toEqual({ argv, isDone: true, stderr: '' });
    expect(stdout).not.toBe('');
  }
  for (const argv of [
    ['replay', LOG],
    ['replay'],
    ['dedupe', '--apply', '-y'],
    ['undo', '--no-input', '-y'],
    ['reconcile', '--apply'],
    ['verify', '--enforce'],
    ['connection', 'add', '--name', 'other', '--kind', 'cloud_api', '--phone', '+5511988880000'],
    ['alerts', 'ack', 'rejected'],
    ['erase', '--allow-all', '--no-input'],
    ['prune', '--older-than', '1d', '--apply'],
    ['history', 'request', ANA],
  ]) {
    const { code, stderr } = await as(argv);
    expect({ argv, code }).toEqual({ argv, code: 2 });
    expect(stderr).not.toContain('bug');
  }
  const plan = await as(['erase', ANA]);
  expect({ code: plan.code, stdout: plan.stdout }).toEqual({ code: 2, stdout: '' });
  expect(plan.stderr).toContain('This role may not write to every table, so nothing can be planned');
  expect(plan.stderr).toContain('Use the role that owns the tables.');
  const after = await dumpOf(owner);
  const changed = [...after].filter(([name, rows]) => rows !== before.get(name)).map(([name]) => name);
  expect(changed).toEqual(['access_log']);
  const logged = await owner('select distinct command from access_log order by 1');
  // The replay was the owner's.
  expect(logged.map(({ command }) => command)).toEqual(['explain', 'export', 'messages', 'replay', 'report']);
});

test('without the right to leave a trace, nothing of a person is shown, and the error says what to grant', async () => {
  const { owner, role, as } = await withRole();
  for (const grant of grantsTo(role).slice(0, -1)) await owner(grant);
  const directory = await temporaryDirectory();
  for (const argv of [
    ['messages', ANA],
    ['explain', ANA, '--bodies', '--json'],
    ['export', ANA],
    ['export', '--all', '-o', join(directory, 'all')],
    ['report', '--no-audit', '--json'],
    ['report', '--no-audit', '-o', join(directory, 'report.html')],
  ]) {
    const { code, stdout, stderr } = await as(argv);
    expect({ argv, code, stdout }).toEqual({ argv, code: 2, stdout: '' });
    expect(stderr).toContain('grant insert on access_log');
  }
  // What shows nobody's words works.
  expect((await as(['explain', ANA])).code).not.toBe(2);
  expect((await as(['verify'])).code).not.toBe(2);
});

test('a database that takes no writes says why there is no plan of an erasure', async () => {
  const { run, owner } = await withRole();
  const { pathname } = new URL(run.url);
  await owner(`alter database "${pathname.slice(1)}" set default_transaction_read_only = on`);
  const { code, stdout, stderr } = await run(['erase', ANA]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain('This database is read-only, so nothing can be planned');
});
