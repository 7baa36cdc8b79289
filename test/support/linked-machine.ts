import { randomBytes } from 'node:crypto';
import { BufferJSON } from '@whiskeysockets/baileys';
import { getGlobalDispatcher, setGlobalDispatcher } from 'undici';
import { onTestFinished } from 'vitest';
import { SecretKey } from '../../src/commands/devices/secret-key.js';
import { StoredDevice } from '../../src/commands/devices/stored-device.js';
import type { Store } from '../../src/store/store.js';
import type { Seen } from '../cli/run-cli.js';
import type { CallSurroundings, Installation } from '../e2e/installation.js';
import { addConnection } from './connections.js';
import { childEnvironment } from './fake-whatsapp/child-environment.js';
import { connectClient, type TestClient } from './fake-whatsapp/client.js';
import { randomAccount } from './fake-whatsapp/credentials.js';
import type { LinkedDevice } from './fake-whatsapp/linked-device.js';
import { createMediaDispatcher } from './fake-whatsapp/media-dispatcher.js';
import { type FakeWhatsApp, startFakeWhatsApp } from './fake-whatsapp/server.js';
import { replayBodies } from './replaying.js';

/** A machine whose command is linked to a fake WhatsApp, beside the CRM's own connection to the same account. */
export interface LinkedMachine {
  machine: Installation;
  fake: FakeWhatsApp;
  /** The tool's own device. */
  device: LinkedDevice;
  /** Stands for the CRM's backend: whatever the command does, it must not notice. */
  witness: TestClient & { device: LinkedDevice };
  /** For the command: where WhatsApp is, and the secret key. */
  env: Record<string, string>;
  /**
   * Runs the command line in this process. For what the command says, asks and stores: the second of CPU in which Node and
   * Baileys start is paid once for all cases of a file. What is about processes takes `machine`.
   */
  call: (argv: readonly string[], surroundings?: CallSurroundings) => Promise<Seen>;
}

export interface LinkedOptions {
  kind?: 'baileys' | 'coexistence';
  /** Raw entries that are replayed before, on the connection `loja`. */
  before?: readonly unknown[];
}

/** Links a machine's connection `loja` without pairing: credentials as pairing leaves them, keys uploaded already. */
export async function linkedMachine(
  machine: Installation,
  { kind = 'coexistence', before = [] }: LinkedOptions = {},
): Promise<LinkedMachine> {
  const fake = await startFakeWhatsApp({ account: randomAccount() });
  const secret = randomBytes(32).toString('base64');
  const { device, auth } = await fake.linkedAuth();
  const { device: other, auth: others } = await fake.linkedAuth();
  const client = connectClient(fake, others);
  onTestFinished(async () => {
    await client.sock.end(undefined);
    await fake.close();
  });
  await client.opened;
  const keys = await auth.keys.get(
    'pre-key',
    Array.from({ length: 20 }, (_, index) => String(index + 1)),
  );
  await machine.look(async (store) => {
    await addConnection(store, { kind, number: `+${fake.account.phone}`, phoneNumberId: '800000000000001' });
    const storage = new StoredDevice(
      { store, clock: Date.now },
      { id: await connectionId(store), name: 'main' },
      SecretKey.parse(secret, 'the test'),
    );
    await storage.saveCredentials(JSON.stringify(auth.creds, BufferJSON.replacer), device.jid);
    await storage.writeKeys(
      Object.entries(keys).map(([id, value]) => ({
        type: 'pre-key',
        id,
        value: JSON.stringify(value, BufferJSON.replacer),
      })),
    );
    if (before.length > 0) await replayBodies(store, before, { register: false, connection: 'loja' });
  });
  const own = { WA_RECONCILE_WHATSAPP_URL: fake.url, WA_RECONCILE_SECRET_KEY: secret };
  return {
    machine,
    fake,
    device,
    witness: Object.assign(client, { device: other }),
    env: { ...(await childEnvironment(fake)), ...own },
    call: (argv, { env, ...stdin } = {}) =>
      callBeside(fake, machine, argv, { env: { ...own, ...env }, ...stdin }),
  };
}

const USUAL_DISPATCHER = getGlobalDispatcher();

/** Runs the command line in this process, whose files of history come from the fake. */
export async function callBeside(
  { httpUrl }: FakeWhatsApp,
  machine: Installation,
  argv: readonly string[],
  surroundings: CallSurroundings = {},
): Promise<Seen> {
  setGlobalDispatcher(createMediaDispatcher(httpUrl));
  try {
    return await machine.call(argv, surroundings);
  } finally {
    setGlobalDispatcher(USUAL_DISPATCHER);
  }
}

async function connectionId(store: Store): Promise<string> {
  const [row] = await store.sql.query(`select id from connections where name = 'loja'`);
  return String(row?.['id']);
}
