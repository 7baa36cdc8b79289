import type { BinaryNode, proto } from '@whiskeysockets/baileys';
import type { FakeAccount } from './account.js';
import type { Line } from './line.js';
import { attribute, child, node } from './nodes.js';
import type { Registration } from './registration.js';
import type { KeyBundle } from './signal-peer.js';

/** A linked device as the server knows it: its keys, its line, and what is still to be delivered to it. */
export interface LinkedDevice {
  readonly number: number;
  /** `5511…:3@s.whatsapp.net` */
  readonly jid: string;
  /** `1234…:3@lid` */
  readonly lid: string;
  readonly noiseKey: Buffer;
  /** Its name, and how much history it asked for; unknown if it was linked without pairing. */
  readonly properties: proto.DeviceProps | undefined;
  /** The keys it uploaded and nobody took yet. */
  readonly preKeys: ReadonlyMap<number, Uint8Array>;
  /** Every stanza that came from it, the oldest first. */
  readonly received: readonly BinaryNode[];
  readonly logins: number;
  readonly isOnline: boolean;
  /** It was unlinked, by itself or by the phone; it cannot log in any more. */
  readonly isRemoved: boolean;

  /** Takes a line over; an older one is told that it was replaced. */
  attach(line: Line): void;
  /** Forgets a line that has closed. */
  detach(line: Line): void;
  record(stanza: BinaryNode): void;
  /** Keys for a new Signal session; takes one of the uploaded ones, if there is any. */
  takeBundle(): KeyBundle;
  addPreKeys(keys: ReadonlyMap<number, Uint8Array>): void;
  /** Sends a stanza that is lost if the device is away. */
  send(stanza: BinaryNode): void;
  /** Sends a stanza that is kept, and sent again at the next login, until the device has confirmed it. */
  deliver(stanza: BinaryNode): void;
  /** Sends what was kept, marked as old; gives how much it was. */
  deliverKept(): number;

  /** The network goes away, without a goodbye. */
  drop(): void;
  /** The network goes away and nobody is told: what the device sends is not read. */
  freeze(): void;
  /** The server closes the web socket. */
  hangUp(): void;
  /** The server ends the stream with a code: 503, 515 and their like. */
  endStream(code: number): void;
  /** Another login with the same credentials: 440. */
  replace(): void;
  /** The phone unlinks the device: 401. */
  unlink(): void;
  /** The device has unlinked itself. */
  forget(): void;
}

export function createLinkedDevice(
  account: FakeAccount,
  number: number,
  { noiseKey, bundle, properties }: Registration,
): LinkedDevice {
  const preKeys = new Map<number, Uint8Array>();
  const received: BinaryNode[] = [];
  const kept = new Map<string, BinaryNode>();
  let line: Line | undefined;
  let logins = 0;
  let isRemoved = false;

  function endWith(stanza: BinaryNode): void {
    line?.send(stanza);
    line?.hangUp();
  }

  const device: LinkedDevice = {
    number,
    jid: `${account.phone}:${number}@s.whatsapp.net`,
    lid: `${account.lid}:${number}@lid`,
    noiseKey,
    properties,
    preKeys,
    received,
    get logins() {
      return logins;
    },
    get isOnline() {
      return line?.isOpen === true;
    },
    get isRemoved() {
      return isRemoved;
    },
    attach(next) {
      device.replace();
      line = next;
      logins += 1;
    },
    detach(closed) {
      if (line === closed) line = undefined;
    },
    record(stanza) {
      received.push(stanza);
      if (stanza.tag === 'receipt' || stanza.tag === 'ack') kept.delete(attribute(stanza, 'id'));
    },
    takeBundle() {
      const [first] = preKeys;
      if (first === undefined) return bundle;
      const [id, value] = first;
      preKeys.delete(id);
      return { ...bundle, preKey: { id, value } };
    },
    addPreKeys(keys) {
      for (const [id, value] of keys) preKeys.set(id, value);
    },
    send: (stanza) => line?.send(stanza),
    deliver(stanza) {
      kept.set(attribute(stanza, 'id'), stanza);
      line?.send(stanza);
    },
    deliverKept() {
      for (const { tag, attrs, content } of kept.values())
        line?.send(node(tag, { ...attrs, offline: '0' }, content));
      return kept.size;
    },
    drop: () => line?.drop(),
    freeze: () => line?.freeze(),
    hangUp: () => line?.hangUp(),
    endStream(code) {
      endWith(node('stream:error', { code: String(code) }));
    },
    replace() {
      endWith(node('stream:error', {}, [node('conflict', { type: 'replaced' })]));
    },
    unlink() {
      isRemoved = true;
      endWith(node('stream:error', { code: '401' }, [node('conflict', { type: 'device_removed' })]));
    },
    forget() {
      isRemoved = true;
    },
  };
  return device;
}

/** Whether the device asked to be unlinked. */
export function asksToBeUnlinked(stanza: BinaryNode): boolean {
  return stanza.attrs.xmlns === 'md' && child(stanza, 'remove-companion-device') !== undefined;
}
