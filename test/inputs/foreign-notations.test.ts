import { describe, expect, test } from 'vitest';
import { decodeEntry } from '../../src/decode/decode-entry.js';
import { only } from '../decode/meta-builders.js';
import { bodyWith, PASTED_BODY, TEXTS_WITH_WEBHOOKS } from '../support/pasted-webhooks.js';
import { readText } from './support.js';

/**
 * Bodies that a program turned into another notation before it logged them, which is not read. What a customer pasted into a message
 * is no webhook there either (rule E1), and a real message is not passed over in silence.
 */
const NOTATIONS: Readonly<Record<string, (text: string) => string>> = {
  pydantic: (text) =>
    `INFO object='whatsapp_business_account' entry=[Entry(id='9', changes=[Change(value=Value(messaging_product='whatsapp', messages=[Message(id='wamid.R', text=Text(body='${text}'))]), field='messages')])]`,
  'a dataclass of Python': (text) =>
    `Webhook(object='whatsapp_business_account', entry=[Entry(text=Text(body=${JSON.stringify(text)}), messaging_product='whatsapp')])`,
  Lombok: (text) =>
    `Webhook(object=whatsapp_business_account, entry=[Entry(id=9, value=Value(messagingProduct=whatsapp, text=Text(body=${text})))])`,
  'a record of Java': (text) =>
    `Webhook[object=whatsapp_business_account, entry=[Entry[value=Value[messagingProduct=whatsapp, text=Text[body=oi ${text}]]]]]`,
  Kotlin: (text) => `Webhook(object=whatsapp_business_account, entry=[Entry(id=9, text=Text(body=${text}))])`,
  'C#': (text) =>
    `Webhook { Object = whatsapp_business_account, Entry = { MessagingProduct = whatsapp, Text = { Body = ${text} } } }`,
  Go: (text) =>
    `{Object:whatsapp_business_account Entry:[{ID:9 Value:{MessagingProduct:whatsapp Text:{Body:${text}}}}]}`,
  'keys with dots': (text) =>
    JSON.stringify({
      'entry.0.changes.0.value.messaging_product': 'whatsapp',
      'entry.0.changes.0.value.messages.0.text.body': text,
    }),
  'a form': (text) =>
    `object=whatsapp_business_account&${encodeURIComponent('entry[0][messages][0][text][body]')}=${encodeURIComponent(text)}`,
  'XML in one line': (text) =>
    `<root><object>whatsapp_business_account</object><messaging_product>whatsapp</messaging_product><text><body>${text}</body></text></root>`,
  XML: (text) =>
    `<root>\n  <object>whatsapp_business_account</object>\n  <messages>\n    <text>\n      <body>${text}</body>\n    </text>\n  </messages>\n</root>`,
  YAML: (text) =>
    `object: whatsapp_business_account\nentry:\n- changes:\n  - value:\n      messages:\n      - id: wamid.R\n        text:\n          body: oi ${text}`,
  'a block of YAML': (text) =>
    `object: whatsapp_business_account\nentry:\n- changes:\n    messages:\n      - text:\n          body: |-\n            oi\n            ${text}\n    field: messages`,
};

/** In one line, as a customer can have pasted it. */
const PASTED = TEXTS_WITH_WEBHOOKS.filter((text) => !/[\n'\x1b]/.test(text)).slice(0, 6);
const NEXT = JSON.stringify(bodyWith('next', 'N1'));

async function outcomes(text: string): Promise<{ bodies: string[]; unread: string[] }> {
  const bodies: string[] = [];
  const unread: string[] = [];
  for (const item of (await readText(text)).items) {
    if (item.kind === 'problem') unread.push(item.problem.reason);
    else {
      const result = decodeEntry(item.entry.bytes, { include: new Set() });
      if (result.kind === 'invalid') unread.push(result.reason);
      else {
        const { sections, unrecognized } = result.entry;
        bodies.push(...sections.flatMap(({ facts }) => only('message', facts).map(({ body }) => body ?? '')));
        unread.push(...unrecognized.map(({ reason }) => reason));
      }
    }
  }
  return { bodies, unread };
}

describe.each(Object.entries(NOTATIONS))('%s', (_, write) => {
  test.each([
    ['alone', (line: string) => line],
    ['behind a time', (line: string) => `2026-09-21T11:13:20.1Z ${line}`],
    ['in Docker’s file', (line: string) => JSON.stringify({ log: `${line}\n`, stream: 'stdout' })],
  ])('is reported, whatever a customer pasted: %s', async (where, frame) => {
    for (const text of ['olá', ...PASTED]) {
      const written = write(text);
      // Behind other words, the indented lines of a block do not show whose they are.
      if (where === 'behind a time' && written.includes('|-')) continue;
      const lines = ['listening', ...written.split('\n'), NEXT].map(frame);
      const { bodies, unread } = await outcomes(`${lines.join('\n')}\n`);
      expect(bodies, written).toEqual(['next']);
      expect(bodies).not.toContain(PASTED_BODY);
      expect(unread, written).not.toEqual([]);
    }
  });
});
