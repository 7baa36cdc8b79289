import { setTimeout as sleep } from 'node:timers/promises';
import { deflateSync } from 'node:zlib';
import { type BinaryNode, getBinaryNodeChild, proto } from '@whiskeysockets/baileys';
import { type FakePerson, lidOf, pnOf, type World } from './account.js';
import type { LinkedDevice } from './linked-device.js';
import type { BlobState, MediaStore } from './media-store.js';
import { attribute, messageId, node, unixSeconds } from './nodes.js';
import type { EncryptionType, SignalPeer } from './signal-peer.js';

const { ProtocolMessage, PeerDataOperationRequestType } = proto.Message;

/** How a chunk of history travels to a device. */
export interface Delivery {
  /** `inline` (the default): inside the message. `blob`: in a file; one that is not there, or does not decrypt, on demand. */
  as?: 'inline' | 'blob' | 'missing-blob' | 'corrupt-blob';
  /** The address that the account's phone writes from; its number by default. */
  from?: 'phone' | 'lid';
  /** The id of the request that this answers. */
  sessionId?: string;
  chunkOrder?: number;
  progress?: number;
  /** The phone sends it so long after what came before, in ms. */
  afterMs?: number;
  /** Of a file: so long until its first byte comes, in ms. */
  downloadMs?: number;
}

/** A request for a chat's older messages, as the phone read it. */
export interface HistoryRequest {
  device: LinkedDevice;
  /** What `fetchMessageHistory` gave to its caller. */
  id: string;
  chatJid: string;
  oldestMessageId: string;
  oldestMessageFromMe: boolean;
  /** The number in the field `oldestMsgTimestampMs`, whatever its unit. */
  oldestMessageTimestamp: number;
  count: number;
  /** `pkmsg` begins a Signal session, `msg` goes on with one. */
  encryption: EncryptionType;
}

/** The account's phone sends a chunk of history to a device. */
export async function deliverHistory(
  world: World,
  media: MediaStore,
  device: LinkedDevice,
  history: proto.IHistorySync,
  { as = 'inline', from = 'phone', sessionId, chunkOrder, progress, afterMs = 0, downloadMs = 0 }: Delivery,
): Promise<void> {
  if (afterMs > 0) await sleep(afterMs);
  const packed = deflateSync(proto.HistorySync.encode(history).finish());
  const payload =
    as === 'inline'
      ? { initialHistBootstrapInlinePayload: packed }
      : await media.put(packed, BLOB_STATES[as], downloadMs);
  const notification = proto.Message.HistorySyncNotification.fromObject({
    ...payload,
    syncType: history.syncType,
    ...(sessionId !== undefined && { peerDataRequestSessionId: sessionId }),
    ...(chunkOrder !== undefined && { chunkOrder }),
    ...(progress !== undefined && { progress }),
  });
  await deliver(world.phone, device, from === 'lid' ? lidOf(world.account) : pnOf(world.account), {
    content: {
      protocolMessage: {
        type: ProtocolMessage.Type.HISTORY_SYNC_NOTIFICATION,
        historySyncNotification: notification,
      },
    },
    attrs: { category: 'peer', type: 'text' },
  });
}

/** The account's phone gives a device the key of the account's settings and address book, as it does after every pairing. */
export async function shareAppStateKey(world: World, device: LinkedDevice): Promise<void> {
  const { id, data } = world.appStateKey;
  await deliver(world.phone, device, pnOf(world.account), {
    content: {
      protocolMessage: {
        type: ProtocolMessage.Type.APP_STATE_SYNC_KEY_SHARE,
        appStateSyncKeyShare: {
          keys: [
            {
              keyId: { keyId: id },
              keyData: {
                keyData: data,
                fingerprint: { rawId: 1, currentIndex: 0, deviceIndexes: [0] },
                timestamp: Date.now(),
              },
            },
          ],
        },
      },
    },
    attrs: { category: 'peer', type: 'text' },
  });
}

/** The owner writes to somebody on the phone: every linked device gets a copy. */
export async function deliverOwnMessage(
  { account, phone }: World,
  device: LinkedDevice,
  to: string,
  content: proto.IMessage,
): Promise<void> {
  await deliver(phone, device, pnOf(account), {
    content: { deviceSentMessage: { destinationJid: to, message: content } },
    attrs: { type: 'text', recipient: to },
  });
}

/** Somebody else writes to the account: the message reaches a device. */
export async function deliverMessage(
  { person, peer }: { person: FakePerson; peer: SignalPeer },
  device: LinkedDevice,
  content: proto.IMessage,
  id: string,
): Promise<void> {
  await deliver(peer, device, pnOf(person), {
    content,
    attrs: { id, type: 'text', notify: person.name ?? '', sender_lid: lidOf(person) },
  });
}

async function deliver(
  peer: SignalPeer,
  device: LinkedDevice,
  from: string,
  { content, attrs }: { content: proto.IMessage; attrs: Record<string, string> },
): Promise<void> {
  const enc = await peer.encrypt(device.jid, () => device.takeBundle(), content);
  device.deliver(node('message', { id: messageId(), from, t: unixSeconds(), ...attrs }, [enc]));
}

/** Reads a device's message to the account's own phone; undefined if it asks for no history. */
export async function readHistoryRequest(
  { phone }: World,
  device: LinkedDevice,
  stanza: BinaryNode,
): Promise<HistoryRequest | undefined> {
  const enc = getBinaryNodeChild(stanza, 'enc');
  if (enc === undefined || !(enc.content instanceof Uint8Array)) return undefined;
  const encryption = attribute(enc, 'type') === 'pkmsg' ? 'pkmsg' : 'msg';
  const message = await phone.decrypt(device.jid, encryption, enc.content);
  const protocolMessage = (message.deviceSentMessage?.message ?? message).protocolMessage;
  const operation = protocolMessage?.peerDataOperationRequestMessage;
  const wanted = operation?.historySyncOnDemandRequest;
  if (
    operation?.peerDataOperationRequestType !== PeerDataOperationRequestType.HISTORY_SYNC_ON_DEMAND ||
    wanted === null ||
    wanted === undefined
  ) {
    return undefined;
  }
  return {
    device,
    id: attribute(stanza, 'id'),
    chatJid: wanted.chatJid ?? '',
    oldestMessageId: wanted.oldestMsgId ?? '',
    oldestMessageFromMe: wanted.oldestMsgFromMe === true,
    oldestMessageTimestamp: Number(wanted.oldestMsgTimestampMs ?? 0),
    count: wanted.onDemandMsgCount ?? 0,
    encryption,
  };
}

const BLOB_STATES = {
  blob: 'whole',
  'missing-blob': 'missing',
  'corrupt-blob': 'corrupt',
} as const satisfies Record<string, BlobState>;
