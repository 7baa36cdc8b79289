import { expect, it } from 'vitest';
import { createBaileysLogger } from '../../src/whatsapp/baileys-log.js';

it('writes no number and nothing but words, whatever Baileys logs', () => {
  const lines: string[] = [];
  const logger = createBaileysLogger((line) => lines.push(line));
  logger.warn('Invalid LID-PN mapping: 998877665544332@lid, 5521987654321:12@s.whatsapp.net');
  logger.error({ jid: '5521987654321@s.whatsapp.net', body: 'oi' }, 'failed to decrypt message');
  logger.error({ key: 'secret' });
  logger.info('5521987654321');
  expect(lines).toEqual([
    'baileys: Invalid LID-PN mapping: …@lid, …:12@s.whatsapp.net',
    'baileys: failed to decrypt message',
    'baileys: something went wrong',
  ]);
});
