import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../src/model/json.js';
import { readText } from '../inputs/support.js';
import { decode, message, only, webhook, withMetadata } from './meta-builders.js';

/** What a customer may write: a webhook, which would bring a message of somebody else. */
const TRAP = JSON.stringify(webhook('messages', { messages: [message({ text: { body: 'trap' } })] }));
const HOLDS_TRAP = { ...webhook('messages', { messages: [message({ text: { body: TRAP } })] }) };

/** `repr` of Python, with its choice of quotes. */
function python(value: JsonValue): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') {
    const plain = value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\u200d', '\\u200d');
    return value.includes("'") && !value.includes('"') ? `"${plain}"` : `'${plain.replaceAll("'", "\\'")}'`;
  }
  if (Array.isArray(value)) return `[${value.map(python).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, each]) => `${python(key)}: ${python(each)}`)
    .join(', ')}}`;
}

/** `inspect` of Ruby. */
function ruby(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(ruby).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return value === null ? 'nil' : JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, each]) => `${JSON.stringify(key)}=>${ruby(each)}`)
    .join(', ')}}`;
}

/** `util.inspect` of Node on one line. */
function node(value: JsonValue): string {
  if (Array.isArray(value)) return `[ ${value.map(node).join(', ')} ]`;
  if (typeof value !== 'object' || value === null)
    return typeof value === 'string' ? python(value) : String(value);
  return `{ ${Object.entries(value)
    .map(([key, each]) => `${key}: ${node(each)}`)
    .join(', ')} }`;
}

/** The bodies of the messages that a log brings, and why the rest of it brings none. */
async function read(log: string): Promise<{ bodies: (string | null)[]; reasons: string[] }> {
  const bodies: (string | null)[] = [];
  const reasons: string[] = [];
  for (const text of (await readText(log)).texts) {
    // The helper shows an entry byte for byte.
    const entry = decode(Buffer.from(text, 'latin1').toString());
    for (const { facts } of entry.sections)
      for (const { body } of only('message', facts)) bodies.push(body ?? null);
    reasons.push(...entry.unrecognized.map(({ reason }) => reason));
  }
  return { bodies, reasons };
}

describe('E1: a text that holds a webhook stays the text of its message', () => {
  test.each([
    ['a webhook', TRAP],
    ['the half of a webhook', TRAP.slice(0, 90)],
    ['a webhook that never closes', `${TRAP} {"a": [`],
    ['an inner escape', JSON.stringify({ payload: TRAP })],
    ['quotes, line ends and joined emoji', `it's "${TRAP}"\n\\n \u{1F468}\u200d\u{1F469} '`],
  ])('E1: %s in the notations of Python, Ruby and Node, on lines of a log', async (_what, text) => {
    const body = webhook('messages', { messages: [message({ text: { body: text } })] });
    const next = webhook('messages', { messages: [message({ text: { body: 'next' } })] });
    for (const print of [python, ruby, node]) {
      const log = `INFO webhook ${print(body)}\nINFO done\nINFO webhook ${print(next)}\n`;
      expect(await read(log), print.name).toEqual({ bodies: [text, 'next'], reasons: [] });
    }
  });

  test('E1: a value around it that cannot be read is reported, and nothing in it is read', async () => {
    const go = `map[entry:[map[changes:[map[value:map[messages:[map[text:map[body:${TRAP}]]]]]]] object:whatsapp_business_account]`;
    expect(await read(`${go}\n`)).toEqual({ bodies: [], reasons: ['go_map'] });
    const broken = python(HOLDS_TRAP).replace("{'object'", "{'x': <a {b, 'object'");
    expect(await read(`INFO ${broken}\n`)).toEqual({ bodies: [], reasons: ['inside_text'] });
    const typed = `map[string]interface {}{"object":"whatsapp_business_account", "entry":[]interface {}{map[string]interface {}{"text":${JSON.stringify(TRAP)}}}}`;
    const { bodies, reasons } = await read(`${typed}\n`);
    expect(bodies).toEqual([]);
    expect(reasons).toHaveLength(1);
  });

  test.each<[string, JsonValue]>([
    ['an unknown vendor', { type: 'incoming', sender: '5511900000001', payload: { text: TRAP } }],
    ['a CRM’s webhook', { event: 'message_created', content: TRAP, message_type: 'incoming', id: 5 }],
    ['a CRM’s row', { id: 0, contact: 'Bruno', text: TRAP, fromMe: false }],
    ['a message of another library', { from: '5511900000001@c.us', fromMe: false, body: TRAP }],
    ['a text object', { from: '5511900000001', type: 'text', text: { body: TRAP } }],
    ['a caption in a list', { direction: 'in', parts: [{ image: { caption: TRAP } }] }],
    ['a text of a text', { phone: '5511900000001', content: JSON.stringify({ a: TRAP }) }],
  ])('E1: %s is not recognized, and not read', (_what, row) => {
    const entry = decode(row);
    expect(entry.sections).toEqual([]);
    expect(entry.unrecognized.map(({ reason }) => reason)).toEqual(['inside_text']);
  });

  test('E1: a line that logs what a person wrote is not recognized', async () => {
    for (const text of [TRAP, JSON.stringify(TRAP)]) {
      const log = `${JSON.stringify(HOLDS_TRAP)}\n2025-09-16 INFO message from 5511900000001 text=${text}\n`;
      expect(await read(log)).toEqual({ bodies: [TRAP], reasons: ['inside_text'] });
    }
  });
});

describe('E1: the same words around a body hide it from nobody', () => {
  const value = withMetadata({ messages: [message({ text: { body: 'found' } })] });
  const body = JSON.stringify({ entry: [{ id: '1', changes: [{ field: 'messages', value }] }] });

  test.each<[string, JsonValue]>([
    ['a row with a phone', { phone: '5511900000001', direction: 'in', payload: body }],
    ['webhook.site', { from: 'x', data: [{ uuid: '1', token_id: '2', content: body }] }],
    ['a queue', { from: 'queue', body }],
    ['journald', { MESSAGE: `webhook ${body}`, __REALTIME_TIMESTAMP: '1758000800000000' }],
    ['a row with a body in JSON', { contact_id: 7, content: JSON.parse(body) as JsonValue }],
    ['a log without a person', { level: 'info', content: body }],
  ])('E1: %s', (_what, row) => {
    const entry = decode(row);
    expect(entry.unrecognized).toEqual([]);
    expect(entry.sections.flatMap(({ facts }) => only('message', facts))).toHaveLength(1);
  });

  test.each([
    `GenericMessage [payload=${body}, headers={id=1}]`,
    `webhook text=${body}`,
    `INFO { level: 'info', payload: '${body}' }`,
    `INFO {'status': 200, 'raw': '${body}'}`,
    `[messages.upsert ${body}]`,
    `INFO {user: it's} ${body}`,
  ])('E1: %#', async (line) => {
    expect(await read(`INFO start\n${line}\nINFO end\n`)).toEqual({ bodies: ['found'], reasons: [] });
  });

  test('E1: nor do brackets in the text of a body that is a cell of CSV', () => {
    const text = 'x {chave: [1,2]} {"a": 1}';
    const holding = JSON.stringify(webhook('messages', { messages: [message({ text: { body: text } })] }));
    const entry = decode(`INFO "body: ${holding.replaceAll('"', '""')}"`);
    expect(entry.sections.flatMap(({ facts }) => only('message', facts))).toMatchObject([{ body: text }]);
  });
});

