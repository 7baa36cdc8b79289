import { createServer } from 'node:http';
import { type AuthenticationCreds, type AuthenticationState, Curve, proto } from '@whiskeysockets/baileys';
import { WebSocketServer } from 'ws';
import type { Contact, FakeAccount, FakePerson, World } from './account.js';
import { createAppStateKey } from './app-state.js';
import { createTestRoot, trustRoot } from './certificate.js';
import { linkedAuth, linkedCredentials } from './credentials.js';
import { answerHistoryRequest, type HistoryHandler } from './history-requests.js';
import { serveLine, type ServerIdentity } from './line.js';
import type { LinkedDevice } from './linked-device.js';
import { createMediaStore } from './media-store.js';
import { messageId } from './nodes.js';
import { createPairingDesk } from './pairing-desk.js';
import {
  type Delivery,
  deliverHistory,
  deliverMessage,
  deliverOwnMessage,
  type HistoryRequest,
  shareAppStateKey,
} from './peer-messages.js';
import { createSignalPeer } from './signal-peer.js';
import { createStanzaDesk, refuse } from './stanza-desk.js';

const LOOPBACK = '127.0.0.1';
const { HistorySyncType } = proto.HistorySync;

/** A chunk of history and how it travels. */
export interface HistoryChunk extends Delivery {
  history: proto.IHistorySync;
}

export interface FakeWhatsAppOptions {
  account: FakeAccount;
  /** What the phone sends to a device after its first login; by default what an empty phone sends. */
  historyOnLink?: readonly HistoryChunk[];
}

/** WhatsApp with one account, on this machine: a genuine client links itself to it, logs in and asks for history. */
export interface FakeWhatsApp {
  /** For `waWebSocketUrl`: `ws://127.0.0.1:…/ws/chat`. */
  readonly url: string;
  /** Where the files of `mmg.whatsapp.net` are: `http://127.0.0.1:…`. */
  readonly httpUrl: string;
  /** The key at the root of its certificates; this process trusts it already. */
  readonly rootPublicKey: Buffer;
  readonly account: FakeAccount;
  /** Every device that was ever linked, in order. */
  readonly devices: readonly LinkedDevice[];
  /** Every request for history that the phone has read, in order. */
  readonly historyRequests: readonly HistoryRequest[];
  /** The paths of the files that were asked for. */
  readonly downloads: readonly string[];

  /** The phone scans a QR code (its text); settles when the client is linked and was told to log in anew. */
  scan(qr: string): Promise<LinkedDevice>;
  /** The user types a pairing code into the phone; rejects if it is not the one that the client shows. */
  enterPairingCode(code: string): Promise<LinkedDevice>;
  /** A device that is linked already, and the credentials to log in with. */
  linkedCredentials(): { device: LinkedDevice; creds: AuthenticationCreds };
  /** The same with keys in memory, some of them uploaded. */
  linkedAuth(): Promise<{ device: LinkedDevice; auth: AuthenticationState }>;
  /** What the phone does with requests for history; until told, it stays silent. */
  onHistoryRequest(handler: HistoryHandler): void;
  /** The phone sends history without being asked. */
  pushHistory(device: LinkedDevice, history: proto.IHistorySync, delivery?: Delivery): Promise<void>;
  /** What the phone sends to a device next begins a new Signal session. */
  renewSession(device: LinkedDevice): void;
  /** Lists somebody in the directory, by number and LID, without writing anything. */
  introduce(person: FakePerson): void;
  /** Somebody writes to the account; every linked device gets it. Gives the message's id. */
  pushMessage(from: FakePerson, content: proto.IMessage, id?: string): Promise<string>;
  /** The owner writes on the phone, to this address; every linked device gets a copy. */
  pushOwnMessage(to: string, content: proto.IMessage): Promise<void>;
  /** From now on every new line, to log in or to link, is refused with this code (401, 403, 405, 503 …); undefined ends that. */
  refuseConnections(code: number | undefined): void;
  /** Files that were missing can be downloaded from now on. */
  healFiles(): void;
  /** From now on queries with these namespaces (`w:sync:app:state`, `encrypt` …) get no answer. */
  ignoreQueries(...namespaces: string[]): void;
  /** Cuts all lines and stops listening; throws if anything went wrong inside the server that no test asked for. */
  close(): Promise<void>;
}

