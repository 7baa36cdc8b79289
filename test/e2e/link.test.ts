import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { proto } from '@whiskeysockets/baileys';
import { expect, it, onTestFinished, vi } from 'vitest';
import { exitCodeOf } from '../../src/cli/exit.js';
import { linkDevice } from '../../src/commands/devices/link.js';
import type { LinkResult } from '../../src/commands/devices/result.js';
import { SecretKey } from '../../src/commands/devices/secret-key.js';
import { acquireDeviceLock } from '../../src/store/locks/run-lock.js';
import { type DatabaseConfig, openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/store.js';
import type { Seen } from '../cli/run-cli.js';
import type { Child, ChildResult } from '../support/child-process.js';
import { addConnection } from '../support/connections.js';
import { describeOnBackends, TEST_OPTIONS } from '../support/databases.js';
import { type FakePerson, lidOf, pnOf } from '../support/fake-whatsapp/account.js';
import { archived, conversation } from '../support/fake-whatsapp/archive.js';
import { childEnvironment } from '../support/fake-whatsapp/child-environment.js';
import { randomAccount } from '../support/fake-whatsapp/credentials.js';
import type { LinkedDevice } from '../support/fake-whatsapp/linked-device.js';
import { type FakeWhatsApp, startFakeWhatsApp } from '../support/fake-whatsapp/server.js';
import { until } from '../support/fake-whatsapp/session.js';
import { readTerminalQr } from '../support/fake-whatsapp/terminal-qr.js';
import { callBeside } from '../support/linked-machine.js';
import { testContext } from '../support/replaying.js';
import { type Installation, useMachines } from './installation.js';

vi.mock('../../src/whatsapp/assumptions.js', async (load) =>
  (await import('../support/short-pauses.js')).shorten(await load<object>()),
);

const { HistorySyncType } = proto.HistorySync;
const ANA: FakePerson = { phone: '5521987654321', lid: '998877665544332', name: 'Ana' };
const AT = 1_700_000_000;

/** What a phone with one chat sends: the chat by its LID, whose number is only in the mapping. */
const HISTORY = [
  {
    history: {
      syncType: HistorySyncType.INITIAL_BOOTSTRAP,
      conversations: [
        conversation(lidOf(ANA), [
          archived({ chat: lidOf(ANA), id: 'A1', at: AT, text: 'oi' }),
          archived({ chat: lidOf(ANA), id: 'A2', at: AT + 1, fromMe: true, text: 'olá' }),
        ]),
      ],
      phoneNumberToLidMappings: [{ pnJid: pnOf(ANA), lidJid: lidOf(ANA) }],
    },
    chunkOrder: 1,
    progress: 50,
  },
  { history: { syncType: HistorySyncType.RECENT, progress: 100 }, chunkOrder: 1, progress: 100 },
  {
    history: {
      syncType: HistorySyncType.PUSH_NAME,
      pushnames: [{ id: pnOf(ANA), pushname: 'Aninha' }],
    },
    chunkOrder: 1,
    progress: 100,
  },
];

describeOnBackends('link', (backend) => {
  const machines = useMachines(backend);

  /** An installation with a connection for the fake's account, and a key. */
  async function install({ number, kind = 'baileys' }: { number?: string; kind?: string } = {}) {
    const fake = await startFakeWhatsApp({ account: randomAccount(), historyOnLink: HISTORY });
    onTestFinished(() => fake.close());
    const machine = await machines.install();
    await machine.look((store) =>
      addConnection(store, { name: 'loja', kind, number: number ?? `+${fake.account.phone}` }),
    );
    const key = randomBytes(32).toString('base64');
    const own = { WA_RECONCILE_WHATSAPP_URL: fake.url, WA_RECONCILE_SECRET_KEY: key };
    const env: Record<string, string> = { ...(await childEnvironment(fake)), ...own };
    /** Runs the command line in this process: for calls in which nobody scans, and no process dies. */
    const call = (argv: readonly string[], changed: Record<string, string> = {}): Promise<Seen> =>
      callBeside(fake, machine, argv, { env: { ...own, ...changed } });
    return { fake, machine, key, env, call };
  }

  /** Looks at what the command shows on stderr until `read` finds something in it. */
  async function shown<T>(child: Child, read: (text: string) => T | null | undefined): Promise<T> {
    for (;;) {
      const found = read(await child.says('', 'stderr'));
      if (found !== null && found !== undefined) return found;
      if (child.process.exitCode !== null) throw new Error(`it ended: ${await child.says('', 'stderr')}`);
      await delay(20);
    }
  }

  /** Reads the QR code off the terminal, as a phone would, and scans it. */
  async function scan(fake: FakeWhatsApp, child: Child): Promise<LinkedDevice> {
    return fake.scan(await shown(child, readTerminalQr));
  }

  /** Links in this process, with the phone of the fake that scans at once. */
  async function linkHere(
    fake: FakeWhatsApp,
    { config, store, key }: { config: DatabaseConfig; store: Store; key: string },
  ): Promise<{ result: LinkResult; device: LinkedDevice }> {
    const scanned: Promise<LinkedDevice>[] = [];
    const result = await linkDevice(testContext(store), {
      database: config,
      lockWaitMs: 0,
      connection: 'loja',
      method: { kind: 'qr' },
      url: fake.url,
      secretKey: SecretKey.parse(key, 'the test'),
      batchSize: 100,
      quietMs: 300,
      stallMs: 1_500,
      recordedOptions: {},
      onStep: (step) => {
        if (step.step === 'qr') scanned.push(fake.scan(step.qr));
      },
    });
    const [device] = await Promise.all(scanned);
    if (device === undefined) throw new Error('nothing was scanned');
    return { result, device };
  }

  /** A device that is linked, for a case of what comes after. */
  async function linked(fake: FakeWhatsApp, machine: Installation, key: string): Promise<LinkedDevice> {
    const { config } = machine;
    const { result, device } = await machine.look((store) => linkHere(fake, { config, store, key }));
    expect(result.status).toBe('completed');
    return device;
  }

  it('is not completed when the phone stops in the middle of its first history', async () => {
    const fake = await startFakeWhatsApp({ account: randomAccount(), historyOnLink: HISTORY.slice(0, 1) });
    onTestFinished(() => fake.close());
    const config = await backend.config();
    const store = await openStore(config, TEST_OPTIONS);
    onTestFinished(() => store.close());
    await addConnection(store, { name: 'loja', kind: 'baileys', number: `+${fake.account.phone}` });
    const { result } = await linkHere(fake, { config, store, key: randomBytes(32).toString('base64') });
    expect(result).toMatchObject({ status: 'partial', sync: 'stalled', messages: { created: 2 } });
    expect(exitCodeOf(result.status)).toBe(4);
  });

  it('pairs by QR code, brings in what the phone sends, shows it and unlinks it', async () => {
    const { fake, machine, env, call } = await install();
    const child = await machine.start(['link', '--connection', 'loja', '--json'], { env });
    const device = await scan(fake, child);
    const { code, stdout } = await child.ended;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      command: 'link',
      status: 'completed',
      connection: { name: 'loja' },
      device: { phone: `+${fake.account.phone}`, device: device.number },
      wasLinked: false,
      sync: 'complete',
      chunks: { announced: 3, received: 3 },
      messages: { seen: 2, created: 2 },
    });
    const rows = await machine.look(async ({ sql }) => ({
      messages: await sql.query(
        `select m.external_id, m.body, m.sync_source, m.source, l.phone_number, l.push_name, l.source as lead_source
         from messages m join leads l on l.id = m.lead_id order by m.timestamp`,
      ),
      tickets: await sql.query(`select id from tickets`),
      raw: await sql.query(`select status, origin, provider from webhook_log order by id`),
      runs: await sql.query(`select command, status from sync_runs`),
      devices: await sql.query(
        `select account_id, encode(credentials, 'escape') as text from linked_devices`,
      ),
      keys: await sql.query(`select type, encode(value, 'escape') as text from linked_device_keys`),
    }));
    expect(rows.messages).toMatchObject([
      { external_id: 'A1', body: 'oi', sync_source: 'manual_sync', phone_number: `+${ANA.phone}` },
      { external_id: 'A2', body: 'olá', source: 'history', lead_source: 'history_sync' },
    ]);
    expect(rows.tickets).toEqual([]);
    expect(rows.raw).toEqual(
      Array.from({ length: 3 }, () => ({
        status: 'processed',
        origin: 'whatsapp:loja',
        provider: 'baileys',
      })),
    );
    expect(rows.runs).toEqual([{ command: 'link', status: 'completed' }]);
    expect(rows.devices).toMatchObject([{ account_id: device.jid }]);
    expect(rows.keys.length).toBeGreaterThan(5);
    // Not a word of it in the clear.
    const stored = JSON.stringify([rows.devices.map(({ text }) => text), rows.keys.map(({ text }) => text)]);
    for (const word of ['noiseKey', 'advSecretKey', 'private', 'registrationId', fake.account.phone]) {
      expect(stored).not.toContain(word);
    }

    // As it is installed, on the database that comes with it.
    const then = (argv: readonly string[]): Promise<Pick<ChildResult, 'code' | 'stdout'>> =>
      backend.name === 'pglite' ? machine.run(argv, { env }) : call(argv);
    const status = await then(['link', 'status', '--check', '--json']);
    expect(status.code).toBe(0);
    expect(JSON.parse(status.stdout)).toMatchObject({
      devices: [{ connection: { name: 'loja' }, device: device.number, key: 'ok', whatsapp: 'online' }],
    });

    const unlinked = await then(['unlink', '--connection', 'loja', '--yes', '--json']);
    expect(unlinked.code).toBe(0);
    expect(JSON.parse(unlinked.stdout)).toMatchObject({ onPhone: 'unlinked' });
    expect(device.isRemoved).toBe(true);
    const after = await call(['link', 'status']);
    expect(after.code).toBe(6);
    expect(after.stdout).toContain('No device is linked.');
    const keys = await machine.look(({ sql }) =>
      sql.query(`select count(*)::int as n from linked_device_keys`),
    );
    expect(keys).toEqual([{ n: 0 }]);
  });

  it('finishes after a kill in the middle of pairing, with the same device', async () => {
    const { fake, machine, env, call } = await install();
    const child = await machine.start(['link', '--connection', 'loja'], { env });
    const device = await scan(fake, child);
    await child.says('The phone is linked', 'stderr');
    await until(() => device.isOnline);
    child.process.kill('SIGKILL');
    await child.ended;
    const again = await call(['link', '--connection', 'loja', '--json']);
    expect(again.code, again.stderr).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ wasLinked: true, device: { device: device.number } });
    expect(fake.devices).toHaveLength(1);
    // What had been sent once is either stored or was sent again.
    const messages = await machine.look(({ sql }) =>
      sql.query(`select external_id from messages order by 1`),
    );
    expect(messages).toEqual([{ external_id: 'A1' }, { external_id: 'A2' }]);
  });

  it('gives way to the process that has the device, and names it', async () => {
    const { machine, env } = await install();
    const [connection] = await machine.look(({ sql }) => sql.query(`select id from connections`));
    const held = { id: String(connection?.['id']), name: 'loja' };
    const lock =
      machine.config.kind === 'postgresql'
        ? await acquireDeviceLock(machine.config, held, { ...TEST_OPTIONS, command: 'import' })
        : await openStore(machine.config, { ...TEST_OPTIONS, command: 'import' });
    const { code, stderr } = await machine.run(['link', '--connection', 'loja'], { env });
    await ('release' in lock ? lock.release() : lock.close());
    expect(code).toBe(5);
    expect(stderr).toContain('import');
  });

  // The rest is between the phone and the command. What it stores, core/stored-device proves on both databases.
  if (backend.name !== 'postgresql') return;

  it('pairs by code, also where WhatsApp spells the number otherwise', async () => {
    const { fake, machine, env } = await install();
    const child = await machine.start(
      ['link', '--connection', 'loja', '--pairing-code', '--phone', fake.account.phone],
      { env },
    );
    const [, one, two] = await shown(child, (text) => /\b([A-Z0-9]{4})-([A-Z0-9]{4})\b/.exec(text));
    await fake.enterPairingCode(`${one ?? ''}${two ?? ''}`);
    const { code, stdout } = await child.ended;
    expect(code).toBe(0);
    expect(stdout).toContain("Linked to 'loja' as device 1");
  });

  it('refuses the phone of another number, unlinks it, and stores nothing of it', async () => {
    const { fake, machine, env } = await install({ number: '+5511911112222' });
    const child = await machine.start(['link', '--connection', 'loja'], { env });
    const device = await scan(fake, child);
    const { code, stderr } = await child.ended;
    expect(code).toBe(1);
    expect(stderr).toContain("Refused: this is not the phone of the connection 'loja'.");
    expect(stderr).toContain('It was unlinked again, and nothing was stored.');
    expect(device.isRemoved).toBe(true);
    const rows = await machine.look(({ sql }) =>
      sql.query(`select (select count(*)::int from linked_devices) + (select count(*)::int from linked_device_keys)
        + (select count(*)::int from webhook_log) as n`),
    );
    expect(rows).toEqual([{ n: 0 }]);
  });

  it('asks for a key before anything else, and takes no other than the one it was linked with', async () => {
    const { fake, machine, key, call } = await install();
    const without = await call(['link', '--connection', 'loja'], { WA_RECONCILE_SECRET_KEY: '' });
    expect(without.code).toBe(2);
    expect(without.stderr).toContain('openssl rand -base64 32');
    const short = await call(['link', '--connection', 'loja'], { WA_RECONCILE_SECRET_KEY: 'c2hvcnQ=' });
    expect(short.code).toBe(2);
    expect(short.stderr).toContain('WA_RECONCILE_SECRET_KEY is not a key of 32 bytes in base64.');
    expect(short.stderr).not.toContain('c2hvcnQ=');

    const device = await linked(fake, machine, key);
    const file = await machine.write('key', `${key}\n`);
    const right = { WA_RECONCILE_SECRET_KEY: '', WA_RECONCILE_SECRET_KEY_FILE: file };
    const opened = await call(['link', 'status', '--json'], right);
    expect(JSON.parse(opened.stdout)).toMatchObject({ devices: [{ key: 'ok' }] });
    const before = await stored(machine);
    const wrong = { WA_RECONCILE_SECRET_KEY: randomBytes(32).toString('base64') };
    for (const argv of [
      ['link', '--connection', 'loja'],
      ['unlink', '--connection', 'loja', '--yes'],
    ]) {
      const { code, stderr } = await call(argv, wrong);
      expect(code).toBe(2);
      expect(stderr).toContain('it was encrypted with another key');
    }
    const status = await call(['link', 'status', '--json'], wrong);
    expect(JSON.parse(status.stdout)).toMatchObject({ devices: [{ key: 'wrong' }] });
    expect(await stored(machine)).toEqual(before);
    expect(device.isRemoved).toBe(false);

    const forgotten = await call(['unlink', '--connection', 'loja', '--forget', '--yes'], wrong);
    expect(forgotten.code).toBe(0);
    expect(forgotten.stdout).toContain('Remove it on the phone as well');
    expect(device.isRemoved).toBe(false);
  });

  it('keeps what the phone sends while link status --check looks: it never comes again', async () => {
    const { fake, machine, key, call } = await install();
    const device = await linked(fake, machine, key);
    const late = [archived({ chat: pnOf(ANA), id: 'LATE', at: AT + 9, text: 'tarde' })];
    await fake.pushHistory(device, {
      syncType: HistorySyncType.RECENT,
      conversations: [conversation(pnOf(ANA), late)],
    });
    const { code } = await call(['link', 'status', '--check']);
    expect(code).toBe(0);
    // What had not arrived by then is sent again, and what had is stored.
    expect((await call(['link', '--connection', 'loja'])).code).toBe(0);
    const messages = await machine.look(({ sql }) =>
      sql.query(`select body from messages where external_id = 'LATE'`),
    );
    expect(messages).toEqual([{ body: 'tarde' }]);
  });

  it('shows a new code after a kill before the phone has agreed', async () => {
    const { fake, machine, key, env } = await install();
    const child = await machine.start(['link', '--connection', 'loja'], { env });
    await shown(child, readTerminalQr);
    child.process.kill('SIGKILL');
    await child.ended;
    await linked(fake, machine, key);
  });

  it('pairs anew when the phone has unlinked the device', async () => {
    const { fake, machine, key, call } = await install();
    const first = await linked(fake, machine, key);
    first.unlink();
    const status = await call(['link', 'status', '--check', '--json']);
    expect(status.code).toBe(6);
    expect(JSON.parse(status.stdout)).toMatchObject({ devices: [{ whatsapp: 'logged_out' }] });
    const second = await linked(fake, machine, key);
    expect(second.number).not.toBe(first.number);
  });

  it('leaves at once when another login takes over, and never comes back', async () => {
    const { fake, machine, env } = await install();
    const child = await machine.start(['link', '--connection', 'loja'], { env });
    const device = await scan(fake, child);
    await until(() => device.isOnline);
    device.replace();
    const { code, stderr } = await child.ended;
    expect(code).toBe(1);
    expect(stderr).toContain('Another login with the credentials of this device took over.');
    expect(device.logins).toBe(1);
  });

  it('says in seconds that a file of the history cannot be had, and owes it until it is there', async () => {
    const { fake, machine, env, call } = await install();
    const child = await machine.start(['link', '--connection', 'loja'], { env });
    const device = await scan(fake, child);
    await until(() => device.isOnline);
    const startedAt = performance.now();
    const chat = conversation(pnOf(ANA), [archived({ chat: pnOf(ANA), id: 'F1', at: AT + 9, text: 'file' })]);
    const full = { syncType: HistorySyncType.FULL, conversations: [chat] };
    await fake.pushHistory(device, full, { as: 'missing-blob', chunkOrder: 2, progress: 100 });
    const { code, stdout, stderr } = await child.ended;
    expect(code, stderr).toBe(4);
    expect(performance.now() - startedAt).toBeLessThan(20_000);
    expect(stdout).toContain('2 messages and 1 lead created from 3 chunks of history');
    expect(stdout).toContain('missing: chunk 2 of the full history: ');
    expect(stdout).not.toContain('did not arrive');
    expect(stderr).toContain('3 of 4 chunks received, with 2 messages');
    // It says so every time.
    const again = await call(['link', '--connection', 'loja']);
    expect(again.code).toBe(4);
    expect(again.stdout).toMatch(/1 file of history could not be downloaded \(.+\)\./);
    expect(again.stdout).toContain('missing: chunk 2 of the full history: ');
    expect(again.stdout).not.toContain('Is it online?');
    expect(again.stdout).toContain('wa-reconcile link --connection loja');
    const report = await call(['report', '--json']);
    expect(JSON.parse(report.stdout)).toMatchObject({
      alerts: [{ kind: 'history_owed', count: 1, remedy: 'wa-reconcile link --connection loja' }],
    });
    fake.healFiles();
    const whole = await call(['link', '--connection', 'loja', '--json']);
    expect(whole.code).toBe(0);
    expect(JSON.parse(whole.stdout)).toMatchObject({
      status: 'completed',
      chunks: { announced: 1, received: 1, applied: 1 },
      missingFiles: { count: 0, chunks: [] },
      messages: { created: 1 },
      leads: { created: 0 },
    });
  });

  it('exits with 143 when SIGTERM ends the wait for a file, which stays owed', async () => {
    const { fake, machine, env } = await install();
    const child = await machine.start(['link', '--connection', 'loja'], { env });
    const device = await scan(fake, child);
    await until(() => device.isOnline);
    const full = { syncType: HistorySyncType.FULL, conversations: [] };
    const slow = { as: 'blob', downloadMs: 60_000, chunkOrder: 2, progress: 100 } as const;
    await fake.pushHistory(device, full, slow);
    await child.says('for 1 file of history that did not arrive: chunk 2 of the full history', 'stderr');
    const stoppedAt = performance.now();
    child.process.kill('SIGTERM');
    const { code, stdout } = await child.ended;
    expect({ code, stdout }).toMatchObject({
      code: 143,
      stdout: expect.stringContaining('Interrupted: the same command resumes it.') as unknown,
    });
    expect(performance.now() - stoppedAt).toBeLessThan(10_000);
    const left = await machine.look(({ sql }) => sql.query(`select count(*)::int as n from owed_files`));
    expect(left).toEqual([{ n: 1 }]);
  });

  it('ends on Ctrl-C without a trace of the device', async () => {
    const { fake, machine, env } = await install();
    const child = await machine.start(['link', '--connection', 'loja'], { env });
    await shown(child, readTerminalQr);
    child.process.kill('SIGINT');
    const { code, stdout } = await child.ended;
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(fake.devices).toHaveLength(0);
  });

  it('says what it cannot do', async () => {
    const { call } = await install({ kind: 'cloud_api' });
    const cases: [argv: string[], code: number, says: string, changed?: Record<string, string>][] = [
      [['link', '--connection', 'loja'], 2, 'is a pure Cloud API number'],
      [['link', '--connection', 'nobody'], 2, "There is no connection 'nobody'"],
      [['link'], 2, '--connection is missing'],
      [
        ['link', 'status', '--connection', 'loja'],
        6,
        "No WhatsApp device is linked to the connection 'loja'.",
      ],
      [['unlink', '--connection', 'loja', '--yes'], 6, 'No WhatsApp device is linked'],
      [
        ['link', '--connection', 'loja'],
        2,
        'WA_RECONCILE_WHATSAPP_URL: a connection to WhatsApp without encryption is refused.',
        { WA_RECONCILE_WHATSAPP_URL: 'ws://web.example.com/ws' },
      ],
    ];
    await Promise.all(
      cases.map(async ([argv, expected, says, changed]) => {
        const { code, stderr } = await call(argv, changed);
        expect(stderr).toContain(says);
        expect(code).toBe(expected);
      }),
    );
  });

  /** The device as it lies in the database. */
  function stored(machine: Installation): Promise<unknown> {
    return machine.look(({ sql }) =>
      sql.query(`select account_id, encode(credentials, 'hex') as sealed, updated_at from linked_devices`),
    );
  }
});
