import { identitiesOfUser } from '../../identity/identities.js';
import { parseJid } from '../../identity/jid.js';
import { CUT_LENGTH, idOfCut } from '../../model/chat-line.js';
import type { Fact, MessageContent, MessageFact, ReactionFact } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { rejected, skipped, skippedChat } from '../baileys/outcomes.js';
import { labelOf } from '../contents/wording.js';
import type { DecodeOptions } from '../options.js';
import { asObject, emojiOf, externalIdOf, numberOf, textOf } from '../read.js';
import { parseTimestamp } from '../timestamp.js';

/**
 * WhatsApp-Chat-Exporter's JSON: the messages of a phone's own database, read from a backup of Android or iOS. Its ids are
 * WhatsApp's; on iOS it cuts them to {@link CUT_LENGTH} characters.
 */
export type ExporterPlatform = 'android' | 'ios' | undefined;

/** The exporter's chat for calls; it has no owner. */
const CALLS = '000000000000000';

/** `android`, `ios`; undefined if the chat does not say, or says something else. */
export function platformOf(value: JsonValue | undefined): ExporterPlatform {
  return value === 'android' || value === 'ios' ? value : undefined;
}

/** The phone's name for a chat. It may be from the address book or the person, so it counts as the weaker. */
export function nameFacts(chat: string, name: JsonValue | undefined, path: string, at: number): Fact[] {
  const { kind, jid } = parseJid(chat);
  const said = textOf(name);
  if (said === undefined || (kind !== 'user' && kind !== 'lid')) return [];
  return [{ kind: 'profile', path: `${path}.name`, who: identitiesOfUser(jid), name: said, at }];
}

/** One message of a chat gives one fact about itself, and one for each reaction to it. */
export function messageFacts(
  chat: string,
  platform: ExporterPlatform,
  element: JsonValue | undefined,
  path: string,
  options: DecodeOptions,
): Fact[] {
  const message = asObject(element);
  if (message === undefined) return [rejected('message', 'not_an_object', path, element ?? null)];
  if (chat === CALLS) return [skipped('message', 'system', path)];
  const { kind, jid } = parseJid(chat);
  const skip = skippedChat(kind, options.include);
  if (skip !== undefined) return [skipped('message', skip, path)];
  if (kind === 'unknown') return [rejected('message', 'missing_counterpart', path, message)];

  const content = readContent(message, platform);
  if (content.kind === 'skip') return [skipped('message', content.reason, path)];
  // The exporter numbers the lines of a chat export: that names no message.
  const given = typeof message.key_id === 'string' ? externalIdOf(message.key_id) : undefined;
  const isCut = given?.length === CUT_LENGTH;
  if (given === undefined || (isCut && platform !== 'ios'))
    return [rejected('message', 'missing_id', path, message)];
  const own = parseTimestamp(message.timestamp);
  const at = own ?? options.receivedAt;
  if (at === undefined) return [rejected('message', 'bad_timestamp', path, message)];

  const isOneToOne = kind === 'user' || kind === 'lid';
  const counterpart = isOneToOne ? identitiesOfUser(jid) : { waId: jid };
  const fromMe = message.from_me === true || message.from_me === 1;
  const { grade, meta } = content;
  const rawMeta: JsonObject = { ...meta, ...(own === undefined ? { timestampFrom: 'received_at' } : {}) };
  const sender = isOneToOne ? undefined : textOf(message.sender);
  if (sender !== undefined) rawMeta.participant = sender;
  const direction = fromMe ? 'OUTBOUND' : 'INBOUND';
  // The phone keeps milliseconds where WhatsApp's own times are seconds.
  const timestamp = at - (at % 1000);
  const cut = isCut ? ({ beginning: given, direction, at: timestamp } as const) : undefined;
  const reply = externalIdOf(message.reply);
  const isReplyCut = platform === 'ios' && reply?.length === CUT_LENGTH;
  if (isReplyCut) rawMeta.replyToBeginning = reply;
  const fact: MessageFact = {
    kind: 'message',
    path,
    origin: 'history',
    externalId: cut === undefined ? given : idOfCut(cut),
    ...(cut === undefined ? { stanzaId: given } : { witness: cut }),
    counterpart,
    direction,
    timestamp,
    grade,
    isSyncInitial: false,
    ...content.content,
    contextExternalId: isReplyCut ? undefined : reply,
    ...(fromMe && isPastTime(message.read_timestamp) ? { status: 'read', historyStatus: 'read' } : {}),
    rawMeta: Object.keys(rawMeta).length === 0 ? undefined : rawMeta,
  };
  const reactions = reactionFacts(fact, message.reactions);
  // Its own id, which a reaction has to name, is not known.
  return [fact, ...(cut === undefined ? reactions : reactions.map(leftOut))];
}

