import type { ContentGrade, Media } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { isForm, paymentMethodText, permissionText, replyText } from '../contents/answers.js';
import { actionLines, componentButtonLines, offerWording } from '../contents/offers.js';
import { contactText, vcardText } from '../contents/vcards.js';
import {
  amountText,
  errorText,
  labelOf,
  linesOf,
  lineText,
  paramsOf,
  textInside,
  titleOf,
} from '../contents/wording.js';
import type { Wording } from '../contents/wording.js';
import { asArray, asObject, cutText, numberOf, ownValue, textOf } from '../read.js';

/** The content of a message or an edit, graded as evidence (rule M2). */
export interface Content extends Wording {
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

/** Reads a message's content. Only a file, a file that comes later and an empty text may have no body. */
export function readContent(message: JsonObject, type: string): Content {
  const content = readTyped(message, type);
  if (content.body !== undefined || content.media !== undefined) return content;
  const failure = failureText(message);
  if (failure !== undefined) return { ...content, body: failure, isLabel: true };
  return MAY_BE_EMPTY.has(type) ? content : { ...content, ...labelOf(type) };
}

const MAY_BE_EMPTY: ReadonlySet<string> = new Set([
  'text',
  'media_placeholder',
  'image',
  'video',
  'audio',
  'voice',
  'document',
  'sticker',
]);

function readTyped(message: JsonObject, type: string): Content {
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
      return worded(interactiveWording(asObject(message.interactive)), keep(message, type));
    case 'location':
      return said(locationText(asObject(message.location)), keep(message, type));
    case 'contacts':
      return said(contactsText(message), keep(message, type, 'vcard', 'origin'));
    case 'order':
      return said(orderText(asObject(message.order)), keep(message, type));
    case 'template':
      return worded(templateWording(asObject(message.template)), keep(message, type));
    case 'media_placeholder':
    case 'unsupported':
    case 'errors':
      return { body: undefined, media: undefined, grade: 'placeholder', kept: keep(message, 'unsupported') };
    default: {
      const text = textInside(ownValue(message, type)) ?? textInside(message.text);
      return said(text, keep(message, type));
    }
  }
}

/** Why there is no content, in Meta's words; an `unsupported` also names what it was: `Poll creation: …`. */
function failureText(message: JsonObject): string | undefined {
  const error = errorText(message.errors);
  const name = lineText(asObject(message.unsupported)?.type);
  const what = name === undefined || name === 'unknown' || name === 'unsupported' ? undefined : titleOf(name);
  if (what === undefined) return error;
  return `${what}: ${error ?? 'not supported by the Cloud API'}`;
}

/** Without a text and its object, a message is no better than a placeholder. */
function said(body: string | undefined, kept: [string, JsonValue][] = [], isLabel?: boolean): Content {
  const grade = body === undefined && kept.length === 0 ? 'placeholder' : 'content';
  return { body, isLabel, media: undefined, grade, kept };
}

