import { ConfigError } from '../model/errors.js';

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * Checks where WhatsApp is to be found (default: WhatsApp itself). Baileys 7.0.0-rc14 accepts any certificate inside its own
 * handshake, so TLS is all that tells WhatsApp from somebody else: without it only this machine may be named. Throws
 * ConfigError; `place` says where the address stands.
 */
export function checkServiceUrl(url: string, place: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === 'wss:') return url;
  if (parsed?.protocol === 'ws:' && LOOPBACK.test(parsed.hostname)) return url;
  throw new ConfigError(
    parsed?.protocol === 'ws:'
      ? `${place}: a connection to WhatsApp without encryption is refused.`
      : `${place} is no address of a web socket.`,
    {
      code: 'whatsapp_url_invalid',
      remedy: 'Leave it out; else it begins with wss:// (ws:// on this machine only, for tests).',
    },
  );
}
