import type { ContentGrade, Media } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { vcardText } from '../contents/vcards.js';
import {
  amountText,
  labelOf,
  lineText,
  linesOf,
  moneyText,
  textInside,
  timeText,
  type Wording,
} from '../contents/wording.js';
import { asArray, asObject, numberOf, textOf } from '../read.js';
import {
  readButtons,
  readInteractive,
  readInteractiveResponse,
  readList,
  readNamedTemplate,
  readReply,
  readTemplate,
} from './interactive-types.js';
import { base64Of, enumOf, integerOf, shortText, smallFieldsOf, withoutAbsent } from './proto-values.js';

/** A content in the terms of MessageContent, without envelopes and context. */
export interface Reading extends Partial<Wording> {
  type: string;
  media?: Media;
  /** Absent: `content`. */
  grade?: ContentGrade;
  meta?: JsonObject;
}

type Reader = (content: JsonObject) => Reading;

/** A message may list hundreds of contacts or options; raw_body has them all. */
const MAX_META_LIST = 50;

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['extendedTextMessage', (o) => ({ type: 'text', body: textOf(o.text) })],
  ['imageMessage', (o) => readMedia('image', o)],
  ['videoMessage', (o) => readMedia('video', o)],
  ['ptvMessage', (o) => readMedia('video', o)],
  ['audioMessage', (o) => readMedia('audio', o)],
  ['stickerMessage', (o) => readMedia('sticker', o)],
  ['documentMessage', (o) => readMedia('document', o)],
  ['locationMessage', readLocation],
  ['liveLocationMessage', readLocation],
  ['contactMessage', (o) => readContacts([o])],
  ['contactsArrayMessage', (o) => readContacts(asArray(o.contacts) ?? [], textOf(o.displayName))],
  ['buttonsResponseMessage', (o) => readReply(o.selectedDisplayText, o.selectedButtonId)],
  ['templateButtonReplyMessage', (o) => readReply(o.selectedDisplayText, o.selectedId)],
  [
    'listResponseMessage',
    (o) =>
      readReply(
        textOf(o.title) ?? o.description ?? null,
        asObject(o.singleSelectReply)?.selectedRowId ?? null,
        textOf(o.title) === undefined ? undefined : o.description,
      ),
  ],
  ['interactiveResponseMessage', readInteractiveResponse],
  ['buttonsMessage', readButtons],
  ['listMessage', readList],
  ['interactiveMessage', readInteractive],
  ['templateMessage', readTemplate],
  ['highlyStructuredMessage', (o) => ({ ...readNamed('template', undefined, o), ...readNamedTemplate(o) })],
  ['pollCreationMessage', readPoll],
  ['pollCreationMessageV2', readPoll],
  ['pollCreationMessageV3', readPoll],
  ['pollCreationMessageV5', readPoll],
  ['pollResultSnapshotMessage', (o) => ({ type: 'poll', ...worded(textOf(o.name), 'Poll result') })],
  ['pollResultSnapshotMessageV3', (o) => readNamed('pollResultSnapshot', textOf(o.name), o, 'Poll result')],
  ['eventMessage', (o) => readNamed('event', textOf(o.name), o, 'Event')],
  ['orderMessage', (o) => readNamed('order', textOf(o.message) ?? textOf(o.orderTitle), o, orderLabel(o))],
  ['productMessage', readProduct],
  [
    'groupInviteMessage',
    (o) => readNamed('group_invite', textOf(o.caption) ?? textOf(o.groupName), o, 'Group invitation'),
  ],
  // The protobuf's own spelling.
  ['callLogMesssage', (o) => readNamed('call_log', undefined, o, callLabel(o))],
  ['call', (o) => readNamed('call', undefined, o, 'Call')],
  ['sendPaymentMessage', (o) => readPayment(o, 'Payment')],
  ['requestPaymentMessage', (o) => readPayment(o, 'Payment request')],
  ['invoiceMessage', (o) => readNamed('invoice', textOf(o.note), o, 'Invoice')],
  [
    'placeholderMessage',
    (o) => ({
      type: 'unsupported',
      grade: 'placeholder',
      body: 'This message can only be seen on the phone',
      isLabel: true,
      meta: { content: smallFieldsOf(o) },
    }),
  ],
  // Their types are the field names, as for everything that first had no reader.
  ['bcallMessage', (o) => readNamed('bcall', textOf(o.caption), o, 'Call')],
  ['chat', (o) => readNamed('chat', textOf(o.displayName), o, 'Chat')],
  ['commentMessage', readComment],
  ['newsletterAdminInviteMessage', (o) => readInvite('newsletterAdminInvite', o)],
  ['newsletterFollowerInviteMessageV2', (o) => readInvite('newsletterFollowerInvite', o)],
  ['paymentInviteMessage', (o) => readNamed('paymentInvite', undefined, o, 'Payment invitation')],
  ['requestPhoneNumberMessage', (o) => readNamed('requestPhoneNumber', undefined, o, 'Phone number request')],
  ['richResponseMessage', readRichResponse],
  ['scheduledCallCreationMessage', readScheduledCall],
  ['statusNotificationMessage', (o) => readNamed('statusNotification', undefined, o, 'Status notification')],
  [
    'statusStickerInteractionMessage',
    (o) => readNamed('statusStickerInteraction', undefined, o, 'Sticker reaction to a status'),
  ],
  // Evolution API's Cloud instances; the message itself often follows under the same id.
  ['unsupportedMessage', () => ({ type: 'unsupported', grade: 'placeholder', ...labelOf('unsupported') })],
  [
    'stickerPackMessage',
    (o) => readNamed('stickerPack', textOf(o.caption) ?? stickerPackOf(o), o, 'Sticker pack'),
  ],
]);

