import type { JsonObject, JsonValue } from '../../model/json.js';
import { withoutAbsent } from '../baileys/proto-values.js';
import { asArray, asObject, asString } from '../read.js';
import { bareIdOf } from './waha-ids.js';

/**
 * The content of a WAHA message that no engine's protobuf message accompanies (whatsapp-web.js, or `_data` left out of the log),
 * as a `proto.Message`: then it is read as every other message of WhatsApp Web is. undefined for a notice in place of a message.
 */
export function contentOf(payload: JsonObject): JsonObject | undefined {
  const data = asObject(payload._data) ?? {};
  const body = asString(payload.body) ?? null;
  const context = contextOf(payload, data);
  const type = asString(data.type) ?? typeOfPayload(payload);
  if (NOTICES.has(type)) return undefined;
  const reader = Object.hasOwn(READERS, type) ? READERS[type] : undefined;
  if (reader !== undefined) return reader({ payload, data, body, context });
  // A type of a later version: its text, if it has one, else its name.
  return body === null ? { [`${type.slice(0, 48)}Message`]: {} } : text(body, context);
}

interface Source {
  payload: JsonObject;
  /** whatsapp-web.js' own message. */
  data: JsonObject;
  body: string | null;
  context: JsonObject;
}

/** What whatsapp-web.js shows in a chat that nobody wrote. */
const NOTICES: ReadonlySet<string> = new Set([
  'broadcast_notification',
  'call_log',
  'ciphertext',
  'debug',
  'e2e_notification',
  'gp2',
  'notification',
  'notification_template',
  'pin_message',
  'protocol',
  'reaction',
  'revoked',
]);

const READERS: Readonly<Record<string, (source: Source) => JsonObject>> = {
  chat: ({ body, context }) => text(body, context),
  image: (source) => ({ imageMessage: media(source) }),
  video: (source) => ({ videoMessage: { ...media(source), gifPlayback: source.data.isGif === true } }),
  ptv: (source) => ({ ptvMessage: media(source) }),
  audio: (source) => ({ audioMessage: media(source) }),
  ptt: (source) => ({ audioMessage: { ...media(source), ptt: true } }),
  document: (source) => ({ documentMessage: media(source) }),
  sticker: (source) => ({ stickerMessage: media(source) }),
  location: location,
  vcard: contacts,
  multi_vcard: contacts,
  poll_creation: poll,
  buttons_response: ({ data, body, context }) => ({
    buttonsResponseMessage: withoutAbsent({
      selectedDisplayText: body ?? undefined,
      selectedButtonId: data.selectedButtonId,
      ...context,
    }),
  }),
  template_button_reply: ({ data, body, context }) => ({
    templateButtonReplyMessage: withoutAbsent({
      selectedDisplayText: body ?? undefined,
      selectedId: data.selectedId,
      ...context,
    }),
  }),
  list_response: ({ data, body, context }) => ({
    listResponseMessage: withoutAbsent({
      title: body ?? undefined,
      singleSelectReply: asObject(asObject(data.listResponse)?.singleSelectReply),
      ...context,
    }),
  }),
  album: () => ({ albumMessage: {} }),
  unreadable_media: ({ body, context }) => (body === null ? { placeholderMessage: {} } : text(body, context)),
};

/** The type of a message by what WAHA itself says of it. */
function typeOfPayload(payload: JsonObject): string {
  if (payload.hasMedia === true || asObject(payload.media) !== undefined) {
    const kind = mimeTypeOf(payload)?.split('/')[0];
    if (kind === undefined) return 'unreadable_media';
    return kind === 'image' || kind === 'video' || kind === 'audio' ? kind : 'document';
  }
  if (asObject(payload.location) !== undefined) return 'location';
  return (asArray(payload.vCards)?.length ?? 0) > 0 ? 'vcard' : 'chat';
}

function text(body: string | null, context: JsonObject): JsonObject {
  return { extendedTextMessage: { text: body ?? '', ...context } };
}

function mimeTypeOf(payload: JsonObject): string | undefined {
  return asString(asObject(payload.media)?.mimetype) ?? asString(asObject(payload._data)?.mimetype);
}

/** The hashes and keys are base64 in whatsapp-web.js, too. WAHA puts the caption into the body. */
function media({ payload, data, body, context }: Source): JsonObject {
  return withoutAbsent({
    mimetype: mimeTypeOf(payload),
    caption: body ?? undefined,
    fileName: asString(asObject(payload.media)?.filename) ?? asString(data.filename),
    fileSha256: data.filehash,
    fileEncSha256: data.encFilehash,
    mediaKey: data.mediaKey,
    directPath: data.directPath,
    fileLength: data.size,
    seconds: data.duration,
    ...context,
  });
}

function location({ payload, data, context }: Source): JsonObject {
  const place = asObject(payload.location) ?? {};
  return {
    locationMessage: withoutAbsent({
      degreesLatitude: place.latitude ?? data.lat,
      degreesLongitude: place.longitude ?? data.lng,
      name: place.name ?? place.description ?? data.loc,
      address: place.address,
      ...context,
    }),
  };
}

function contacts({ payload, data, context }: Source): JsonObject {
  const listed = (asArray(data.vcardList) ?? []).map((card) => asObject(card) ?? {});
  const cards = listed.length > 0 ? listed : vCardsOf(payload);
  const [only, ...more] = cards;
  if (only !== undefined && more.length === 0) {
    const displayName = asString(data.vcardFormattedName) ?? only.displayName;
    return { contactMessage: withoutAbsent({ ...only, displayName, ...context }) };
  }
  return { contactsArrayMessage: { contacts: cards, ...context } };
}

/** WAHA lists the cards of every engine; a card's own name is in its line `FN`. */
function vCardsOf(payload: JsonObject): JsonObject[] {
  const cards =
    asArray(payload.vCards) ?? (asString(payload.body) === undefined ? [] : [payload.body ?? null]);
  return cards.flatMap((card) => {
    const vcard = asString(card);
    if (vcard === undefined) return [];
    return [withoutAbsent({ vcard, displayName: /^FN[^:\r\n]*:(.+?)\r?$/m.exec(vcard.slice(0, 4096))?.[1] })];
  });
}

function poll({ data, body, context }: Source): JsonObject {
  const options = (asArray(data.pollOptions) ?? []).map((option) => {
    const name: JsonValue | undefined = asObject(option)?.name ?? asObject(option)?.optionName;
    return { optionName: name ?? null };
  });
  return {
    pollCreationMessage: {
      name: asString(data.pollName) ?? body,
      options,
      selectableOptionsCount: data.pollSelectableOptionsCount ?? null,
      ...context,
    },
  };
}

/** The message that is quoted, and whether it was forwarded. */
function contextOf(payload: JsonObject, data: JsonObject): JsonObject {
  const stanzaId = bareIdOf(asObject(payload.replyTo)?.id) ?? bareIdOf(data.quotedStanzaID);
  const isForwarded = data.isForwarded === true ? true : undefined;
  const contextInfo = withoutAbsent({ stanzaId, isForwarded });
  return Object.keys(contextInfo).length === 0 ? {} : { contextInfo };
}
