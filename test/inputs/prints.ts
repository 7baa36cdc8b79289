import { inspect } from 'node:util';
import type { JsonObject } from '../../src/model/json.js';
import { message, webhook } from '../decode/meta-builders.js';
import { node } from '../decode/wrap.js';

/** A webhook with one message. */
export const bodyOf = (body: string): JsonObject =>
  webhook('messages', { messages: [message({ text: { body } })] });
/** The same, as it was sent. */
export const raw = (body: string): string => JSON.stringify(bodyOf(body));

const HEADERS = { host: 'crm.example.test', 'content-type': 'application/json' };

/** What console.log of Node and mongosh print of it over several lines. */
export const PRINTS: Record<string, (text: string) => string> = {
  'a text in an object': (text) => inspect({ body: raw(text) }),
  'a text among others': (text) => `webhook received ${inspect({ headers: HEADERS, body: raw(text) })}`,
  'a list of texts': (text) => inspect([raw(text)]),
  'the body itself': (text) => node(bodyOf(text)),
  'rows of mongosh': (text) =>
    `[\n  {\n    _id: ObjectId('66f000000000000000000000'),\n    at: ISODate('2026-09-21T14:13:20.600Z'),\n    raw: ${inspect(raw(text))}\n  }\n]`,
};
