import { setGlobalDispatcher } from 'undici';
import { createMediaDispatcher } from './media-dispatcher.js';

/**
 * Loaded before an unmodified program that is to talk to a fake WhatsApp of another process: leads its downloads there, and
 * makes its Baileys trust the fake's certificates. The program finds the fake's web socket by its own means.
 */
const { FAKE_WHATSAPP_HTTP: httpUrl, FAKE_WHATSAPP_ROOT: root } = process.env;
if (httpUrl !== undefined) setGlobalDispatcher(createMediaDispatcher(httpUrl));
if (root !== undefined) {
  const { trustRoot } = await import('./certificate.js');
  trustRoot(Buffer.from(root, 'hex'));
}
