import type { EventFact } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { withoutAbsent } from '../baileys/proto-values.js';
import { asObject, asString, excerptOf, textOf } from '../read.js';
import { isWhatsAppId, readAsMeta } from './as-meta.js';
import type { ReadVendor } from './vendors.js';

/** How Gupshup's events (version 2) are handled, by name. */
const EVENTS: ReadonlyMap<string, (body: Body) => ReadVendor | undefined> = new Map([
  ['message', readMessage],
  ['message-event', readStatus],
  ['user-event', count],
  ['template-event', count],
  ['account-event', count],
  ['system-event', count],
  ['billing-event', count],
]);

interface Body {
  name: string;
  /** Gupshup's clock, ms since 1970: its messages have no other time. */
  timestamp: JsonValue;
  payload: JsonObject;
}

/**
 * `{app, timestamp, version: 2, type, payload}`: Gupshup's own form. Its messages and statuses are read as far as they carry
 * WhatsApp's ids; by Gupshup's own, a message would be stored twice next to any other copy, so such a body is only named.
 */
export function recognizeGupshup(object: JsonObject): ReadVendor | undefined {
  const { app, version, type } = object;
  if (typeof app !== 'string' || version !== 2 || typeof type !== 'string') return undefined;
  const payload = asObject(object.payload);
  const body: Body = { name: type, timestamp: object.timestamp ?? null, payload: payload ?? {} };
  const read = payload === undefined ? undefined : EVENTS.get(type)?.(body);
  return (
    read ??
    (({ path }) => ({
      provider: 'meta',
      sections: [],
      unrecognized: [{ path, reason: 'gupshup_v2', excerpt: excerptOf(object) }],
    }))
  );
}

/** An event that makes no row, counted by its name and by what happened: `user-event.opted-in`. */
function count({ name, payload }: Body): ReadVendor {
  const type = asString(payload.type);
  const isWord = type !== undefined && /^[\w-]{1,64}$/.test(type);
  return ({ path }) => {
    const fact: EventFact = { kind: 'event', path, name: isWord ? `${name}.${type}` : name };
    return {
      provider: 'meta',
      sections: [{ path, field: name, connection: {}, facts: [fact], eventOnly: true }],
      unrecognized: [],
    };
  };
}

function readMessage({ payload, timestamp }: Body): ReadVendor | undefined {
  if (!isWhatsAppId(payload.id)) return undefined;
  const sender = asObject(payload.sender) ?? {};
  const context = contextOf(asObject(payload.context));
  const userId = sender.userId;
  const message = withoutAbsent({
    from: payload.source ?? sender.phone,
    from_user_id: userId,
    id: payload.id,
    timestamp,
    ...contentOf(textOf(payload.type) ?? '', asObject(payload.payload) ?? {}),
    context,
    referral: asObject(payload.referral),
  });
  const contact = withoutAbsent({
    profile: withoutAbsent({ name: sender.name, username: sender.username }),
    wa_id: sender.phone ?? payload.source,
    user_id: userId,
  });
  return (options) =>
    readAsMeta(
      { messages: [message], contacts: [contact] },
      { '.messages[0]': '.payload', '.contacts[0]': '.payload.sender' },
      options,
    );
}

/** The quoted message: `id` is WhatsApp's, `gsId` Gupshup's. */
function contextOf(context: JsonObject | undefined): JsonObject | undefined {
  if (context === undefined) return undefined;
  return withoutAbsent({
    id: isWhatsAppId(context.id) ? context.id : undefined,
    forwarded: context.forwarded,
    frequently_forwarded: context.frequentlyForwarded ?? context.frequently_forwarded,
  });
}

/** The content in Meta's words; what has none keeps Gupshup's type and object. */
function contentOf(type: string, content: JsonObject): JsonObject {
  switch (type) {
    case 'text':
      return { type, text: { body: content.text ?? null } };
    case 'image':
    case 'video':
    case 'audio':
    case 'voice':
    case 'sticker':
      return { type, [type]: mediaOf(content) };
    case 'file':
    case 'document':
      return { type: 'document', document: mediaOf(content) };
    case 'location':
      return { type, location: content };
    case 'contact':
    case 'contacts':
      return { type: 'contacts', contacts: content.contacts ?? null };
    case 'button_reply':
    case 'list_reply':
      return { type: 'interactive', interactive: { type, [type]: content } };
    case 'quick_reply':
    case 'button':
      return {
        type: 'button',
        button: {
          text: content.text ?? content.title ?? null,
          payload: content.payload ?? content.postbackText ?? null,
        },
      };
    case 'reaction':
      return {
        type,
        reaction: { message_id: content.id ?? content.messageId ?? null, emoji: content.emoji ?? null },
      };
    default:
      return { type, [type]: content };
  }
}

/** Gupshup keeps the file under a URL of its own; where it hands on WhatsApp's id, the URL ends in it. */
function mediaOf(content: JsonObject): JsonObject {
  const url = asString(content.url);
  const id = /\/(\d{6,32})(?:[/?#]|$)/.exec(url?.slice(0, 2048) ?? '')?.[1];
  return withoutAbsent({
    id: content.mediaId ?? content.id ?? id,
    mime_type: content.contentType ?? content.mimeType ?? content.mime_type,
    sha256: content.sha256,
    caption: content.caption,
    filename: content.name ?? content.filename,
  });
}

/** States of a message that Gupshup names. */
const STATES: ReadonlySet<string> = new Set(
  'enqueued sent delivered read failed deleted mismatch'.split(' '),
);

/**
 * The state of a message sent through Gupshup. By Gupshup's own id alone no message can be found: it was not accepted yet, or refused
 * before WhatsApp saw it, or the event leaves WhatsApp's id out. Such a state is counted.
 */
function readStatus({ name, payload, timestamp }: Body): ReadVendor | undefined {
  const type = textOf(payload.type) ?? '';
  const details = asObject(payload.payload) ?? {};
  const id = [payload.id, payload.whatsappMessageId, details.whatsappMessageId].find(isWhatsAppId);
  if (id === undefined || (type === 'enqueued' && id !== payload.id)) {
    return STATES.has(type) ? count({ name, payload, timestamp }) : undefined;
  }
  const status = withoutAbsent({
    id,
    status: type,
    timestamp: details.ts ?? timestamp,
    recipient_id: payload.destination,
    errors: type === 'failed' ? [withoutAbsent({ code: details.code, title: details.reason })] : undefined,
  });
  return (options) => readAsMeta({ statuses: [status] }, { '.statuses[0]': '.payload' }, options);
}
