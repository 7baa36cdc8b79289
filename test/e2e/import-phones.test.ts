import { dirname, join } from 'node:path';
import { proto } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ImportResult } from '../../src/commands/import/types.js';
import { addConnection } from '../support/connections.js';
import { describeOnServer, useBackend } from '../support/databases.js';
import { type FakePerson, lidOf, pnOf } from '../support/fake-whatsapp/account.js';
import { answerFromArchive, archived, conversation, inChunks } from '../support/fake-whatsapp/archive.js';
import { until } from '../support/fake-whatsapp/session.js';
import { linkedMachine, type LinkedMachine } from '../support/linked-machine.js';
import { replayBodies } from '../support/replaying.js';
import { transcript } from '../support/shown.js';
import { ANA, BRU, live, T0 } from '../support/webhooks.js';
import { readImport } from './import-json.js';
import { useMachines } from './installation.js';

const PERSON: FakePerson = { phone: ANA, lid: '998877665544332', name: 'Ana' };
const PN = pnOf(PERSON);
const OLD = Array.from({ length: 200 }, (_, n) =>
  archived({ chat: PN, id: `A${n}`, at: T0 - 20_000 + n * 100, fromMe: n % 2 === 1 }),
);
const PHONE = answerFromArchive([
  {
    id: PN,
    lidJid: lidOf(PERSON),
    name: 'Ana',
    messages: [...OLD, archived({ chat: PN, id: 'hello', at: T0 })],
  },
]);
const IMPORT = ['import', `+${ANA}`, '--json', '--page-pause', '10ms'];

const postgresql = useMachines(useBackend('postgresql'));

async function linked(): Promise<LinkedMachine> {
  return linkedMachine(await postgresql.install(), { before: [live('hello', 0)] });
}

