import { randomBytes } from 'node:crypto';
import {
  type BinaryNode,
  Curve,
  hmacSign,
  proto,
  S_WHATSAPP_NET,
  WA_ADV_ACCOUNT_SIG_PREFIX,
  WA_ADV_DEVICE_SIG_PREFIX,
} from '@whiskeysockets/baileys';
import type { World } from './account.js';
import type { Line } from './line.js';
import { createLinkedDevice, type LinkedDevice } from './linked-device.js';
import { bytesOf, child, messageId, node, unixSeconds } from './nodes.js';
import type { Registration } from './registration.js';
import type { SignalPeer } from './signal-peer.js';
import { isGenuine } from './xeddsa.js';

/** As many QR codes as WhatsApp lets a client show, one after the other. */
const REFS = 6;
const NONE = Buffer.alloc(0);
const RESTART_REQUIRED = '515';

/** A client that waits to be linked. */
export interface Candidate {
  readonly line: Line;
  readonly registration: Registration;
  /** What the client puts into its QR codes, so that the server finds it again. */
  readonly refs: readonly string[];
  /** Settles when the client has countersigned its identity. */
  settled?: { device: LinkedDevice; resolve(device: LinkedDevice): void };
}

/** Offers to link a client that has just registered: the stanza from which it makes its QR codes. */
export function offerPairing(line: Line, registration: Registration): Candidate {
  const refs = Array.from({ length: REFS }, () => `2@${randomBytes(24).toString('base64')}`);
  line.send(
    node('iq', { from: S_WHATSAPP_NET, type: 'set', id: messageId(), xmlns: 'md' }, [
      node(
        'pair-device',
        {},
        refs.map((ref) => node('ref', {}, Buffer.from(ref))),
      ),
    ]),
  );
  return { line, registration, refs };
}

/** The parts of the text inside a QR code; throws if it is none of WhatsApp's. */
export function readQr(qr: string): { ref: string; noiseKey: Buffer; identity: Buffer; advSecret: Buffer } {
  const [ref, noise, identity, adv] = qr.slice(qr.indexOf('#') + 1).split(',');
  if (ref === undefined || noise === undefined || identity === undefined || adv === undefined) {
    throw new Error(`this is no QR code of WhatsApp: ${qr}`);
  }
  return {
    ref,
    noiseKey: Buffer.from(noise, 'base64'),
    identity: Buffer.from(identity, 'base64'),
    advSecret: Buffer.from(adv, 'base64'),
  };
}

/** Makes a device of a registration: the phone signs the client's identity, and the server has a stanza that says so. */
export function linkDevice(
  world: World,
  registration: Registration,
  advSecret: Uint8Array,
): { device: LinkedDevice; pairSuccess: BinaryNode } {
  const device = createLinkedDevice(world.account, world.devices.length + 1, registration);
  world.devices.push(device);
  const pairSuccess = node('iq', { from: S_WHATSAPP_NET, type: 'set', id: messageId(), t: unixSeconds() }, [
    node('pair-success', {}, [
      node('device-identity', {}, signIdentity(world, device.number, registration, advSecret)),
      node('device', { jid: device.jid, lid: device.lid }),
      node('platform', { name: 'android' }),
    ]),
  ]);
  return { device, pairSuccess };
}

/** Links a client that waits; settles when it has countersigned and was told to log in anew (515). */
export function confirmPairing(
  world: World,
  candidate: Candidate,
  advSecret: Uint8Array,
): Promise<LinkedDevice> {
  const { device, pairSuccess } = linkDevice(world, candidate.registration, advSecret);
  world.newcomers.add(device);
  return new Promise((resolve) => {
    candidate.settled = { device, resolve };
    candidate.line.send(pairSuccess);
  });
}

/** Takes the client's signature; true if the stanza was one. Throws if it is not genuine. */
export function settlePairing(
  { identity: account }: SignalPeer,
  { line, registration, settled }: Candidate,
  stanza: BinaryNode,
): boolean {
  const sign = child(stanza, 'pair-device-sign');
  if (sign === undefined || settled === undefined) return false;
  const { details, deviceSignature } = proto.ADVSignedDeviceIdentity.decode(bytesOf(sign, 'device-identity'));
  const { identity } = registration.bundle;
  const signed = Buffer.concat([WA_ADV_DEVICE_SIG_PREFIX, details ?? NONE, identity, account.public]);
  if (!isGenuine(identity, signed, deviceSignature ?? NONE))
    throw new Error('the client did not sign its identity');
  line.send(node('stream:error', { code: RESTART_REQUIRED }));
  line.hangUp();
  settled.resolve(settled.device);
  return true;
}

function signIdentity(
  { phone: { identity } }: World,
  keyIndex: number,
  { bundle }: Registration,
  advSecret: Uint8Array,
): Uint8Array {
  const details = proto.ADVDeviceIdentity.encode({
    rawId: 1,
    timestamp: Math.floor(Date.now() / 1000),
    keyIndex,
    accountType: proto.ADVEncryptionType.E2EE,
    deviceType: proto.ADVEncryptionType.E2EE,
  }).finish();
  const signed = proto.ADVSignedDeviceIdentity.encode({
    details,
    accountSignatureKey: identity.public,
    accountSignature: Curve.sign(
      identity.private,
      Buffer.concat([WA_ADV_ACCOUNT_SIG_PREFIX, details, bundle.identity]),
    ),
  }).finish();
  return proto.ADVSignedDeviceIdentityHMAC.encode({
    details: signed,
    hmac: hmacSign(Buffer.from(signed), advSecret),
  }).finish();
}
