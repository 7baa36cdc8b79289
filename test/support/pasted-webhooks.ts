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
