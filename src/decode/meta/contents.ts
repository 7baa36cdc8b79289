import type { ContentGrade, Media } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { asArray, asObject, cutText, numberOf, ownValue, textOf } from '../read.js';

/** The content of a message or an edit, graded as evidence (rule M2). */
export interface Content {
  body: string | undefined;
  media: Media | undefined;
  grade: ContentGrade;
  /** Objects kept as they were sent, by name. */
  kept: [string, JsonValue][];
}

const TYPE_LENGTH = 64;

/** Objects that identify a message's type when `type` is missing. */
const TYPED_OBJECTS = [
  'text',
  'image',
  'video',
  'audio',
  'voice',
  'document',
  'sticker',
  'location',
  'contacts',
  'interactive',
  'button',
  'order',
  'reaction',
  'edit',
  'revoke',
  'system',
  'unsupported',
] as const;

/** `type` as sent; else the name of the object that is present; else `unknown`. */
export function typeOf(message: JsonObject): string {
  const type = textOf(message.type);
  if (type !== undefined) return cutText(type, TYPE_LENGTH);
  for (const name of TYPED_OBJECTS) {
    const value = message[name];
    if (typeof value === 'object' && value !== null) return name;
  }
  return 'unknown';
}

export function readContent(message: JsonObject, type: string): Content {
  switch (type) {
    case 'text':
      return said(textOf(asObject(message.text)?.body) ?? textOf(message.text));
    case 'image':
    case 'video':
    case 'audio':
    case 'voice':
    case 'document':
    case 'sticker':
      return readMedia(message, type);
    case 'button': {
      const button = asObject(message.button);
      return said(textOf(button?.text) ?? textOf(button?.payload), keep(message, type));
    }
    case 'interactive':
      return said(interactiveText(asObject(message.interactive)), keep(message, type));
    case 'location':
      return said(locationText(asObject(message.location)), keep(message, type));
    case 'contacts':
      return said(contactNames(asArray(message.contacts)), keep(message, type, 'vcard', 'origin'));
    case 'order':
      return said(orderText(asObject(message.order)), keep(message, type));
    case 'media_placeholder':
    case 'unsupported':
    case 'errors':
      return { body: undefined, media: undefined, grade: 'placeholder', kept: keep(message, 'unsupported') };
    default: {
      const kept = keep(message, type);
      return {
        body: undefined,
        media: undefined,
        grade: kept.length === 0 ? 'placeholder' : 'content',
        kept,
      };
    }
  }
}

/** Without a text and without the object that would hold it, a message is no better than a placeholder. */
function said(body: string | undefined, kept: [string, JsonValue][] = []): Content {
  const grade = body === undefined && kept.length === 0 ? 'placeholder' : 'content';
  return { body, media: undefined, grade, kept };
}

function readMedia(message: JsonObject, type: string): Content {
  const object = asObject(ownValue(message, type));
  if (object === undefined) {
    // A media type without its object, but with an error, is a message about the error and not about a file.
    const grade = message.errors === undefined ? 'media_without_id' : 'placeholder';
    return { body: undefined, media: undefined, grade, kept: [] };
  }
  const media: Media = {};
  const id = textOf(object.id);
  if (id !== undefined) media.id = id;
  const mimeType = textOf(object.mime_type);
  if (mimeType !== undefined) media.mimeType = mimeType;
  const sha256 = textOf(object.sha256);
  if (sha256 !== undefined) media.sha256 = sha256;
  const fileName = textOf(object.filename);
  if (fileName !== undefined) media.fileName = fileName;
  const grade = id === undefined ? 'media_without_id' : 'content';
  return { body: textOf(object.caption), media, grade, kept: keep(object, 'voice', 'animated') };
}

/** The values of these names that an object has, each with its name. */
export function keep(object: JsonObject, ...names: string[]): [string, JsonValue][] {
  const kept: [string, JsonValue][] = [];
  for (const name of names) {
    const value = ownValue(object, name);
    if (value !== undefined && value !== null) kept.push([name, value]);
  }
  return kept;
}

/** The title of the chosen button or row; a flow's reply has a `body`, a message of the business `body.text`. */
function interactiveText(interactive: JsonObject | undefined): string | undefined {
  if (interactive === undefined) return undefined;
  const type = textOf(interactive.type);
  const reply =
    (type === undefined ? undefined : asObject(ownValue(interactive, type))) ??
    asObject(interactive.button_reply) ??
    asObject(interactive.list_reply) ??
    asObject(interactive.nfm_reply);
  return (
    textOf(reply?.title) ??
    textOf(reply?.body) ??
    textOf(asObject(interactive.body)?.text) ??
    textOf(interactive.body)
  );
}

function locationText(location: JsonObject | undefined): string | undefined {
  if (location === undefined) return undefined;
  const name = textOf(location.name);
  const address = textOf(location.address);
  if (name !== undefined && address !== undefined) return `${name} — ${address}`;
  if (name !== undefined || address !== undefined) return name ?? address;
  const latitude = numberOf(location.latitude);
  const longitude = numberOf(location.longitude);
  return latitude === undefined || longitude === undefined ? undefined : `${latitude},${longitude}`;
}

/** Names of shared contact cards; the people on them are no leads. */
function contactNames(cards: JsonValue[] | undefined): string | undefined {
  const names: string[] = [];
  for (const element of cards ?? []) {
    const card = asObject(element);
    const name = asObject(card?.name);
    const parts = [textOf(name?.first_name), textOf(name?.last_name)].filter((part) => part !== undefined);
    const phone = textOf(asObject(asArray(card?.phones)?.[0])?.phone);
    const shown = textOf(name?.formatted_name) ?? (parts.length > 0 ? parts.join(' ') : phone);
    if (shown !== undefined) names.push(shown);
  }
  return names.length === 0 ? undefined : names.join(', ');
}

/** The customer's text, else the ordered products: `2 x SKU1, 1 x SKU2`. */
function orderText(order: JsonObject | undefined): string | undefined {
  const text = textOf(order?.text);
  if (text !== undefined) return text;
  const items: string[] = [];
  for (const element of asArray(order?.product_items) ?? []) {
    const item = asObject(element);
    const product = textOf(item?.product_retailer_id);
    if (product !== undefined) items.push(`${textOf(item?.quantity) ?? '1'} x ${product}`);
  }
  return items.length === 0 ? undefined : items.join(', ');
}
