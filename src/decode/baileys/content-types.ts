import type { ContentGrade, Media } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { asArray, asObject, numberOf, textOf } from '../read.js';
import { base64Of, integerOf } from './proto-values.js';

/** A content in the terms of MessageContent, without its envelopes and context. */
export interface Reading {
  type: string;
  body?: string | undefined;
  media?: Media;
  /** Absent: `content`. */
  grade?: ContentGrade;
  meta?: JsonObject;
}

type Reader = (content: JsonObject) => Reading;

/** Longest text kept of a field that is not the message's own text (vCards, parameters of a flow). */
const MAX_META_TEXT = 4096;
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
  ['buttonsMessage', (o) => ({ type: 'interactive', body: textOf(o.contentText) })],
  ['listMessage', (o) => ({ type: 'interactive', body: textOf(o.description) ?? textOf(o.title) })],
  ['interactiveMessage', readInteractive],
  ['templateMessage', readTemplate],
  ['highlyStructuredMessage', (o) => readNamed('template', undefined, o)],
  ['pollCreationMessage', readPoll],
  ['pollCreationMessageV2', readPoll],
  ['pollCreationMessageV3', readPoll],
  ['pollCreationMessageV5', readPoll],
  ['pollResultSnapshotMessage', (o) => ({ type: 'poll', body: textOf(o.name) })],
  ['eventMessage', (o) => readNamed('event', textOf(o.name), o)],
  ['orderMessage', (o) => readNamed('order', textOf(o.message) ?? textOf(o.orderTitle), o)],
  ['productMessage', readProduct],
  ['groupInviteMessage', (o) => readNamed('group_invite', textOf(o.caption) ?? textOf(o.groupName), o)],
  // The protobuf's own spelling.
  ['callLogMesssage', (o) => readNamed('call_log', undefined, o)],
  ['call', (o) => readNamed('call', undefined, o)],
  ['sendPaymentMessage', (o) => readPayment(o)],
  ['requestPaymentMessage', (o) => readPayment(o)],
  ['invoiceMessage', (o) => readNamed('invoice', textOf(o.note), o)],
  [
    'placeholderMessage',
    (o) => ({ type: 'unsupported', grade: 'placeholder', meta: { content: smallFieldsOf(o) } }),
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
  return { type, meta: { content: smallFieldsOf(object) } };
}

function readMedia(type: string, o: JsonObject): Reading {
  const media: Media = {};
  const mimeType = textOf(o.mimetype);
  if (mimeType !== undefined) media.mimeType = mimeType;
  const sha256 = base64Of(o.fileSha256);
  if (sha256 !== undefined) media.sha256 = sha256;
  const fileName = type === 'document' ? (textOf(o.fileName) ?? textOf(o.title)) : undefined;
  if (fileName !== undefined) media.fileName = fileName;

  // What a download needs. The url is left out: it expires, and is made from the direct path.
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
  return { type, body: textOf(o.caption), media, grade: 'media_without_id', meta };
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
    body: place ?? textOf(o.caption) ?? textOf(o.comment) ?? position,
    meta: { location: withoutAbsent({ latitude, longitude, name, address, url: shortText(o.url) }) },
  };
}

function readContacts(contacts: readonly JsonValue[], displayName?: string): Reading {
  const names: string[] = [];
  const cards: JsonObject[] = [];
  for (const contact of contacts.slice(0, MAX_META_LIST)) {
    const object = asObject(contact);
    const name = textOf(object?.displayName);
    if (name !== undefined) names.push(name);
    cards.push(withoutAbsent({ name, vcard: shortText(object?.vcard) }));
  }
  return {
    type: 'contacts',
    body: names.length > 0 ? names.join(', ') : displayName,
    meta: { contacts: cards },
  };
}

/** `about`: what the chosen row says under its title. */
function readReply(text: JsonValue | undefined, id: JsonValue | undefined, about?: JsonValue): Reading {
  const reply = withoutAbsent({ id: shortText(id), description: shortText(about) });
  return {
    type: 'interactive',
    body: textOf(text),
    ...(Object.keys(reply).length === 0 ? {} : { meta: { reply } }),
  };
}

function readInteractiveResponse(o: JsonObject): Reading {
  const flow = asObject(o.nativeFlowResponseMessage);
  const reply = withoutAbsent({ name: shortText(flow?.name), params: shortText(flow?.paramsJson) });
  return { type: 'interactive', body: textOf(asObject(o.body)?.text), meta: { reply } };
}

function readInteractive(o: JsonObject): Reading {
  return {
    type: 'interactive',
    body: textOf(asObject(o.body)?.text) ?? textOf(asObject(o.header)?.title),
  };
}

function readTemplate(o: JsonObject): Reading {
  const hydrated = asObject(o.hydratedTemplate) ?? asObject(o.hydratedFourRowTemplate);
  const interactive = asObject(o.interactiveMessageTemplate);
  return {
    type: 'template',
    body:
      textOf(hydrated?.hydratedContentText) ??
      textOf(hydrated?.hydratedTitleText) ??
      textOf(asObject(interactive?.body)?.text),
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
    body: textOf(o.name),
    meta: withoutAbsent({ options, selectableOptions: selectable }),
  };
}

function readProduct(o: JsonObject): Reading {
  const product = asObject(o.product) ?? {};
  return readNamed('product', textOf(o.body) ?? textOf(product.title), product);
}

function readPayment(o: JsonObject): Reading {
  const note = asObject(o.noteMessage);
  const text = textOf(note?.conversation) ?? textOf(asObject(note?.extendedTextMessage)?.text);
  return readNamed('payment', text, o);
}

function readNamed(type: string, body: string | undefined, o: JsonObject): Reading {
  return { type, body, meta: { content: smallFieldsOf(o) } };
}

/**
 * The short, plain fields of an object that has no column of its own. Thumbnails, contexts and nested objects stay in
 * raw_body only: message rows are read far more often than raw entries.
 */
export function smallFieldsOf(object: JsonObject): JsonObject {
  const small: JsonObject = {};
  let left = 20;
  for (const key of Object.keys(object)) {
    if (key === '__proto__' || key.length > 64 || /thumbnail/i.test(key)) continue;
    const value = object[key];
    const kept = typeof value === 'string' ? (value.length <= 256 ? textOf(value) : undefined) : value;
    const plain = typeof kept === 'object' ? integerOf(kept) : kept;
    if (plain === undefined) continue;
    small[textOf(key) ?? ''] = plain;
    if (--left === 0) break;
  }
  return small;
}

function shortText(value: JsonValue | undefined): string | undefined {
  const text = textOf(value);
  return text === undefined || text.length <= MAX_META_TEXT ? text : undefined;
}

/** A JSON object without the absent fields. */
function withoutAbsent(fields: Record<string, JsonValue | undefined>): JsonObject {
  const present: JsonObject = {};
  for (const [key, value] of Object.entries(fields)) if (value !== undefined) present[key] = value;
  return present;
}
