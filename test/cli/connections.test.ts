import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { BUSINESS, FIRST, item, webhook } from '../support/webhooks.js';
import { useServer } from './database-home.js';
import { temporaryDirectory } from './run-cli.js';

const CLOUD = [
  'connection',
  'add',
  '--name',
  'main',
  '--kind',
  'cloud_api',
  '--phone-number-id',
  '106540352242922',
];

describe('connections on the command line', () => {
  const server = useServer();

  test('I4: what a number brought that is the own one is taken back, counted and said', async () => {
    const run = await server.prepare();
    await run(['connection', 'add', '--name', 'main', '--kind', 'cloud_api', '--phone-number-id', FIRST.id]);
    const bodies = ['A1', 'A2'].map((key, at) =>
      webhook('messages', {
        metadata: { phone_number_id: FIRST.id },
        messages: [item(key, at, { from: BUSINESS })],
      }),
    );
    const log = [
      ...bodies,
      webhook('messages', { metadata: { phone_number_id: FIRST.id }, messages: [item('B1', 9)] }),
    ];
    const first = await run(['replay', '-', '--json'], {
      stdin: log.map((body) => JSON.stringify(body)).join('\n'),
    });
    expect(JSON.parse(first.stdout)).toMatchObject({
      messages: { created: 3 },
      ownNumberRemoved: { leads: 0, conversations: 0, messages: 0, tickets: 0 },
    });
    await run(['connection', 'edit', 'main', '--phone', `+${BUSINESS}`]);
    const words = '1 lead, 1 conversation, 2 messages and 1 ticket of the own number';
    const planned = await run(['replay', '--dry-run']);
    expect(planned.stdout).toContain(`${words} would be removed`);
    const { stdout } = await run(['replay']);
    expect(stdout).toContain(`${words} removed`);
    expect(stdout).not.toContain('no lead, conversation or ticket changed');
    const { runs } = z
      .looseObject({ runs: z.array(z.looseObject({ id: z.string(), verdict: z.string() })) })
      .parse(JSON.parse((await run(['runs', 'list', '--json'])).stdout));
    expect(runs[0]?.verdict).toContain(`${words} removed`);
    const shown = await run(['runs', 'show', runs[0]?.id ?? '', '--json']);
    expect(JSON.parse(shown.stdout)).toMatchObject({
      run: { counters: { ownNumberRemoved: { leads: 1, conversations: 1, messages: 2, tickets: 1 } } },
    });
    expect((await run(['replay', '--all'])).stdout).not.toContain('of the own number');
  });

  test('are added, listed, shown, changed and removed', async () => {
    const run = await server.prepare();
    const added = await run([...CLOUD, '--phone', '+1 (555) 078-3881']);
    expect(added).toMatchObject({ code: 0, stderr: '' });
    expect(added.stdout).toContain('Connection added.');
    expect(added.stdout).toContain('+15550783881');
    expect(added.stdout).toContain('not supported');

    const list = await run(['connection', 'list']);
    expect(list.stdout).toMatch(
      /^name +kind +phone +history +last event \(UTC\)\nmain +cloud_api +\+15550783881 +not supported +never\n$/,
    );

    const edited = await run([
      'connection',
      'edit',
      '+15550783881',
      '--name',
      'Shop',
      '--kind',
      'coexistence',
      '--json',
    ]);
    expect(JSON.parse(edited.stdout)).toMatchObject({
      schemaVersion: 1,
      command: 'connection edit',
      changed: ['name', 'kind'],
      connection: { name: 'Shop', kind: 'coexistence', historySync: { status: 'pending_consent' } },
    });

    const shown = await run(['connection', 'show', '106540352242922', '--format', 'csv']);
    expect(shown.stdout.split('\n')[1]).toContain(`default,Shop,coexistence,'+15550783881,106540352242922,`);

    expect(await run(['connection', 'remove', 'Shop'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('--yes is required') as unknown,
    });
    expect(await run(['connection', 'remove', 'Shop', '--yes'])).toMatchObject({
      code: 0,
      stdout: `✔ Connection 'Shop' removed.\n`,
    });
    expect((await run(['connection', 'list'])).stdout).toContain('no connections yet');
  });

  test('begin with the history state of their kind', async () => {
    const run = await server.prepare();
    await run(CLOUD);
    await run(['connection', 'add', '--name', 'app', '--kind', 'coexistence', '--phone', '+5511912345678']);
    await run(['connection', 'add', '--name', 'web', '--kind', 'baileys']);
    const { stdout } = await run(['connection', 'list', '--json']);
    const statuses: unknown = JSON.parse(stdout);
    expect(statuses).toMatchObject({
      connections: [
        { name: 'app', historySync: { status: 'pending_consent' } },
        { name: 'main', historySync: { status: 'not_supported' } },
        { name: 'web', historySync: { status: 'pending_history' } },
      ],
    });
  });

  test('cannot share a name, an id or a number, however the number is written', async () => {
    const run = await server.prepare();
    await run([...CLOUD, '--phone', '+5511912345678']);
    const add = (...flags: string[]) => run(['connection', 'add', '--kind', 'cloud_api', ...flags]);
    const sameName = await add('--name', 'main', '--phone-number-id', '999999999');
    expect(sameName).toMatchObject({ code: 2, stdout: '' });
    expect(sameName.stderr).toContain(`The name 'main' is taken.`);
    expect((await add('--name', 'b', '--phone-number-id', '106540352242922')).stderr).toContain(
      `The phone_number_id 106540352242922 belongs to the connection 'main'.`,
    );
    // Brazil's ninth digit: rule I1 makes them one number.
    expect((await add('--name', 'b', '--phone', '55 11 1234-5678')).code).toBe(0);
    expect((await add('--name', 'c', '--phone', '+551191234567 8')).stderr).toContain(
      `The connection 'main' already has this number.`,
    );
    expect((await add('--name', 'main', '--phone', '+14155550100', '--organization', 'acme')).code).toBe(0);
    expect((await run(['connection', 'show', 'main'])).stderr).toContain('Several connections');
    expect((await run(['connection', 'show', 'main', '--organization', 'acme'])).code).toBe(0);
  });

  test('are refused with the reason, when a field cannot be right', async () => {
    const run = await server.prepare();
    const add = async (...flags: string[]) => (await run(['connection', 'add', ...flags])).stderr;
    expect(await add('--name', 'x', '--kind', 'baileys', '--phone', '12345')).toContain(
      'not an international phone number',
    );
    expect(await add('--name', 'x', '--kind', 'baileys', '--phone', 'BR.1349')).toContain(
      'not an international phone number',
    );
    expect(await add('--name', 'x', '--kind', 'cloud_api')).toContain(
      'needs its number or its phone_number_id',
    );
    expect(await add('--name', 'x', '--kind', 'cloud_api', '--phone-number-id', '+55119')).toContain(
      '5 to 20 digits',
    );
    expect(await add('--name', '\u001b[2J', '--kind', 'baileys')).toContain(
      'A name has 1 to 100 printable characters',
    );
    expect((await run(['connection', 'edit', 'x'])).stderr).toContain('No change was given.');
    expect((await run(['connection', 'show', 'x'])).stderr).toContain(`There is no connection 'x'.`);
  });

  test('are asked for on a terminal, on stderr, and a wrong answer is asked for again', async () => {
    const run = await server.prepare();
    const { code, stdout, stderr } = await run(['connection', 'add', '--json'], {
      terminals: ['stdin', 'stderr'],
      answers: [
        ['Name', 'Loja\r'],
        ['How does it receive messages?', '\u001b[B\r'],
        ['Phone number', '123\r'],
        ['not an international phone number', '\u007f\u007f\u007f+5511987654321\r'],
        ['phone_number_id', '\r'],
      ],
    });
    expect(code).toBe(0);
    expect(stderr).toContain('How does it receive messages?');
    expect(JSON.parse(stdout)).toMatchObject({
      connection: { name: 'Loja', kind: 'coexistence', phone: '+5511987654321', phoneNumberId: null },
    });
  });

  test('go only when their name is typed; anything else changes nothing', async () => {
    const run = await server.prepare();
    await run(CLOUD);
    const remove = (typed: string) =>
      run(['connection', 'remove', 'main'], {
        terminals: ['stdin', 'stderr'],
        answers: [['Type main to confirm', typed]],
      });
    for (const typed of ['\r', 'y\r', 'Main\r']) {
      const { code, stdout, stderr } = await remove(typed);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain('Nothing was changed: not confirmed.');
    }
    const cancelled = await remove('\u0003');
    expect(cancelled.code).toBe(130);
    expect(cancelled.stderr).toContain('Nothing was changed');
    expect((await run(['connection', 'show', 'main'])).code).toBe(0);
    expect(await remove('main\r')).toMatchObject({ code: 0, stdout: `✔ Connection 'main' removed.\n` });
  });

  test('with messages stay, because messages are never deleted', async () => {
    const run = await server.prepare();
    const log = new URL('../samples/messages-text.json', import.meta.url).pathname;
    expect((await run(['replay', log, '--register'])).code).toBe(0);
    const { stdout } = await run(['connection', 'list', '--format', 'ndjson']);
    const { id } = z.object({ id: z.string() }).parse(JSON.parse(stdout));
    const removal = await run(['connection', 'remove', id, '--yes']);
    expect(removal).toMatchObject({ code: 1, stdout: '' });
    expect(removal.stderr).toContain('messages are never deleted');
  });

  test('tell how many stored entries were waiting for them, and replay files those', async () => {
    const run = await server.prepare();
    const log = new URL('../samples/messages-text.json', import.meta.url).pathname;
    const phoneNumberId = /"phone_number_id":\s*"(\d+)"/.exec(await readFile(log, 'utf8'))?.[1] ?? '';
    const first = await run(['replay', log]);
    expect(first.code).toBe(4);
    expect(first.stdout).toContain('1 pending');
    expect(first.stdout).toContain('pending: the connection is unknown');
    expect(first.stdout).toContain('wa-reconcile replay --register');
    const added = await run([
      'connection',
      'add',
      '--name',
      'main',
      '--kind',
      'cloud_api',
      '--phone-number-id',
      phoneNumberId,
    ]);
    expect(added.stdout).toContain('1 stored entry is pending for it.');
    const second = await run(['replay', '--json']);
    expect(second.code).toBe(0);
    expect(second.stderr).toBe('');
    expect(JSON.parse(second.stdout)).toMatchObject({ status: 'completed', messages: { created: 1 } });
  });

  test('can be written to a file, whole, with nothing on stdout', async () => {
    const run = await server.prepare();
    const cwd = await temporaryDirectory();
    const { code, stdout, stderr } = await run(['connection', 'list', '--format', 'csv', '-o', 'list.csv'], {
      cwd,
    });
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toBe(`Result written to ${join(cwd, 'list.csv')}\n`);
    expect(await readFile(join(cwd, 'list.csv'), 'utf8')).toMatch(/^id,organization,name,/);
  });
});