describe('a message of WhatsApp Web without its event', () => {
  const key = { remoteJid: '5511900000001@s.whatsapp.net', fromMe: false, id: '3EB0' };
  const FORMS: Record<string, (text: string) => JsonValue> = {
    'of Baileys': (text) => ({ key, messageTimestamp: 1758000000, message: { conversation: text } }),
    'with a longer text': (text) => ({ key, message: { extendedTextMessage: { text } } }),
    'in a list': (text) => [{ key, message: { conversation: text } }],
    'of whatsapp-web.js': (text) => ({ _data: {}, id: { fromMe: false, remote: key.remoteJid }, body: text }),
    'of whatsmeow': (text) => ({ event: { Info: { IsFromMe: false }, Message: { conversation: text } } }),
  };
  test.each(Object.entries(FORMS))('%s: a webhook in its text is no entry', async (_, write) => {
    for (const text of [TRAP, Buffer.from(TRAP).toString('base64'), `olha: ${TRAP}`]) {
      expect((await read(`${JSON.stringify(write(text))}\n`)).bodies).toEqual([]);
    }
  });
});

describe('a table of messages, as a dump of a CRM brings it along', () => {
  const quoted = TRAP.replaceAll('"', '""');
  const TABLES = {
    'Chatwoot, COPY': `COPY public.messages (id, content, conversation_id, message_type) FROM stdin;\n1\t${TRAP}\t7\t0\n\\.\n`,
    'Chatwoot, CSV': `id,content,conversation_id,message_type\n1,"${quoted}",7,0\n`,
    'whaticket, INSERT': `INSERT INTO \`Messages\` (\`id\`, \`body\`, \`fromMe\`) VALUES ('1', '${TRAP}', 0);\n`,
  };
  test.each(Object.entries(TABLES))('%s: a webhook in a text is no entry', async (_, table) => {
    expect((await read(table)).bodies).toEqual([]);
  });

  test('hides no webhook of a log in the same dump', async () => {
    const row = JSON.stringify(HOLDS_TRAP).replaceAll('\\', '\\\\');
    const log = `COPY public.webhook_logs (id, phone, payload) FROM stdin;\n1\t551\t${row}\n\\.\n`;
    expect((await read(TABLES['Chatwoot, COPY'] + log)).bodies).toEqual([TRAP]);
  });
});
