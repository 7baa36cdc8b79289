import { describe, expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../src/store/open-store.js';
import {
  copyMessage,
  damagedConnection,
  dropUniqueIndexes,
  insertConversation,
  insertLead,
  insertLookAlikes,
  insertMessage,
} from '../support/damage.js';
import { TEST_OPTIONS } from '../support/databases.js';
import { BRU } from '../support/webhooks.js';
import { useServer } from './database-home.js';

describe('dedupe on the command line', () => {
  const server = useServer();

  /** A command line on a database of so many messages, the first of which is there twice. */
  async function prepare({ messages = 30, doubled = true } = {}): Promise<ReturnType<typeof server.prepare>> {
    const run = await server.prepare();
    const store = await openStore({ kind: 'postgresql', url: run.url }, TEST_OPTIONS);
    onTestFinished(() => store.close());
    await dropUniqueIndexes(store);
    const connection = await damagedConnection(store, { name: 'loja\u001b[31m' });
    const ana = await insertConversation(store, connection, await insertLead(store));
    for (let i = 0; i < messages; i += 1) {
      const id = await insertMessage(store, ana, `M${i}`, i * 10);
      if (i === 0 && doubled) await copyMessage(store, id);
    }
    const bru = await insertConversation(
      store,
      connection,
      await insertLead(store, { phone_number: `+${BRU}` }),
    );
    if (messages >= 30) await insertLookAlikes(store, ana, bru);
    return run;
  }

  test('without --apply prints the plan with its proof, changes nothing and ends with 3', async () => {
    const run = await prepare();
    const first = await run(['dedupe']);
    expect(first.code).toBe(3);
    expect(first.stderr).toBe('');
    expect(first.stdout).toMatch(/^▲ 1 duplicate found; nothing was changed/);
    expect(first.stdout).toMatch(/same_id +several rows with one id +1 +1\n/);
    expect(first.stdout).toContain('both have the id wamid.');
    expect(first.stdout).toContain('Not duplicates  2 collisions, 2 rows without an id');
    expect(first.stdout).toContain('1 of 43 messages to delete (2.3 %)');
    expect(first.stdout).toMatch(
      /▲ 1 duplicate found; nothing was changed .*\nNext\n {2}wa-reconcile dedupe --apply\n.*\n$/,
    );
    // No line for a class of which there is none.
    expect(first.stdout).not.toContain('same_message');
    expect(first.stdout).not.toContain('\u001b');
    expect((await run(['dedupe'])).code).toBe(3);
  });

  test('V2: is not green about a database without a connection: it may be the wrong one', async () => {
    const run = await server.prepare();
    for (const flags of [[], ['--apply']]) {
      const { code, stdout } = await run(['dedupe', ...flags]);
      expect(stdout).toMatch(/^▲ Nothing to look through: there is no connection/);
      expect(stdout).toContain('wa-reconcile replay LOG --register');
      expect(code).toBe(2);
    }
  });

  test('takes --dry-run for what it does anyway, and not beside --apply', async () => {
    const run = await prepare();
    const plan = await run(['dedupe', '--dry-run']);
    expect(plan.code).toBe(3);
    expect(plan.stdout).toContain('\nNext\n  wa-reconcile dedupe --apply\n');
    const both = await run(['dedupe', '-n', '--apply']);
    expect(both.code).toBe(2);
    expect(both.stderr).toContain('--apply and --dry-run contradict each other');
  });

  test('with --apply merges, says how to put it back, and then has nothing to do', async () => {
    const run = await prepare();
    const { code, stdout } = await run(['dedupe', '--apply']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^✔ 1 duplicate merged/);
    expect(stdout).toContain('wa-reconcile verify');
    const runId = /run +([0-9a-f-]{36})/.exec(stdout)?.[1] ?? '';
    expect(stdout).toContain(`wa-reconcile undo ${runId}\n`);
    const again = await run(['dedupe']);
    expect(again.code).toBe(0);
    expect(await run(['dedupe', '-q'])).toEqual({ code: 0, stdout: '', stderr: '' });
    // Collisions and rows without an id are findings of verify; dedupe has nothing to do.
    expect(again.stdout).toMatch(/^✔ No duplicates/);
    expect(again.stdout).toContain('Not duplicates');
    expect((await run(['undo', runId])).code).toBe(0);
    expect((await run(['dedupe'])).code).toBe(3);
  });

  test('gives its result in every format', async () => {
    const run = await prepare();
    const { stdout } = await run(['dedupe', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      schemaVersion: 1,
      command: 'dedupe',
      runId: null,
      applied: false,
      collisions: { found: 2 },
    });
    const lines = (await run(['dedupe', '--format', 'ndjson'])).stdout.trimEnd().split('\n');
    expect(lines.map((line) => Object.keys(JSON.parse(line) as object)[0])).toEqual([
      ...Array.from({ length: 5 }, () => 'class'),
      'schemaVersion',
    ]);
    expect((await run(['dedupe', '--format', 'csv'])).stdout).toBe(
      'class,groups,rows\nlead,0,0\nconversation,0,0\nsame_id,1,1\nsame_message,0,0\nno_id,0,0\n',
    );
    expect((await run(['dedupe', '--format', 'markdown'])).stdout).toContain(
      '**▲ 1 duplicate found; nothing was changed**',
    );
  });

  test('refuses to remove more than 5 % where nobody can be asked, and says what to add', async () => {
    const run = await prepare({ messages: 5 });
    for (const argv of [
      ['dedupe', '--apply'],
      ['dedupe', '--apply', '--yes'],
      ['dedupe', '--apply', '--no-input'],
    ]) {
      const { code, stderr, stdout } = await run(argv);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain(
        "1 of 6 messages of 'loja' (16.7 %) would be deleted: more than 5 %. Nothing was changed.",
      );
      expect(stderr).toContain('--force');
    }
    const onTerminal = await run(['dedupe', '--apply', '--yes'], { terminals: ['stdin', 'stderr'] });
    expect({ code: onTerminal.code, stdout: onTerminal.stdout }).toEqual({ code: 2, stdout: '' });
    expect((await run(['dedupe', '--apply', '--force'])).code).toBe(0);
  });

  test('asks on a terminal, and takes nothing but the number for a yes', async () => {
    const run = await prepare({ messages: 5 });
    const ask = (typed: string): ReturnType<typeof run> =>
      run(['dedupe', '--apply'], {
        terminals: ['stdin', 'stderr'],
        answers: [['Type 1 to confirm', typed]],
      });
    const no = await ask('yes\r');
    expect(no.code).toBe(1);
    expect(no.stderr).toContain('Nothing was changed: not confirmed.');
    expect((await ask('1\r')).stdout).toMatch(/^✔ 1 duplicate merged/);
  });

  test('takes classes with commas and hyphens, and names what it does not know', async () => {
    const run = await prepare();
    const { stdout } = await run([
      'dedupe',
      '--class',
      'same-id,no_id',
      '--class',
      'lead',
      '--format',
      'csv',
    ]);
    expect(stdout).toBe('class,groups,rows\nlead,0,0\nsame_id,1,1\nno_id,0,0\n');
    const wrong = await run(['dedupe', '--class', 'sameid']);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("there is no class 'sameid'");
    expect(wrong.stderr).toContain('Did you mean same_id?');
    expect((await run(['dedupe', '--connection', 'keine'])).code).toBe(2);
    expect((await run(['dedupe', '--batch-size', '0'])).code).toBe(2);
    expect((await run(['dedupe', '--force'])).stderr).toContain('has no effect without --apply');
  });
});
