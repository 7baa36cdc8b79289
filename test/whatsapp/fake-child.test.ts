import { BufferJSON } from '@whiskeysockets/baileys';
import qrcode from 'qrcode-terminal';
import { describe, expect, it } from 'vitest';
import { runChild } from '../support/child-process.js';
import { type FakePerson, pnOf } from '../support/fake-whatsapp/account.js';
import { answerFromArchive, archived } from '../support/fake-whatsapp/archive.js';
import { childEnvironment } from '../support/fake-whatsapp/child-environment.js';
import { until, useFakeWhatsApp } from '../support/fake-whatsapp/session.js';
import { readTerminalQr } from '../support/fake-whatsapp/terminal-qr.js';

const ANA: FakePerson = { phone: '5521987654321', lid: '998877665544332' };

const whatsapp = useFakeWhatsApp();

/** Logs in, asks for what came before a message, says what it got, and ends: nothing in it knows of a test. */
const PROGRAM = `
  const { BufferJSON, makeWASocket } = await import('@whiskeysockets/baileys');
  const { pino } = await import('pino');
  const { creds, preKeys } = JSON.parse(input.auth, BufferJSON.reviver);
  const stored = Object.fromEntries(Object.entries(preKeys).map(([id, pair]) => ['pre-key' + id, pair]));
  const keys = {
    get: (type, ids) => Object.fromEntries(ids.map((id) => [id, stored[type + id]]).filter(([, value]) => value)),
    set: (data) => {
      for (const type in data) for (const id in data[type]) stored[type + id] = data[type][id] ?? undefined;
    },
  };
  const sock = makeWASocket({
    auth: { creds, keys },
    waWebSocketUrl: input.url,
    logger: pino({ level: 'silent' }),
    markOnlineOnConnect: false,
  });
  sock.ev.on('connection.update', async ({ connection }) => {
    if (connection === 'open') await sock.fetchMessageHistory(50, input.key, input.at);
  });
  sock.ev.on('messaging-history.set', async ({ messages }) => {
    console.log(messages.map(({ key }) => key.id).join());
    await sock.end(undefined);
    console.log(await fetch('https://example.com').catch(({ cause }) => cause.message));
  });
`;

describe('the fake WhatsApp and other processes', () => {
  it.each(['inline', 'blob'] as const)(
    'gives history %s to a program that knows only its URL',
    async (as) => {
      const chat = pnOf(ANA);
      const messages = [1, 2, 3].map((n) => archived({ chat, id: `A${n}`, at: 1_700_000_000 + n }));
      whatsapp.fake.onHistoryRequest(answerFromArchive([{ id: chat, messages }], { as }));
      // Without uploaded keys Baileys uploads some, and a timer of that keeps the process up for 30 s after its end.
      const { auth } = await whatsapp.fake.linkedAuth();
      const preKeys = await auth.keys.get('pre-key', ['1', '2', '3', '19', '20']);
      const { code, stdout, stderr } = await runChild(PROGRAM, {
        input: {
          url: whatsapp.fake.url,
          auth: JSON.stringify({ creds: auth.creds, preKeys }, BufferJSON.replacer),
          key: { remoteJid: chat, id: 'A3', fromMe: false },
          at: 1_700_000_003,
        },
        env: await childEnvironment(whatsapp.fake),
      });
      expect({ code, stdout, stderr }).toEqual({
        code: 0,
        stdout: 'A2,A1\na test must not reach example.com\n',
        stderr: '',
      });
    },
  );

  it('links by the QR code that a program has drawn on a terminal', async () => {
    const client = whatsapp.connect();
    const qr = await until(() => client.qrs[0]);
    let drawn = '';
    qrcode.generate(qr, { small: true }, (text) => {
      drawn = `Scan this:\n\n${text}\n\nwaiting …\n`;
    });
    expect(readTerminalQr(drawn)).toBe(qr);
    await whatsapp.fake.scan(readTerminalQr(drawn) ?? '');
    expect(await client.ended).toBe(515);
  });
});