function worded({ body, isLabel }: Wording, kept: [string, JsonValue][]): Content {
  return said(body, kept, isLabel);
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

/** The replies that `interactive.type` names; other programs leave the name out. */
const REPLIES = [
  'button_reply',
  'list_reply',
  'nfm_reply',
  'call_permission_reply',
  'payment_method',
] as const;

/** What a person chose or filled in, or what the business said and offered. */
function interactiveWording(interactive: JsonObject | undefined): Wording {
  if (interactive === undefined) return { body: undefined };
  const has = (name: string): boolean => asObject(ownValue(interactive, name)) !== undefined;
  const named = textOf(interactive.type);
  const type = named !== undefined && has(named) ? named : (REPLIES.find(has) ?? named);
  const reply = type === undefined ? undefined : asObject(ownValue(interactive, type));
  if (type !== undefined && reply !== undefined) {
    const wording = replyWording(type, reply);
    if (wording.body !== undefined) return wording;
  }
  const offer = {
    header: lineText(asObject(interactive.header)?.text),
    text: textOf(asObject(interactive.body)?.text) ?? textOf(interactive.body) ?? textOf(interactive.text),
    footer: lineText(asObject(interactive.footer)?.text),
    lines: actionLines(asObject(interactive.action)),
    isList: asObject(interactive.action)?.sections !== undefined,
  };
  return offerWording(offer, type === undefined || reply !== undefined ? undefined : titleOf(type));
}

function replyWording(type: string, reply: JsonObject): Wording {
  switch (type) {
    case 'call_permission_reply':
      return { body: permissionText(reply) };
    case 'payment_method':
      return { body: paymentMethodText(reply) };
    default: {
      const name = textOf(reply.name);
      const params = paramsOf(reply.response_json);
      const text = textOf(reply.title) ?? textOf(reply.body) ?? textOf(reply.text);
      // The `body` of a form's reply is always the same word.
      const answers = text === undefined || type === 'nfm_reply' || isForm(name, params);
      const said = answers ? (replyText(name, params) ?? text) : text;
      // Of a form, what is left is its name.
      const body = said ?? (type === 'nfm_reply' ? undefined : textInside(reply));
      if (body !== undefined) return { body };
      const id = textOf(reply.id);
      return id === undefined ? { body: undefined } : { body: id, isLabel: true };
    }
  }
}

/** A template that another program sent: its text where it is given, else its name and what was filled in. */
function templateWording(template: JsonObject | undefined): Wording {
  const texts: (string | undefined)[] = [];
  const buttons: string[] = [];
  const filledIn: string[] = [];
  for (const element of (asArray(template?.components) ?? []).slice(0, 50)) {
    const component = asObject(element);
    texts.push(textOf(component?.text));
    buttons.push(...componentButtonLines(component?.buttons));
    for (const parameter of (asArray(component?.parameters) ?? []).slice(0, 50)) {
      const text = lineText(asObject(parameter)?.text);
      if (text !== undefined) filledIn.push(text);
    }
  }
  const body = linesOf([textInside(template?.body), ...texts, ...buttons]);
  if (body !== undefined) return { body };
  const name = lineText(template?.name);
  if (name === undefined) return { body: undefined };
  const label = filledIn.length === 0 ? `Template ${name}` : `Template ${name}: ${filledIn.join(', ')}`;
  return { body: label, isLabel: true };
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

/** Names on shared contact cards; the people on them are no leads. A vCard is read where there is nothing else. */
function contactsText(message: JsonObject): string | undefined {
  const names: string[] = [];
  for (const element of asArray(message.contacts) ?? []) {
    const card = asObject(element);
    const name = asObject(card?.name);
    const parts = [textOf(name?.first_name), textOf(name?.last_name)].filter((part) => part !== undefined);
    const phones = (asArray(card?.phones) ?? []).slice(0, 50).map((each) => lineText(asObject(each)?.phone));
    const shown = textOf(name?.formatted_name) ?? (parts.length > 0 ? parts.join(' ') : undefined);
    const known = phones.length > 0 ? contactText(shown, phones) : vcardText(card?.vcard, shown);
    if (known !== undefined) names.push(known);
  }
  return names.length === 0 ? vcardText(message.vcard) : names.join(', ');
}

/** The customer's text, else the ordered products: `2 x SKU1 — BRL 3.50, 1 x SKU2`. */
function orderText(order: JsonObject | undefined): string | undefined {
  const text = textOf(order?.text);
  if (text !== undefined) return text;
  const items: string[] = [];
  for (const element of asArray(order?.product_items) ?? []) {
    const item = asObject(element);
    const product = textOf(item?.product_retailer_id);
    if (product === undefined) continue;
    const price = amountText(item?.item_price, 1, item?.currency);
    const line = `${textOf(item?.quantity) ?? '1'} x ${product}`;
    items.push(price === undefined ? line : `${line} — ${price}`);
  }
  return items.length === 0 ? undefined : items.join(', ');
}