/** Imports in this process: its processes, import.test shows. */
async function imported(
  { call }: LinkedMachine,
  flags: readonly string[],
): Promise<{ result: ImportResult; code: number | null }> {
  const { code, stdout, stderr } = await call([...IMPORT, ...flags]);
  expect(stdout, stderr).toMatch(/^\{/);
  return { result: readImport(stdout), code };
}

const alertSchema = z.object({
  kind: z.string(),
  next: z.object({ command: z.string(), args: z.array(z.string()) }).nullable(),
});

/** The report's alerts of a kind, as a script reads them. */
async function alertsOf({ call }: LinkedMachine, kind: string): Promise<z.infer<typeof alertSchema>[]> {
  const { stdout, stderr } = await call(['report', '--json']);
  expect(stdout, stderr).toMatch(/^\{/);
  const { alerts } = z.object({ alerts: z.array(alertSchema) }).parse(JSON.parse(stdout));
  return alerts.filter((alert) => alert.kind === kind);
}

describe('import: an answer of four files', () => {
  it('brings in all of them, while the owner revokes and edits on the phone', async () => {
    const site = await linked();
    const split = inChunks(PHONE, 50, (chunk) => ({ as: 'blob', afterMs: chunk * 300, downloadMs: 200 }));
    site.fake.onHistoryRequest(async (request) => {
      await site.fake.pushOwnMessage(PN, {
        protocolMessage: {
          type: proto.Message.ProtocolMessage.Type.REVOKE,
          key: { remoteJid: PN, fromMe: true, id: 'A3' },
        },
      });
      return split(request);
    });
    const { result, code } = await imported(site, ['--count', '200']);
    expect(code).toBe(0);
    expect(result).toMatchObject({
      // It is silent to the look behind the last one, so that nobody knows whether that was the end.
      outcome: 'fetched',
      status: 'completed',
      messages: { created: 200 },
      // The others look whether a chunk is missing before, between or behind them.
      fetch: { requests: 6, pages: [{ chunks: 4, received: 200 }], gaps: [] },
    });
    expect(await site.machine.look(transcript)).toHaveLength(201);
  });
});

describeOnServer('import: a message without a time', (backend) => {
  const machines = useMachines(backend);

  it('has its entry’s, as every later reader gives it', async () => {
    const site = await linkedMachine(await machines.install(), { before: [live('hello', 0)] });
    const timeless = { key: { remoteJid: PN, fromMe: false, id: 'NOTIME' }, message: { conversation: '?' } };
    site.fake.onHistoryRequest(() => ({ conversations: [conversation(PN, [...OLD.slice(198), timeless])] }));
    const { code } = await imported(site, ['--timeout', '3s']);
    expect(code).toBe(0);
    const verified = await site.call(['verify', '--check', 'raw_log']);
    expect(verified.code, verified.stdout).toBe(0);
    const explained = await site.call(['explain', 'NOTIME']);
    expect(explained.code, explained.stdout).toBe(0);
    const again = await site.call(['replay', '--all', '--json']);
    expect(JSON.parse(again.stdout)).toMatchObject({ messages: { created: 0, updated: 0 } });
  });
});

describeOnServer('import: a kill while the phone is silent', (backend) => {
  const machines = useMachines(backend);

  it('stays an alert until the same contact is imported, as the alert advises', async () => {
    const other = pnOf({ ...PERSON, phone: BRU });
    const site = await linkedMachine(await machines.install(), {
      before: [live('hello', 0), live('hi', 0, { from: BRU })],
    });
    const ofOther = answerFromArchive([
      {
        id: other,
        messages: [
          archived({ chat: other, id: 'B', at: T0 - 9 }),
          archived({ chat: other, id: 'hi', at: T0 }),
        ],
      },
    ]);
    site.fake.onHistoryRequest((request) => (request.chatJid === PN ? 'silence' : ofOther(request)));
    const child = await site.machine.start([...IMPORT, '--count', '20', '--force'], { env: site.env });
    await until(() => site.fake.historyRequests.length > 0);
    child.process.kill('SIGKILL');
    await child.ended;
    await site.call(['import', `+${BRU}`, '--count', '20', '--force']);
    const [alert] = await alertsOf(site, 'run_died');
    expect(JSON.stringify(alert)).not.toContain(ANA);
    site.fake.onHistoryRequest(PHONE);
    const { command = '', args = [] } = alert?.next ?? {};
    const finished = await site.call([command, ...args]);
    expect(finished.code, finished.stderr).toBe(0);
    expect(finished.stdout).toContain('20 created');
    expect(await alertsOf(site, 'run_died')).toEqual([]);
  });
});

describe('import: files that cannot be had', () => {
  it('one of four is named as a gap with its remedy; the next import has it without asking', async () => {
    const site = await linked();
    site.fake.onHistoryRequest((request) =>
      site.fake.historyRequests.length > 1
        ? 'silence'
        : inChunks(PHONE, 5, (chunk) => ({ as: chunk === 1 ? 'missing-blob' : 'blob' }))(request),
    );
    const first = await imported(site, ['--count', '20', '--timeout', '1s']);
    expect(first.code).toBe(4);
    expect(first.result).toMatchObject({
      status: 'partial',
      messages: { created: 15 },
      fetch: { gaps: [{ reason: 'file', filled: false }] },
      owedFiles: 1,
      remedies: [
        { command: 'import', args: [`+${ANA}`, '--phase', 'fetch', '--force'] },
        { command: 'link', args: ['--connection', 'loja'] },
        {},
      ],
    });
    const status = await site.call(['link', 'status', '--json']);
    expect(JSON.parse(status.stdout)).toMatchObject({ devices: [{ owed: { files: 1, gaps: 1 } }] });
    const shown = (await site.call(['link', 'status'])).stdout;
    expect(shown).toMatch(
      new RegExp(
        `\\+${ANA} +loja +2025-09-\\S+ \\S+ UTC +2025-09-\\S+ \\S+ UTC +missing: a file of the answer did not arrive`,
      ),
    );
    expect(shown).toContain('wa-reconcile link --connection loja');
    expect(shown).toContain(`wa-reconcile import +${ANA} --connection loja --phase fetch --force`);
    site.fake.healFiles();
    site.fake.onHistoryRequest(PHONE);
    const second = await imported(site, ['--count', '20', '--phase', 'fetch', '--force']);
    expect(second.result).toMatchObject({ status: 'completed', fetch: { gaps: [{ filled: true }] } });
    expect(await site.machine.look(transcript)).toHaveLength(41);
    const after = await site.call(['link', 'status', '--json']);
    expect(JSON.parse(after.stdout)).toMatchObject({ devices: [{ owed: { files: 0, gaps: 0 } }] });
  });

  it('SIGTERM ends a slow download within ten seconds, and the next import downloads it again', async () => {
    const site = await linked();
    site.fake.onHistoryRequest(
      inChunks(PHONE, 10, (chunk) => ({ as: 'blob', downloadMs: chunk === 0 ? 0 : 60_000 })),
    );
    const child = await site.machine.start([...IMPORT, '--count', '20'], { env: site.env });
    await until(() => site.fake.downloads.length === 2);
    const stoppedAt = performance.now();
    child.process.kill('SIGTERM');
    const { code, stdout } = await child.ended;
    expect(performance.now() - stoppedAt).toBeLessThan(10_000);
    // It was asked to stop, and did: nothing has died.
    expect(code).toBe(143);
    expect(readImport(stdout)).toMatchObject({ outcome: 'interrupted', status: 'interrupted' });
    expect(await alertsOf(site, 'run_died')).toEqual([]);
    // What had come by then is stored; what had not is on record.
    const left = await site.machine.look(({ sql }) =>
      sql.query(`select (select count(*)::int from owed_files) as owed,
        (select count(*)::int from webhook_log where provider = 'baileys') as kept`),
    );
    expect(left).toEqual([{ owed: 1, kept: 1 }]);
    site.fake.healFiles();
    site.fake.onHistoryRequest(PHONE);
    const { result } = await imported(site, ['--count', '20']);
    expect(result.status).toBe('completed');
    expect((await site.machine.look(transcript)).length).toBeGreaterThanOrEqual(21);
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)(
    '%s while it looks whether a page is whole ends it as interrupted',
    async (signal, exitCode) => {
      const site = await linked();
      site.fake.onHistoryRequest((request) =>
        request.count === 1
          ? 'silence'
          : inChunks(PHONE, 10, (chunk) => ({ afterMs: chunk * 30_000 }))(request),
      );
      const child = await site.machine.start([...IMPORT, '--count', '20'], { env: site.env });
      await until(() => site.fake.historyRequests.some(({ count }) => count === 1));
      child.process.kill(signal);
      const { code, stdout } = await child.ended;
      expect(code).toBe(exitCode);
      expect(readImport(stdout)).toMatchObject({
        outcome: 'interrupted',
        status: 'interrupted',
        messages: { created: 10 },
        fetch: { pages: [{ received: 10 }] },
        nextAllowedAt: null,
      });
      expect(await site.machine.look(transcript)).toHaveLength(11);
    },
  );

  it('SIGTERM while the end of an import waits for a file ends it as interrupted', async () => {
    const site = await linked();
    site.fake.onHistoryRequest((request) =>
      request.count === 1
        ? 'silence'
        : inChunks(PHONE, 10, (chunk) =>
            chunk === 0 ? {} : { as: 'blob', afterMs: 5_500, downloadMs: 60_000, sessionId: 'none' },
          )(request),
    );
    const child = await site.machine.start([...IMPORT, '--count', '20'], { env: site.env });
    await child.says('Waiting up to', 'stderr');
    child.process.kill('SIGTERM');
    const { code, stdout } = await child.ended;
    expect(code).toBe(143);
    expect(readImport(stdout)).toMatchObject({ outcome: 'interrupted', owedFiles: 1 });
    expect(await site.machine.look(transcript)).toHaveLength(11);
  });
});

describe('import: a device that the phone unlinks', () => {
  it('between two chunks: says so, with the link first, now, in link status and at the next import', async () => {
    const site = await linked();
    site.fake.onHistoryRequest(async (request) => {
      const chunks = await inChunks(PHONE, 10)(request);
      setTimeout(() => {
        site.device.unlink();
      }, 500);
      return Array.isArray(chunks) ? chunks.slice(0, 1) : chunks;
    });
    const unlinkedNow = ['--count', '20', '--timeout', '4s', '--phase', 'fetch', '--force'];
    const first = await imported(site, unlinkedNow);
    expect(first.code).toBe(4);
    const link = { command: 'link', args: ['--connection', 'loja'] };
    const again = { command: 'import', args: [`+${ANA}`, '--phase', 'fetch', '--force'] };
    expect(first.result).toMatchObject({
      outcome: 'logged_out',
      status: 'partial',
      messages: { created: 10 },
      fetch: { gaps: [{ reason: 'short', filled: false }] },
      nextAllowedAt: null,
      remedies: [link, again],
    });
    const status = await site.call(['link', 'status', '--json']);
    expect(status.code).toBe(6);
    expect(JSON.parse(status.stdout)).toMatchObject({
      devices: [{ whatsapp: 'logged_out', owed: { gaps: 1 } }],
    });
    const shown = (await site.call(['link', 'status'])).stdout;
    expect(shown).toMatch(/^loja .* unlinked +1 gap/m);
    expect(shown).toMatch(/Next\n +wa-reconcile link --connection loja\n.*\n +wa-reconcile import /);
    const second = await site.call([...IMPORT.filter((word) => word !== '--json'), ...unlinkedNow]);
    expect(second.code).toBe(6);
    expect(second.stdout).toContain("the device was unlinked from 'loja'.");
    expect(second.stdout).toMatch(/Next\n +wa-reconcile link --connection loja\n.*\n +wa-reconcile import /);
  });
});

describe('what link, unlink and import advise', () => {
  const embedded = useMachines(useBackend('pglite'));

  it('is for the database of the run, and parses', async () => {
    const machine = await embedded.install();
    await machine.look(async (store) => {
      await addConnection(store, { kind: 'coexistence', phoneNumberId: '800000000000001' });
      await replayBodies(store, [live('hello', 0)], { register: false });
    });
    if (machine.config.kind !== 'pglite') throw new Error('not the embedded database');
    const home = dirname(machine.config.directory);
    const env = { WA_RECONCILE_HOME: join(machine.directory, 'elsewhere') };
    const cases: [argv: string[], code: number][] = [
      [['import', `+${ANA}`], 6],
      [['unlink', '--connection', 'loja', '--yes'], 6],
      [['link', 'status', '--connection', 'loja'], 6],
    ];
    for (const [argv, expected] of cases) {
      const { code, stdout, stderr } = await machine.call([...argv, '--home', home], { env });
      expect(code, stderr).toBe(expected);
      expect(`${stdout}${stderr}`).toContain(`wa-reconcile link --connection loja --home ${home}`);
    }
    // What was advised gets as far as the key that is missing: it is understood, and finds the connection's database.
    const link = await machine.call(['link', '--connection', 'loja', '--home', home], { env });
    expect(link.code).toBe(2);
    expect(link.stderr).toContain('openssl rand -base64 32');
  });
});

describe('import: what is said', () => {
  it('of silence and of failed downloads: that the next request waits, and how not to wait', async () => {
    const site = await linked();
    const silent = await site.call(['import', `+${ANA}`, '--timeout', '300ms']);
    expect(silent.code).toBe(1);
    expect(silent.stdout).toMatch(/The next request waits five minutes, until \S+; --force asks anyway\./);
    site.fake.onHistoryRequest(inChunks(PHONE, 50, () => ({ as: 'missing-blob' })));
    const failed = await site.call(['import', `+${ANA}`, '--force']);
    expect(failed.code).toBe(1);
    expect(failed.stdout).toContain('The file is still missing; the next import downloads it first.');
    expect(failed.stdout).toContain('The next request waits five minutes');
  });

  it('of other people’s messages in an answer: how many, and the command that brings them in', async () => {
    const site = await linked();
    const stranger = '5521900000002@s.whatsapp.net';
    site.fake.onHistoryRequest(() => ({
      conversations: [
        conversation(PN, OLD.slice(150)),
        conversation(stranger, [archived({ chat: stranger, id: 'b', at: T0 - 9 })]),
      ],
    }));
    const { stdout } = await site.call(['import', `+${ANA}`]);
    expect(stdout).toContain('1 message of other people came with the answer: stored, and pending.');
    const advised = /^ {2}wa-reconcile (replay.*)$/m.exec(stdout)?.[1] ?? '';
    expect((await site.call(advised.split(' '))).code).toBe(0);
    expect(await site.machine.look(transcript)).toContain('> b');
  });

  it('of a group: that groups are not imported', async () => {
    const site = await linked();
    const { code, stderr } = await site.call(['import', '120363000000000000@g.us']);
    expect(code).toBe(2);
    expect(stderr).toContain('only the chat of one person can be imported');
    expect(stderr).toContain('wa-reconcile replay --all --include group');
  });

  it('of other chats of many: by the kind that brings them in', async () => {
    const site = await linked();
    for (const [typed, kind] of [
      ['status@broadcast', 'status_broadcast'],
      ['1234567890@broadcast', 'broadcast'],
      ['120363000000000000@newsletter', 'newsletter'],
    ] as const) {
      const { code, stderr } = await site.call(['import', typed]);
      expect(code).toBe(2);
      expect(stderr).toContain(`wa-reconcile replay --all --include ${kind}\n`);
    }
  });

  it('of a version that WhatsApp refuses: not to take that very version; of a line that is not there: within 25 s', async () => {
    async function refused(): Promise<void> {
      const { fake, call } = await linked();
      fake.refuseConnections(405);
      const { code, stdout } = await call(['import', `+${ANA}`]);
      expect(code).toBe(1);
      expect(stdout).toContain('WA_RECONCILE_WHATSAPP_VERSION');
      expect(stdout).not.toMatch(/2\.3000\.\d/);
      const link = await call(['link', '--connection', 'loja']);
      expect(link.stderr).toContain('WA_RECONCILE_WHATSAPP_VERSION');
      expect(link.stderr).not.toMatch(/2\.3000\.\d/);
      const set = { WA_RECONCILE_WHATSAPP_VERSION: '2.3000.1' };
      const again = await call(['link', '--connection', 'loja'], { env: set });
      expect(again.stderr).toContain('that version was refused: set a newer one, or unset it.');
      expect(again.stderr).not.toMatch(/2\.3000\.\d/);
      const wrong = { WA_RECONCILE_WHATSAPP_VERSION: 'newest' };
      const unread = await call(['link', '--connection', 'loja'], { env: wrong });
      expect(unread.code).toBe(2);
      expect(unread.stderr).not.toMatch(/2\.3000\.\d/);
    }
    async function unreachable(): Promise<void> {
      const site = await linked();
      site.fake.refuseConnections(503);
      const { result, code } = await imported(site, []);
      expect(code).toBe(1);
      expect(result).toMatchObject({ outcome: 'offline', reason: '503' });
      expect(result.durationMs).toBeLessThan(25_000);
    }
    // The second one is nearly all waiting.
    await Promise.all([refused(), unreachable()]);
  });
});
