import { createHmac } from 'node:crypto';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { similarWord } from '../../src/cli/similar.js';
import { addressBook, history, live, wamid } from '../support/webhooks.js';
import { useEmbedded, useServer } from './database-home.js';
import { runCli, temporaryDirectory } from './run-cli.js';

const LOG = ['A', 'B', 'C'].map((key, index) => JSON.stringify(live(key, index * 10))).join('\n');
const RESULT = z.object({
  schemaVersion: z.literal(1),
  command: z.literal('verify'),
  runId: z.string().nullable(),
  status: z.string(),
  checks: z.array(
    z.object({
      check: z.string(),
      status: z.enum(['ok', 'note', 'findings']),
      checked: z.number(),
      found: z.number(),
      samples: z.array(
        z.object({ connection: z.string().nullable(), subject: z.string(), detail: z.string() }),
      ),
      summary: z.string(),
      remedy: z.string().nullable(),
    }),
  ),
  findings: z.number(),
  missing: z.number().nullable(),
  doubled: z.number().nullable(),
  enforced: z.array(z.object({ index: z.string(), outcome: z.string() })),
  recomputed: z.object({
    messages: z.number(),
    conversations: z.number(),
    leads: z.number(),
    tickets: z.number(),
    malformed: z.number(),
  }),
});

const ALERTS = z.object({ alerts: z.array(z.object({ id: z.string(), severity: z.string() })) });

async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    await client.query(statement);
  } finally {
    await client.end();
  }
}

const DROP = 'drop index messages_connection_id_external_id_key';
/** A second row of every message. */
const DOUBLE = `insert into messages select (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid()))).* from messages m`;

/** Without a connection there is nothing to judge. */
const SHOP = ['connection', 'add', '--name', 'shop', '--kind', 'cloud_api', '--phone', '+5511988880000'];