export function hasReader(key: string): boolean {
  return key === 'conversation' || READERS.has(key);
}

/** Reads one content field of a `proto.Message`; an unknown field gives its own name as the type. */
export function readContentField(key: string, value: JsonValue): Reading {
  if (key === 'conversation') return { type: 'text', body: textOf(value) };
  const object = asObject(value) ?? {};
  const reader = READERS.get(key);
  if (reader !== undefined) return reader(object);
  const type = textOf(key.replace(/Message(?:V\d+)?$/, '').slice(0, 64)) ?? 'unknown';
  const meta = { content: smallFieldsOf(object) };
  const text = textInside(value);
  return text === undefined ? { type, ...labelOf(type), meta } : { type, body: text, meta };
}

/** A text, or the label of a content without one. */
function worded(text: string | undefined, label: string): Wording {
  return text === undefined ? { body: label, isLabel: true } : { body: text };
}

/** `id`, `mime_type`, `sha256` and `filename` are Meta's: the Cloud API instances of Evolution API put its object here. */
function readMedia(type: string, o: JsonObject): Reading {
  const media: Media = {};
  const id = textOf(o.id);
  if (id !== undefined) media.id = id;
  const mimeType = textOf(o.mimetype) ?? textOf(o.mime_type);
  if (mimeType !== undefined) media.mimeType = mimeType;
  const sha256 = base64Of(o.fileSha256) ?? base64Of(o.sha256);
  if (sha256 !== undefined) media.sha256 = sha256;
  const fileName =
    type === 'document' ? (textOf(o.fileName) ?? textOf(o.title) ?? textOf(o.filename)) : undefined;
  if (fileName !== undefined) media.fileName = fileName;

  // What a download needs. Omits the url: it expires, and is derived from the direct path.
  const mediaKeys = withoutAbsent({
    directPath: textOf(o.directPath),
    mediaKey: base64Of(o.mediaKey),
    fileEncSha256: base64Of(o.fileEncSha256),
    fileLength: integerOf(o.fileLength),
  });
  const meta = withoutAbsent({
    mediaKeys: Object.keys(mediaKeys).length > 0 ? mediaKeys : undefined,
    seconds: integerOf(o.seconds),
    voice: o.ptt === true ? true : undefined,
    animated: o.isAnimated === true || o.gifPlayback === true ? true : undefined,
    viewOnce: o.viewOnce === true ? true : undefined,
  });
  const grade = id === undefined ? 'media_without_id' : 'content';
  return { type, body: textOf(o.caption), media, grade, meta };
}

function readLocation(o: JsonObject): Reading {
  const latitude = numberOf(o.degreesLatitude);
  const longitude = numberOf(o.degreesLongitude);
  const name = textOf(o.name);
  const address = textOf(o.address);
  // As for Meta's locations, so that both copies of one message have the same body (rule M10).
  const place = name !== undefined && address !== undefined ? `${name} — ${address}` : (name ?? address);
  const position = latitude === undefined || longitude === undefined ? undefined : `${latitude},${longitude}`;
  return {
    type: 'location',
    ...worded(place ?? textOf(o.caption) ?? textOf(o.comment) ?? position, 'Location'),
    meta: { location: withoutAbsent({ latitude, longitude, name, address, url: shortText(o.url) }) },
  };
}

function readContacts(contacts: readonly JsonValue[], displayName?: string): Reading {
  const names: string[] = [];
  const cards: JsonObject[] = [];
  for (const contact of contacts.slice(0, MAX_META_LIST)) {
    const object = asObject(contact);
    const name = textOf(object?.displayName);
    const shown = vcardText(object?.vcard, name);
    if (shown !== undefined) names.push(shown);
    cards.push(withoutAbsent({ name, vcard: shortText(object?.vcard) }));
  }
  return {
    type: 'contacts',
    ...worded(names.length > 0 ? names.join(', ') : displayName, 'Contact'),
    meta: { contacts: cards },
  };
}

function readPoll(o: JsonObject): Reading {
  const options: string[] = [];
  for (const option of (asArray(o.options) ?? []).slice(0, MAX_META_LIST)) {
    const name = shortText(asObject(option)?.optionName);
    if (name !== undefined) options.push(name);
  }
  const selectable = integerOf(o.selectableOptionsCount);
  return {
    type: 'poll',
    ...worded(linesOf([textOf(o.name), ...options.map((name) => `• ${name}`)]), 'Poll'),
    meta: withoutAbsent({ options, selectableOptions: selectable }),
  };
}

