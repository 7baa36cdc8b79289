import { type BinaryNode, S_WHATSAPP_NET } from '@whiskeysockets/baileys';
import { isOwn, type World } from './account.js';
import type { Line } from './line.js';
import type { LinkedDevice } from './linked-device.js';
import { attribute, child, node, unixSeconds } from './nodes.js';
import type { ClientFinish } from './noise.js';
import { type HistoryRequest, readHistoryRequest } from './peer-messages.js';
import { answerQuery, successNode } from './queries.js';

const UNAUTHORIZED = 401;

/** What follows from stanzas beyond their answers. */
export interface StanzaListener {
  onFirstLogin(device: LinkedDevice): void;
  onHistoryRequest(request: HistoryRequest): void;
}

/** Serves the devices that log in. */
export interface StanzaDesk {
  open(line: Line, client: ClientFinish): void;
  take(line: Line, stanza: BinaryNode): Promise<void>;
  close(line: Line): void;
  /** Queries with these namespaces get no answer any more. */
  ignoreQueries: (...namespaces: string[]) => void;
}

export function createStanzaDesk(world: World, listener: StanzaListener): StanzaDesk {
  const lines = new Map<Line, LinkedDevice>();
  const ignored = new Set<string>();

  /** A device says that it is ready: it gets what was kept for it, and after its first login its first history. */
  function welcome(device: LinkedDevice): void {
    const count = String(device.deliverKept());
    device.send(node('ib', { from: S_WHATSAPP_NET }, [node('offline', { count })]));
    if (world.newcomers.delete(device)) listener.onFirstLogin(device);
  }

  async function takeMessage(device: LinkedDevice, stanza: BinaryNode): Promise<void> {
    const to = attribute(stanza, 'to');
    device.send(node('ack', { class: 'message', id: attribute(stanza, 'id'), from: to, t: unixSeconds() }));
    if (stanza.attrs.category !== 'peer' || !isOwn(world.account, to)) return;
    const request = await readHistoryRequest(world, device, stanza);
    if (request !== undefined) listener.onHistoryRequest(request);
  }

  return {
    open(line, client) {
      const device = findDevice(world, client);
      if (device === undefined || device.isRemoved) {
        refuse(line, UNAUTHORIZED);
      } else {
        lines.set(line, device);
        device.attach(line);
        device.send(successNode(device));
      }
    },
    async take(line, stanza) {
      const device = lines.get(line);
      if (device === undefined) return;
      device.record(stanza);
      if (stanza.tag === 'iq') {
        if (ignored.has(stanza.attrs.xmlns ?? '')) return;
        device.send(await answerQuery(world, device, stanza));
        if (stanza.attrs.xmlns === 'passive' && child(stanza, 'active') !== undefined) welcome(device);
      } else if (stanza.tag === 'message') {
        await takeMessage(device, stanza);
      }
    },
    close(line) {
      lines.get(line)?.detach(line);
      lines.delete(line);
    },
    ignoreQueries(...namespaces) {
      for (const namespace of namespaces) ignored.add(namespace);
    },
  };
}

/** The device that a login names, if the login's Noise key is its own. */
function findDevice(
  { account, devices }: World,
  { clientStatic, payload }: ClientFinish,
): LinkedDevice | undefined {
  if (String(payload.username) !== account.phone) return undefined;
  return devices.find(({ number, noiseKey }) => number === payload.device && noiseKey.equals(clientStatic));
}

/** Refuses a client that has just opened a line: with 401, 403, 405, 503 … */
export function refuse(line: Line, code: number): void {
  line.send(node('failure', { reason: String(code), location: 'loopback' }));
  line.hangUp();
}