export async function startFakeWhatsApp({
  account,
  historyOnLink = EMPTY_PHONE,
}: FakeWhatsAppOptions): Promise<FakeWhatsApp> {
  const root = createTestRoot();
  trustRoot(root.publicKey);
  const staticKey = Curve.generateKeyPair();
  const identity: ServerIdentity = { staticKey, certificateChain: root.issueChain(staticKey.public) };
  const world: World = {
    account,
    phone: createSignalPeer(),
    devices: [],
    newcomers: new Set(),
    appStateKey: createAppStateKey(),
    contacts: new Map(),
  };
  const media = createMediaStore();
  const historyRequests: HistoryRequest[] = [];
  const errors: unknown[] = [];
  let handler: HistoryHandler = () => 'silence';
  let refusal: number | undefined;

  /** The person and their device, which is made when they are first spoken of. */
  function introduced(person: FakePerson): Contact {
    const contact = world.contacts.get(person.phone) ?? { person, peer: createSignalPeer() };
    world.contacts.set(person.phone, contact);
    return contact;
  }

  async function pushHistory(
    device: LinkedDevice,
    history: proto.IHistorySync,
    delivery: Delivery = {},
  ): Promise<void> {
    await deliverHistory(world, media, device, history, delivery);
  }

  async function pushAll(device: LinkedDevice, chunks: readonly HistoryChunk[]): Promise<void> {
    for (const { history, ...delivery } of chunks) await pushHistory(device, history, delivery);
  }

  /** What a phone sends to a device that it has just linked: first the key of its settings, then its chats. */
  async function greet(device: LinkedDevice): Promise<void> {
    await shareAppStateKey(world, device);
    await pushAll(device, historyOnLink);
  }

  /** The phone takes its time; meanwhile the device's stanzas are served. */
  function inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => errors.push(error));
  }

  const pairing = createPairingDesk(world);
  const stanzas = createStanzaDesk(world, {
    onFirstLogin(device) {
      inBackground(greet(device));
    },
    onHistoryRequest(request) {
      historyRequests.push(request);
      inBackground(answerHistoryRequest(request, handler, pushHistory));
    },
  });

  const http = createServer((request, response) => {
    media.serve(request, response);
  });
  const sockets = new WebSocketServer({ server: http, path: '/ws/chat' });
  sockets.on('connection', (socket) => {
    serveLine(socket, identity, {
      onOpen(line, client) {
        if (refusal !== undefined) refuse(line, refusal);
        else if (!pairing.open(line, client)) stanzas.open(line, client);
      },
      async onStanza(line, stanza) {
        if (!pairing.take(line, stanza)) await stanzas.take(line, stanza);
      },
      onClose(line) {
        pairing.close(line);
        stanzas.close(line);
      },
      onError: (error) => errors.push(error),
    });
  });
  const port = await listen(http);

  return {
    url: `ws://${LOOPBACK}:${port}/ws/chat`,
    httpUrl: `http://${LOOPBACK}:${port}`,
    rootPublicKey: root.publicKey,
    account,
    devices: world.devices,
    historyRequests,
    downloads: media.asked,
    scan: pairing.scan,
    enterPairingCode: pairing.enterCode,
    linkedCredentials: () => linkedCredentials(world),
    linkedAuth: () => linkedAuth(world),
    onHistoryRequest(next) {
      handler = next;
    },
    pushHistory,
    renewSession: ({ jid }) => {
      world.phone.renewSession(jid);
    },
    introduce(person) {
      introduced(person);
    },
    async pushMessage(person, content, id = messageId()) {
      const contact = introduced(person);
      for (const device of world.devices) {
        if (!device.isRemoved) await deliverMessage(contact, device, content, id);
      }
      return id;
    },
    async pushOwnMessage(to, content) {
      for (const device of world.devices) {
        if (!device.isRemoved) await deliverOwnMessage(world, device, to, content);
      }
    },
    refuseConnections(code) {
      refusal = code;
    },
    healFiles: media.heal,
    ignoreQueries: stanzas.ignoreQueries,
    async close() {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      await new Promise((resolve) => {
        http.close(resolve);
        http.closeAllConnections();
      });
      for (const { peer } of [{ peer: world.phone }, ...world.contacts.values()]) peer.close();
      if (errors.length > 0)
        throw new AggregateError(errors, `the fake WhatsApp failed: ${String(errors[0])}`);
    },
  };
}

/** What a phone without chats sends to a new device. */
const EMPTY_PHONE: readonly HistoryChunk[] = [
  { history: { syncType: HistorySyncType.INITIAL_BOOTSTRAP }, chunkOrder: 1, progress: 100 },
  { history: { syncType: HistorySyncType.RECENT, progress: 100 }, chunkOrder: 1, progress: 100 },
];

function listen(http: ReturnType<typeof createServer>): Promise<number> {
  return new Promise((resolve, reject) => {
    http.once('error', reject);
    http.listen(0, LOOPBACK, () => {
      const address = http.address();
      if (address === null || typeof address === 'string') reject(new Error('no port'));
      else resolve(address.port);
    });
  });
}