function readProduct(o: JsonObject): Reading {
  const product = asObject(o.product) ?? {};
  const id = lineText(product.retailerId) ?? lineText(product.productId);
  const label = id === undefined ? 'Product' : `Product ${id}`;
  return readNamed('product', textOf(o.body) ?? textOf(product.title), product, label);
}

/** `2 products, BRL 30.00`. */
function orderLabel(o: JsonObject): string {
  const count = integerOf(o.itemCount);
  const total = amountText(o.totalAmount1000, 1000, o.totalCurrencyCode);
  const parts = [count === undefined || count === 0 ? undefined : `${count} products`, total];
  const known = parts.filter((part) => part !== undefined).join(', ');
  return known === '' ? 'Order' : `Order: ${known}`;
}

/** A note's own text; without one, WhatsApp's text about the money. */
function readPayment(o: JsonObject, label: string): Reading {
  const note = asObject(o.noteMessage);
  const text = textOf(note?.conversation) ?? textOf(asObject(note?.extendedTextMessage)?.text);
  const amount = moneyText(o.amount) ?? amountText(o.amount1000, 1000, o.currencyCodeIso4217);
  const money = amount === undefined ? undefined : `${label}: ${amount}`;
  return readNamed('payment', text === undefined ? undefined : linesOf([text, money]), o, money ?? label);
}

/** `proto.Message.CallLogMessage.CallOutcome` */
const CALL_OUTCOMES = {
  CONNECTED: 0,
  MISSED: 1,
  FAILED: 2,
  REJECTED: 3,
  ACCEPTED_ELSEWHERE: 4,
  ONGOING: 5,
  SILENCED_BY_DND: 6,
  SILENCED_UNKNOWN_CALLER: 7,
} as const;
const OUTCOME_WORDS: Readonly<Record<number, string>> = {
  [CALL_OUTCOMES.MISSED]: 'missed',
  [CALL_OUTCOMES.FAILED]: 'failed',
  [CALL_OUTCOMES.REJECTED]: 'declined',
  [CALL_OUTCOMES.ACCEPTED_ELSEWHERE]: 'answered on another device',
  [CALL_OUTCOMES.ONGOING]: 'ongoing',
  [CALL_OUTCOMES.SILENCED_BY_DND]: 'silenced',
  [CALL_OUTCOMES.SILENCED_UNKNOWN_CALLER]: 'silenced',
};

/** `Video call, missed`; `Voice call, 65 s`. */
function callLabel(o: JsonObject): string {
  const outcome = enumOf(o.callOutcome, CALL_OUTCOMES);
  const seconds = integerOf(o.durationSecs);
  const how = outcome === undefined ? undefined : OUTCOME_WORDS[outcome];
  const long = seconds === undefined || seconds === 0 ? undefined : `${seconds} s`;
  const kind = o.isVideo === true ? 'Video call' : 'Voice call';
  return [kind, how, long].filter((part) => part !== undefined).join(', ');
}

/** A comment on another message: a nested message, which is a text. */
function readComment(o: JsonObject): Reading {
  const message = asObject(o.message);
  const text = textOf(message?.conversation) ?? textOf(asObject(message?.extendedTextMessage)?.text);
  return readNamed('comment', text, o, 'Comment');
}

function readInvite(type: string, o: JsonObject): Reading {
  const name = lineText(o.newsletterName);
  const label = name === undefined ? 'Channel invitation' : `Channel invitation: ${name}`;
  return readNamed(type, textOf(o.caption), o, label);
}

/** An answer of Meta AI, in parts. */
function readRichResponse(o: JsonObject): Reading {
  const texts = (asArray(o.submessages) ?? [])
    .slice(0, MAX_META_LIST)
    .map((part) => textOf(asObject(part)?.messageText))
    .filter((text) => text !== undefined);
  return readNamed('richResponse', texts.length === 0 ? undefined : texts.join('\n'), o, 'Answer of Meta AI');
}

function readScheduledCall(o: JsonObject): Reading {
  const kind = enumOf(o.callType, { VOICE: 1, VIDEO: 2 }) === 2 ? 'Scheduled video call' : 'Scheduled call';
  const at = timeText(o.scheduledTimestampMs);
  const label = at === undefined ? kind : `${kind}: ${at}`;
  return readNamed('scheduledCallCreation', textOf(o.title), o, label);
}

function stickerPackOf(o: JsonObject): string | undefined {
  const name = lineText(o.name);
  return name === undefined ? undefined : `Sticker pack: ${name}`;
}

/** `label`: the bubble's text if the content has none. */
function readNamed(type: string, text: string | undefined, o: JsonObject, label?: string): Reading {
  const meta = { content: smallFieldsOf(o) };
  return label === undefined ? { type, body: text, meta } : { type, ...worded(text, label), meta };
}
