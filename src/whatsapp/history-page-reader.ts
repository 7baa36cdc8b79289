import {
  downloadAndProcessHistorySyncNotification,
  isLidUser,
  jidNormalizedUser,
  type LIDMapping,
  type proto,
  type WASocket,
} from '@whiskeysockets/baileys';
import { ANCHOR_TIME_UNIT_MS, NOTHING_OLDER } from './assumptions.js';
import type { HistoryAnchor } from './history-page.js';
import { rawEvent } from './tap-events.js';

/** A blob of one page is some 50 KB; a line that cannot bring it in this time will not. */
const DOWNLOAD_TIMEOUT_MS = 60_000;

type ProcessedHistory = Awaited<ReturnType<typeof downloadAndProcessHistorySyncNotification>>;

/** A page as it came, whoever asked for it. */
export interface ReadPage {
  raw: Uint8Array;
  messages: number;
  /** Every chat and address that it is about, normalised. */
  addresses: ReadonlySet<string>;
  /** Where it stands among the chunks of its answer, if the phone says so. */
  chunkOrder: number | null;
  /** What it holds of a chat under these addresses. */
  about(addresses: ReadonlySet<string>): ChatPart;
}

/** One chat's part of a chunk. */
interface ChatPart {
  /** Its messages, as anchors. */
  messages: readonly HistoryAnchor[];
  /** The phone says that it has nothing older. */
  endOfHistory: boolean;
}

/**
 * Downloads and reads what a notification announces, with Baileys' own functions but outside its event buffer, which cuts
 * pages and swallows errors. Throws what the download throws.
 */
export async function readPage(
  sock: WASocket,
  notification: proto.Message.IHistorySyncNotification,
  signal: AbortSignal,
): Promise<ReadPage> {
  const set = await downloadAndProcessHistorySyncNotification(notification, {
    signal: AbortSignal.any([signal, AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS)]),
  });
  const pairs = [...set.lidPnMappings, ...(await learnPairs(sock, set))];
  const raw = rawEvent('messaging-history.set', {
    ...set,
    lidPnMappings: pairs,
    chunkOrder: notification.chunkOrder ?? null,
    peerDataRequestSessionId: notification.peerDataRequestSessionId ?? null,
  });
  const addressesOf = (...jids: (string | null | undefined)[]): string[] =>
    jids.flatMap((jid) => (jid === null || jid === undefined || jid === '' ? [] : [jidNormalizedUser(jid)]));
  /** These addresses, and the other ones of the same people, as far as the page tells. */
  const withOthers = (addresses: Iterable<string>): Set<string> => {
    const all = new Set(addresses);
    for (const { lid, pn } of pairs) {
      const pair = addressesOf(lid, pn);
      if (pair.some((jid) => all.has(jid))) for (const jid of pair) all.add(jid);
    }
    return all;
  };
  return {
    raw,
    messages: set.messages.length,
    chunkOrder: notification.chunkOrder ?? null,
    addresses: withOthers([
      ...set.chats.flatMap(({ id, pnJid, lidJid }) => addressesOf(id, pnJid, lidJid)),
      ...set.messages.flatMap(({ key }) => addressesOf(key.remoteJid)),
    ]),
    about: (asked) => {
      const addresses = withOthers(asked);
      const isMeant = (...jids: (string | null | undefined)[]): boolean =>
        addressesOf(...jids).some((jid) => addresses.has(jid));
      const own = set.messages.flatMap((message) =>
        isMeant(message.key.remoteJid) ? (anchorOf(message) ?? []) : [],
      );
      return {
        messages: own,
        endOfHistory: set.chats.some(
          ({ id, pnJid, lidJid, endOfHistoryTransferType }) =>
            isMeant(id, pnJid, lidJid) && endOfHistoryTransferType === NOTHING_OLDER,
        ),
      };
    },
  };
}

/**
 * Learns who is who from a page, and tells what earlier messages have told about the LIDs in it. What cannot be learned, or
 * looked up, costs no page: it is confirmed to WhatsApp, and has to be kept.
 */
async function learnPairs(sock: WASocket, set: ProcessedHistory): Promise<LIDMapping[]> {
  try {
    if (set.lidPnMappings.length > 0)
      await sock.signalRepository.lidMapping.storeLIDPNMappings(set.lidPnMappings);
    return await knownPairs(sock, set);
  } catch {
    return [];
  }
}

/** What earlier messages have told this device about the LIDs in a page that does not say whose they are. */
async function knownPairs(
  sock: WASocket,
  { chats, messages, lidPnMappings }: ProcessedHistory,
): Promise<LIDMapping[]> {
  const told = new Set([
    ...lidPnMappings.map(({ lid }) => jidNormalizedUser(lid)),
    ...chats.flatMap(({ id, pnJid }) => (typeof id === 'string' && typeof pnJid === 'string' ? [id] : [])),
  ]);
  const ids = [...chats.map(({ id }) => id), ...messages.map(({ key }) => key.remoteJid)];
  const unknown = ids.flatMap((id) =>
    typeof id === 'string' && isLidUser(id) === true && !told.has(id) ? [id] : [],
  );
  if (unknown.length === 0) return [];
  const known = await sock.signalRepository.lidMapping.getPNsForLIDs([...new Set(unknown)]);
  // They come with a device: `5511…:0@s.whatsapp.net`.
  return (known ?? []).map(({ lid, pn }) => ({ lid: jidNormalizedUser(lid), pn: jidNormalizedUser(pn) }));
}

function anchorOf({ key, messageTimestamp }: proto.IWebMessageInfo): HistoryAnchor | undefined {
  const seconds = Number(messageTimestamp ?? 0);
  const { id, remoteJid, fromMe } = key ?? {};
  if (typeof id !== 'string' || typeof remoteJid !== 'string' || id === '' || seconds <= 0) return undefined;
  return { id, remoteJid, fromMe: fromMe === true, timestampMs: seconds * ANCHOR_TIME_UNIT_MS };
}