/** `{name: emoji}`; `You` is the owner of the phone. They carry no time: any dated reaction of the same person is newer. */
function reactionFacts(message: MessageFact, reactions: JsonValue | undefined): ReactionFact[] {
  return Object.entries(asObject(reactions) ?? {}).map(([name, emoji]) => ({
    kind: 'reaction',
    path: `${message.path}.reactions[${JSON.stringify(name)}]`,
    targetExternalId: message.externalId,
    reactor: name === 'You' ? 'business' : message.counterpart.waId?.includes('@') ? name : 'customer',
    emoji: emojiOf(emoji),
    at: message.timestamp,
    counterpart: message.counterpart,
    live: false,
  }));
}

function leftOut({ path }: ReactionFact): Fact {
  return skipped('reaction', 'protocol', path);
}

/** Whether a time as the exporter formats it is one; for what never happened it writes the first day of 1970. */
function isPastTime(value: JsonValue | undefined): boolean {
  const year = typeof value === 'string' ? /^(\d{4})\/\d\d\/\d\d/.exec(value)?.[1] : undefined;
  return Number(year ?? 0) >= 2009;
}

type Content =
  | { kind: 'message'; content: ExportedContent; grade: MessageFact['grade']; meta: JsonObject }
  | { kind: 'skip'; reason: 'system' | 'stub' };

type ExportedContent = MessageContent & Pick<MessageFact, 'bodyIsLabel'>;

type Kind =
  | 'text'
  | 'image'
  | 'video'
  | 'gif'
  | 'audio'
  | 'document'
  | 'sticker'
  | 'contacts'
  | 'location'
  | 'poll'
  | 'group_invite'
  | 'unsupported'
  | 'system'
  | 'deleted';

/** `message.message_type` of Android's database. */
const ANDROID_TYPES: ReadonlyMap<number, Kind> = new Map<number, Kind>([
  [1, 'image'],
  [2, 'audio'],
  [3, 'video'],
  [4, 'contacts'],
  [5, 'location'],
  [7, 'system'],
  [8, 'system'],
  [9, 'document'],
  [10, 'system'],
  [11, 'unsupported'],
  [13, 'gif'],
  [14, 'contacts'],
  [15, 'deleted'],
  [16, 'location'],
  [20, 'sticker'],
  [24, 'group_invite'],
  [42, 'image'],
  [43, 'video'],
  [64, 'deleted'],
  [66, 'poll'],
  [81, 'video'],
  [82, 'audio'],
  [90, 'system'],
]);

/** `ZMESSAGETYPE` of iOS's database. */
export const IOS_TYPES: ReadonlyMap<number, Kind> = new Map<number, Kind>([
  [1, 'image'],
  [2, 'video'],
  [3, 'audio'],
  [4, 'contacts'],
  [5, 'location'],
  [6, 'system'],
  [8, 'document'],
  [10, 'system'],
  [11, 'gif'],
  [12, 'system'],
  [14, 'deleted'],
  [15, 'sticker'],
]);

const MISSING_FILE = 'The media is missing';

function readContent(message: JsonObject, platform: ExporterPlatform): Content {
  const kind = kindOf(message, platform);
  if (kind === 'deleted') return { kind: 'skip', reason: 'stub' };
  if (kind === 'system') return { kind: 'skip', reason: 'system' };
  const data = textOf(message.data);
  switch (kind) {
    case 'text':
      return data === undefined ? placeholder('unsupported') : said('text', data);
    case 'contacts':
      return readContacts(data);
    case 'location':
      return readLocation(data);
    case 'poll':
    case 'group_invite':
      return data === undefined ? placeholder(kind) : said(kind, data);
    case 'unsupported':
      return placeholder('unsupported');
    case 'image':
    case 'video':
    case 'gif':
    case 'audio':
    case 'document':
    case 'sticker':
      return readFile(kind, message, platform);
  }
}