describe('verify', () => {
  const embedded = useEmbedded();
  const server = useServer();

  test('has one line per check, and exits with 0 when nothing is found', async () => {
    const run = await embedded.prepare();
    await run(['replay', '-', '--register'], { stdin: LOG });
    const { code, stdout } = await run(['verify']);
    expect(stdout).toMatch(/^✔ unique_index {8}\d+ unique indexes present and valid$/m);
    expect(stdout).toMatch(/^✔ duplicate_ids {7}3 messages, no duplicates$/m);
    expect(stdout.split('\n').filter((line) => /^[✔·] [a-z_]+ /.test(line))).toHaveLength(19);
    expect(stdout).toMatch(/^✔ Clean: 19 checks, no findings /m);
    expect(code).toBe(0);
  });

  test('shows what it found, a sample, and the command that mends it on the same database; exits with 3', async () => {
    const run = await server.prepare();
    await run(['replay', '-', '--register'], { stdin: LOG });
    await onServer(run.url, DROP);
    await onServer(run.url, DOUBLE);
    const { code, stdout } = await run(['verify', '--check', 'unique_index,duplicate_ids']);
    expect(stdout).toContain('✖ duplicate_ids  3 duplicate rows\n');
    expect(stdout).toMatch(
      /^ {2}\+5511900000000 {2}wamid\.\S+ {2}1 duplicate, same type, text and media: rows/m,
    );
    expect(stdout).toContain('\n  wa-reconcile dedupe --apply --force\n');
    // No index can be made over duplicates: advised only when they are merged.
    expect(stdout).not.toContain('--enforce');
    expect(stdout).toMatch(/^✖ 3 lost, 1 degraded, 0 notes in 2 checks /m);
    expect(code).toBe(3);

    const enforced = await run(['verify', '--enforce', '--check', 'unique-index']);
    expect(enforced.stdout).toMatch(
      /^ {2}✖ blocked {2}messages_connection_id_external_id_key: 3 duplicate rows in messages: 3 groups share/m,
    );
    expect(enforced.code).toBe(3);
  });

  test('counts the notes where they decide the exit code, and report and reconcile exit alike', async () => {
    const run = await server.prepare();
    await run(['replay', '-', '--register'], { stdin: LOG });
    await onServer(run.url, 'delete from webhook_log');
    await onServer(run.url, 'update messages set batch_id = null, run_id = null');
    const { code, stdout } = await run(['verify', '--fail-on', 'note']);
    expect(stdout).toMatch(/^▲ 0 lost, 0 degraded, [12] notes? in 19 checks /m);
    expect(code).toBe(3);
    for (const command of ['report', 'reconcile']) {
      const other = await run([command, '--fail-on', 'note']);
      expect(other.stdout).toContain('3 messages have no raw log entry: another program wrote them');
      expect(other.code).toBe(3);
    }
  });

  test('counts what is lost, and what is not stored but lost nowhere, as every other command does', async () => {
    const run = await server.prepare();
    const book = addressBook('add', { full_name: 'Bia', phone_number: '5511911112222' }, 50);
    await run(['replay', '-', '--register'], { stdin: `${LOG}\n${JSON.stringify(book)}` });
    await onServer(run.url, `delete from lead_identities where value = '+5511911112222'`);
    await onServer(run.url, `update messages set body = 'x' where stanza_id = 'A' or body = 'A'`);
    const verdict = async (argv: string[]): Promise<string | undefined> => {
      const { stdout } = await run(argv);
      return /\d+ lost, \d+ degraded/.exec(stdout)?.[0];
    };
    expect(await verdict(['verify'])).toBe('1 lost, 1 degraded');
    // Beside them, that the connection is silent, and that its history never came.
    for (const command of ['report', 'alerts list'])
      expect([command, await verdict(command.split(' '))]).toEqual([command, '1 lost, 3 degraded']);
    const { stdout } = await run(['alerts', 'list', '--json']);
    const { alerts } = ALERTS.parse(JSON.parse(stdout));
    const lost = alerts.find(({ severity }) => severity === 'loss');
    await run(['alerts', 'ack', String(lost?.id), '--reason', 'known']);
    expect(await verdict(['verify'])).toBe('0 lost, 1 degraded');
  });

  test('--enforce says how many rows it set right', async () => {
    const run = await server.prepare();
    await run(['replay', '-', '--register'], { stdin: LOG });
    await onServer(run.url, `update conversations set last_message_at = null`);
    await onServer(run.url, `update tickets set message_window_expires_at = null`);
    const found = await run(['verify', '--check', 'conversation_times,ticket_rules']);
    expect(found.stdout.match(/^ {2}wa-reconcile verify --enforce$/gm)).toHaveLength(3);
    expect(found.code).toBe(3);
    const { code, stdout } = await run(['verify', '--enforce']);
    expect(stdout).toMatch(/^Recomputed\n {2}✔ 1 conversation, 0 leads, 1 ticket$/m);
    expect(stdout).toMatch(/^✔ Clean: 19 checks, no findings /m);
    expect(code).toBe(0);
    expect((await run(['verify', '--enforce'])).stdout).not.toContain('Recomputed');
  });

  test('remedies carry the flags that chose the database', async () => {
    const run = await embedded.prepare();
    await run(['replay', '-', '--register'], { stdin: JSON.stringify(history([], { order: 2 })) });
    const { stdout } = await run(['verify', '--check', 'history_ledger', '--json']);
    expect(RESULT.parse(JSON.parse(stdout)).checks[0]?.remedy).toMatch(
      /^wa-reconcile replay LOG --home \/\S+$/,
    );
  });

  test.each([
    ['json', (text: string) => RESULT.parse(JSON.parse(text)).checks.length],
    ['ndjson', (text: string) => text.trim().split('\n').length - 1],
    ['csv', (text: string) => text.trim().split('\n').length - 1],
    ['markdown', (text: string) => text.split('\n').filter((line) => /^- [✔·] \*\*/.test(line)).length],
  ] as const)('gives its checks as %s', async (format, count) => {
    const run = await server.prepare();
    await run(SHOP);
    const { code, stdout, stderr } = await run(['verify', '--format', format]);
    expect(count(stdout)).toBe(19);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('--items lists every item in a file that appears whole, without what a terminal would obey', async () => {
    const run = await server.prepare();
    await run(['replay', '-', '--register'], { stdin: LOG });
    await onServer(
      run.url,
      `update messages set external_id = E'\\x1b[31mred\\ttab\\nline', batch_id = null where external_id = '${wamid('A')}'`,
    );
    const directory = await temporaryDirectory();
    const file = join(directory, 'items.tsv');
    const { code } = await run(['verify', '--items', file]);
    expect(code).toBe(3);
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    expect(lines.every((line) => /^[=+*!-]\t[a-z_]+\t[^\t]*\t[^\t]+\t[^\t]*$/.test(line))).toBe(true);
    expect(lines.join('\n')).not.toMatch(/[\u0000-\u0008\u000b-\u001f]/);
    expect(lines).toContainEqual(expect.stringMatching(/^=\traw_log\t\+5511900000000\twamid\./));
    expect(lines).toContainEqual(expect.stringContaining(`+\traw_log\t+5511900000000\t${wamid('A')}`));
    expect(lines).toContainEqual(expect.stringContaining('red tab line'));
    expect(await readdir(directory)).toEqual(['items.tsv']);
  });

  test('--items - is stdout, once the result goes elsewhere', async () => {
    const run = await server.prepare();
    await run(SHOP);
    const file = join(await temporaryDirectory(), 'result.json');
    const refused = await run(['verify', '--items', '-']);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('--items -: stdout is taken by the result.');
    const { code, stdout } = await run(['verify', '--items', '-', '--json', '-o', file]);
    expect(stdout).toMatch(/^=\tunique_index\t\t/);
    expect(RESULT.parse(JSON.parse(await readFile(file, 'utf8'))).status).toBe('completed');
    expect(code).toBe(0);
  });

  test('is interrupted by Ctrl-C: exit 130, no list of half the items', async () => {
    const run = await embedded.prepare();
    await run(['replay', '-', '--register'], { stdin: LOG });
    const directory = await temporaryDirectory();
    let timer: NodeJS.Timeout | undefined;
    const { code } = await run(['verify', '--items', join(directory, 'items.tsv')], {
      withSignals: (raise) => {
        timer = setInterval(() => {
          raise('SIGINT');
        }, 20);
      },
    });
    clearInterval(timer);
    expect(code).toBe(130);
    expect(await readdir(directory)).toEqual([]);
  });

  test.each([
    [['--check', 'dupicate_ids'], `there is no check 'dupicate_ids'`, 'Did you mean duplicate_ids?'],
    [['--check', 'nonsense'], `there is no check 'nonsense'`, 'There are: unique_index, '],
    [['--since', 'tomorow'], `'tomorow' is not a time`, 'yesterday'],
    [['--connection', 'nobody'], `no connection 'nobody'`, 'connection'],
    [
      ['--items', '/nonexistent/items'],
      '--items /nonexistent/items: /nonexistent does not exist',
      'Create it',
    ],
    [['--items', '/tmp/x', '-o', '/tmp/x'], '--items and -o name the same file', 'Name two'],
  ])('%j is refused with exit 2', async (flags, message, remedy) => {
    const run = await server.prepare();
    const { code, stdout, stderr } = await run(['verify', ...flags]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).toContain(remedy);
  });

  test('--since says on stderr what it was read as', async () => {
    const run = await server.prepare();
    const { stderr } = await run(['verify', '--since', '2026-11-03', '--tz', 'America/Sao_Paulo']);
    expect(stderr).toContain('since 2026-11-03T03:00:00.000Z');
  });

  test('does not take the lock of other runs unless it makes indexes', async () => {
    const run = await server.prepare();
    await run(SHOP);
    const { acquireRunLock } = await import('../../src/store/locks/run-lock.js');
    const lock = await acquireRunLock(
      { kind: 'postgresql', url: run.url },
      { mode: 'shared', command: 'replay', host: 'elsewhere', pid: 1 },
    );
    try {
      expect((await run(['verify'])).code).toBe(0);
      const enforced = await run(['verify', '--enforce']);
      expect(enforced.code).toBe(5);
      expect(enforced.stderr).toContain('replay elsewhere:1');
    } finally {
      await lock.release();
    }
  });
});

describe('signatures on the command line', () => {
  const server = useServer();

  test('are checked with the secret of a file or of the environment, which nothing prints', async () => {
    const run = await server.prepare();
    const secret = 'f00dfeedf00dfeedf00dfeedf00dfeed';
    const file = join(await temporaryDirectory(), 'secret');
    await writeFile(file, `${secret}\r\n`);
    const row = (key: string, signer: string): string => {
      const body = JSON.stringify(live(key, 0));
      const hex = createHmac('sha256', signer).update(body).digest('hex');
      return JSON.stringify({ headers: { 'x-hub-signature-256': `sha256=${hex}` }, body });
    };
    const stdin = `${row('GOOD', secret)}\n${row('FORGED', 'another')}`;
    const replayed = await run(['replay', '-', '--register', '--app-secret-file', file], { stdin });
    expect(replayed.code).toBe(4);
    expect(replayed.stdout).toContain('  signatures: 1 bad, 1 valid\n');

    const env = { WA_RECONCILE_APP_SECRET: secret };
    const shown = [
      replayed,
      await run(['verify', '--check', 'signatures', '--json'], { env }),
      await run(['reconcile', '--json', '--debug', '-vv'], { env }),
      await run(['report', '--json']),
      await run(['doctor'], { env }),
      await run(['runs', 'list', '--json']),
    ];
    expect(shown.map(({ stdout, stderr }) => stdout + stderr).join()).not.toContain(secret);
    // The forged entry is in the log: verify, reconcile and report say so alike.
    expect(shown.slice(1, 4).map(({ code }) => code)).toEqual([3, 3, 3]);
  });

  test('have the path of their file in the advice and on record, as it leads there from everywhere', async () => {
    const run = await server.prepare();
    const cwd = await temporaryDirectory();
    await writeFile(join(cwd, 'secret'), 'f00dfeed\n');
    const argv = ['replay', '-', '--register', '--dry-run', '--app-secret-file', 'secret'];
    const { stdout } = await run(argv, { cwd, stdin: LOG });
    expect(stdout).toContain(`--app-secret-file ${join(cwd, 'secret')}`);
    await run(['replay', '-', '--register', '--app-secret-file', 'secret'], { cwd, stdin: LOG });
    const recorded = `select 1 from sync_runs where options->>'appSecretFile' = '${join(cwd, 'secret')}'`;
    expect(await server.change(run, recorded)).toBe(1);
  });

  test('need a secret: without one the check that was asked for is an error', async () => {
    const run = await server.prepare();
    await run(['replay', '-', '--register'], { stdin: LOG });
    const asked = await run(['verify', '--check', 'signatures']);
    expect(asked.code).toBe(2);
    expect(asked.stderr).toContain('--app-secret-file');
    const file = join(await temporaryDirectory(), 'empty');
    await writeFile(file, '\n');
    expect((await run(['verify', '--app-secret-file', file])).code).toBe(2);
    expect((await run(['verify'])).code).toBe(0);
  });
});

test('a mistyped word is taken for its nearest neighbor, or for none', () => {
  const words = ['raw_log', 'raw_entry', 'collisions'];
  expect(similarWord('raw_lgo', words)).toBe('raw_log');
  expect(similarWord('colisions', words)).toBe('collisions');
  expect(similarWord('xyz', words)).toBeUndefined();
});

test('verify --help fits a terminal', async () => {
  const { code, stdout } = await runCli(['verify', '--help']);
  expect(code).toBe(0);
  expect(stdout).toContain('--enforce');
});
