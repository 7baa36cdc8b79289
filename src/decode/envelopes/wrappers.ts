import type { JsonObject, JsonValue } from '../../model/json.js';
import { fieldNamed } from '../meta/fields.js';
import { asObject } from '../read.js';

/** A part of a wrapper that may hold a body. */
export interface Body {
  /** Path below the wrapper, with its dot. */
  path: string;
  value: JsonValue;
}

/**
 * Where programs put the body that they received, the most specific first: a row's payload, n8n's and Datafy's `body`,
 * Supabase's `record`, 360dialog's and Evolution's `data`, BotPenguin's `event`, 8x8's `eventDetails.rawEvent`,
 * CloudWatch's `logEvents[].message`, queues' `Records[].body`.
 */
const BODY_KEYS = [
  'payload',
  'body',
  'raw_body',
  'rawBody',
  'raw_payload',
  'rawPayload',
  'raw',
  'record',
  'data',
  'event',
  'eventDetails',
  'rawEvent',
  'logEvents',
  'Records',
  'webhook',
  'webhook_body',
  'json',
  'content',
  'request',
  'req',
  'detail',
  'message',
  'Message',
  'value',
] as const;

/** Keys whose texts are a program's output, so that other words may precede the JSON. */
const PRINTED: ReadonlySet<string> = new Set(['message', 'Message', 'body', 'content']);

/** Columns in which a wrapper names the field of its body. */
const FIELD_KEYS = ['field', 'event', 'event_type', 'eventType', 'type'] as const;

/** The parts of `wrapper` that can be bodies: objects, arrays, and texts of JSON. */
export function bodiesIn(wrapper: JsonObject): Body[] {
  const bodies: Body[] = [];
  for (const key of BODY_KEYS) {
    const value = wrapper[key];
    if (typeof value === 'string') {
      const text = wrapper.isBase64Encoded === true && key === 'body' ? fromBase64(value) : value;
      if (mayBeJson(text, PRINTED.has(key))) bodies.push({ path: `.${key}`, value: text });
    } else if (typeof value === 'object' && value !== null) {
      bodies.push({ path: `.${key}`, value });
    }
  }
  return bodies;
}

/** Whether an object is only a line of a program's output, without JSON in it. */
export function isPrintedLine(wrapper: JsonObject): boolean {
  const { message } = wrapper;
  return typeof message === 'string' && !message.includes('{') && !message.includes('[');
}

/** API Gateway encodes in base64 every media type that it was not told is text. */
function fromBase64(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8');
}

function mayBeJson(text: string, printed: boolean): boolean {
  const first = text.slice(0, 100).trimStart().charAt(0);
  if (first === '{' || first === '[' || first === '"') return true;
  return printed && text.includes('{');
}

/**
 * The field that the wrapper names. It counts only for bodies that name none, because rows are filed by their first
 * change.
 */
export function fieldNamedBy(wrapper: JsonObject): string | undefined {
  for (const key of FIELD_KEYS) {
    const name = wrapper[key];
    if (typeof name === 'string' && fieldNamed(name) !== undefined) return name;
  }
  return undefined;
}

/** A row that keeps an entry and one of its changes in two columns. */
export function splitRow(
  wrapper: JsonObject,
): { entry: JsonValue | undefined; change: JsonValue } | undefined {
  const { change } = wrapper;
  if (typeof change === 'string' ? !mayBeJson(change, false) : asObject(change) === undefined)
    return undefined;
  return change === undefined ? undefined : { entry: wrapper.entry, change };
}