/** By the phone's own type; where there is none, by the type of the file. */
function kindOf(message: JsonObject, platform: ExporterPlatform): Kind {
  if (message.sticker === true) return 'sticker';
  const type = numberOf(message.message_type) ?? 0;
  // Without the platform, only what both agree upon.
  const known =
    platform === 'android'
      ? ANDROID_TYPES.get(type)
      : platform === 'ios' || ANDROID_TYPES.get(type) === IOS_TYPES.get(type)
        ? IOS_TYPES.get(type)
        : undefined;
  if (known !== undefined) return known;
  const mime = textOf(message.mime);
  if (message.media === true || mime !== undefined) return kindOfMime(mime);
  if (message.meta !== true) return 'text';
  if (message.data === 'Message deleted') return 'deleted';
  return textOf(message.data)?.startsWith('The message is binary data') === true ? 'unsupported' : 'system';
}

function kindOfMime(mime: string | undefined): Kind {
  if (mime === 'text/x-vcard') return 'contacts';
  const [main] = (mime ?? '').split('/');
  return main === 'image' || main === 'video' || main === 'audio' ? main : 'document';
}

/** `<br>` stands for a line end, with a space before it on Android. A text that holds one may have had it literally. */
function said(type: string, data: string): Content {
  const isExact = !data.includes('<br>');
  return {
    kind: 'message',
    content: { type, body: withLines(data) },
    // So that any other copy of the text, which has its own line ends, is preferred (M2).
    grade: isExact ? 'content' : 'media_without_id',
    meta: {},
  };
}

function withLines(text: string): string {
  return text.replace(/ ?<br>/g, '\n');
}

function placeholder(type: string): Content {
  const content = { type, body: labelOf(type).body, bodyIsLabel: true };
  return { kind: 'message', content, grade: 'placeholder', meta: {} };
}

function readFile(
  kind: 'image' | 'video' | 'gif' | 'audio' | 'document' | 'sticker',
  message: JsonObject,
  platform: ExporterPlatform,
): Content {
  const mimeType = textOf(message.mime);
  // `media` and `application/octet-stream` are the exporter's words for unknown.
  const isKnown = mimeType?.includes('/') === true && mimeType !== 'application/octet-stream';
  const caption = textOf(message.caption);
  // iOS keeps a document's name where other files have their caption.
  const isName = kind === 'document' && platform === 'ios';
  const file = textOf(message.data);
  return {
    kind: 'message',
    content: {
      type: kind === 'gif' ? 'video' : kind,
      // The caption of a voice message is the phone's own transcription.
      body: isName || kind === 'audio' || caption === undefined ? undefined : withLines(caption),
      media: {
        ...(isKnown ? { mimeType } : {}),
        ...(isName && caption !== undefined ? { fileName: caption } : {}),
      },
    },
    grade: 'media_without_id',
    meta: {
      ...(kind === 'gif' ? { animated: true } : {}),
      ...(kind === 'audio' && caption !== undefined
        ? { transcription: caption.replace(/^"([^]*)"$/, '$1') }
        : {}),
      ...(message.media === true && file !== undefined && file !== MISSING_FILE
        ? { exportedFile: file }
        : {}),
    },
  };
}

/** The exporter writes links to the cards, as HTML. */
function readContacts(data: string | undefined): Content {
  const names = [...(data ?? '').matchAll(/>([^<>]+)<\/a>/g)].map(([, name = '']) => unescapeHtml(name));
  if (names.length === 0) return placeholder('contacts');
  return {
    kind: 'message',
    content: { type: 'contacts', body: names.join(', ') },
    grade: 'media_without_id',
    meta: {},
  };
}

/** `Location shared: (-23.5, -46.6)`, without the name of the place. */
function readLocation(data: string | undefined): Content {
  const match = /\((-?\d+(?:\.\d+)?), (-?\d+(?:\.\d+)?)\)/.exec(data ?? '');
  if (match === null) return placeholder('location');
  const [, latitude = '', longitude = ''] = match;
  return {
    kind: 'message',
    content: { type: 'location', body: `${latitude},${longitude}` },
    grade: 'media_without_id',
    meta: { location: { latitude: Number(latitude), longitude: Number(longitude) } },
  };
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  '#34': '"',
  '#39': "'",
  quot: '"',
};

function unescapeHtml(text: string): string {
  return text.replace(/&(#?\w+);/g, (whole, name: string) => ENTITIES[name] ?? whole);
}
