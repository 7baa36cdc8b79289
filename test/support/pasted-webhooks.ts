import type { JsonValue } from '../../src/model/json.js';
import { message, wamid, webhook } from '../decode/meta-builders.js';

/** What a customer may write: a webhook, which would bring a message of somebody else. */
export const PASTED_BODY = 'pasted';
const PASTED = JSON.stringify(
  webhook('messages', { messages: [message({ id: wamid('PASTED'), text: { body: PASTED_BODY } })] }),
);
const PARSED: unknown = JSON.parse(PASTED);
const SPACED = PASTED.replaceAll('":', '": ').replaceAll(',"', ', "');
const BASE64 = Buffer.from(PASTED).toString('base64');

/** Texts of customers with a webhook in them, whole or among words, in many notations. */
export const TEXTS_WITH_WEBHOOKS: readonly string[] = [
  'oi',
  PASTED,
  BASE64,
  `olha: ${PASTED}`,
  JSON.stringify(PARSED, null, 2),
  SPACED,
  `oi\n${PASTED}\nfim`,
  `it's "x" \`y\` ${PASTED}`,
  `oi ${BASE64} fim`,
  `oi\n${BASE64}\nfim`,
  `{'a': '${PASTED}'}`,
  `}\n]\n${PASTED}`,
  `\x1b[32m${PASTED}\x1b[39m`,
  `payload='${PASTED}'`,
  `body="${PASTED.replaceAll('"', '\\"')}"`,
  `${PASTED} ${'é'.repeat(700)} ${PASTED}`,
  "[Object] ... 3 more items', 'x",
  `',\n  body: '${PASTED}'\n}\n${PASTED}`,
  `\\' \\\\ \u2028\u00a0\u00ad\x9b ${SPACED}`,
];

/** A body with one message of a customer. */
export function bodyWith(text: string, id = 'A1'): JsonValue {
  return webhook('messages', {
    contacts: [{ profile: { name: 'Eve' }, wa_id: '5511988880001' }],
    messages: [message({ id: wamid(id), text: { body: text } })],
  });
}

/** Bodies in which a customer's text stands in other places than a message's body. */
export const PLACES_OF_TEXTS: readonly ((text: string, id: string) => JsonValue)[] = [
  bodyWith,
  (text, id) => bodyOf(id, { type: 'button', button: { payload: text, text } }),
  (text, id) => bodyOf(id, { type: 'image', image: { caption: text, id: '77', mime_type: 'image/png' } }),
  (text, id) => bodyOf(id, { type: 'document', document: { caption: text, filename: text, id: '77' } }),
  (text, id) => bodyOf(id, { type: 'location', location: { latitude: -1.5, longitude: 2, name: text } }),
  (text, id) => {
    const list_reply = { id: text, title: text, description: text };
    return bodyOf(id, { type: 'interactive', interactive: { type: 'list_reply', list_reply } });
  },
  (text, id) => {
    const nfm_reply = { name: 'flow', body: 'Sent', response_json: text };
    return bodyOf(id, { type: 'interactive', interactive: { type: 'nfm_reply', nfm_reply } });
  },
  (text, id) =>
    bodyOf(id, { text: { body: 'oi' }, referral: { source_url: text, headline: text, body: text } }),
  (text, id) =>
    webhook('messages', {
      contacts: [{ profile: { name: text }, wa_id: '5511900000001' }],
      messages: [message({ id: wamid(id) })],
    }),
];

function bodyOf(id: string, parts: Record<string, JsonValue>): JsonValue {
  return webhook('messages', { messages: [message({ id: wamid(id), text: undefined, ...parts })] });
}
