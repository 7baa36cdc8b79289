import { generateSignalPubKey, proto } from '@whiskeysockets/baileys';
import type { KeyBundle } from './signal-peer.js';
import { isGenuine } from './xeddsa.js';

/** What a client that is not linked yet says about itself in the handshake. */
export interface Registration {
  /** Its long-term Noise key, by which a login is recognized later. */
  noiseKey: Buffer;
  bundle: KeyBundle;
  /** Its name, and how much history it asks for. */
  properties?: proto.DeviceProps;
}

/** Reads a registration from the handshake's payload; undefined if the client logs in instead. Throws on a false signature. */
export function readRegistration(
  noiseKey: Buffer,
  { devicePairingData }: proto.ClientPayload,
): Registration | undefined {
  if (devicePairingData === null || devicePairingData === undefined) return undefined;
  const { eRegid, eIdent, eSkeyId, eSkeyVal, eSkeySig, deviceProps } = devicePairingData;
  const signed = generateSignalPubKey(required(eSkeyVal));
  if (!isGenuine(required(eIdent), signed, required(eSkeySig))) {
    throw new Error('the client did not sign its signed pre-key');
  }
  return {
    noiseKey,
    bundle: {
      registrationId: readBigEndian(required(eRegid)),
      identity: required(eIdent),
      signedPreKey: {
        id: readBigEndian(required(eSkeyId)),
        value: required(eSkeyVal),
        signature: required(eSkeySig),
      },
    },
    properties: proto.DeviceProps.decode(required(deviceProps)),
  };
}

export function readBigEndian(bytes: Uint8Array): number {
  return Buffer.from(bytes).readUIntBE(0, bytes.length);
}

function required(bytes: Uint8Array | null | undefined): Uint8Array {
  if (bytes === null || bytes === undefined) throw new Error('the registration lacks a field');
  return bytes;
}
