/** What an address of WhatsApp Web names. */
export type JidKind =
  'user' | 'lid' | 'group' | 'status_broadcast' | 'broadcast' | 'newsletter' | 'official' | 'unknown';

export interface Jid {
  kind: JidKind;
  /** The part before `@`, without agent and device. */
  user: string;
  /** Normalized: no device, `c.us` and `hosted` as `s.whatsapp.net`, `hosted.lid` as `lid`. */
  jid: string;
}

/** WhatsApp's own accounts: announcements (`0`), and the numbers of Meta AI (the ranges that WhatsApp Web itself tests for). */
const OFFICIAL_USER = /^(?:0|1313555\d{4}|131655500\d{2})$/;

/**
 * Reads a WhatsApp Web address (`5511…:12@s.whatsapp.net`, `123@lid`, `…@g.us`). Never throws; an address without a known
 * server is `unknown`, with its text unchanged.
 */
export function parseJid(jid: string): Jid {
  const at = jid.lastIndexOf('@');
  if (at < 0) return { kind: 'unknown', user: jid, jid };
  const server = jid.slice(at + 1);
  const address = jid.slice(0, at);
  switch (server) {
    case 's.whatsapp.net':
    case 'c.us':
    case 'hosted': {
      const user = withoutDevice(address);
      const kind = OFFICIAL_USER.test(user) ? 'official' : isDigits(user) ? 'user' : 'unknown';
      return { kind, user, jid: `${user}@s.whatsapp.net` };
    }
    case 'lid':
    case 'hosted.lid': {
      const user = withoutDevice(address);
      return { kind: isDigits(user) ? 'lid' : 'unknown', user, jid: `${user}@lid` };
    }
    case 'g.us':
      return { kind: 'group', user: address, jid };
    case 'broadcast':
      return { kind: address === 'status' ? 'status_broadcast' : 'broadcast', user: address, jid };
    case 'newsletter':
      return { kind: 'newsletter', user: address, jid };
    case 'bot':
      return { kind: 'official', user: withoutDevice(address), jid: `${withoutDevice(address)}@bot` };
    default:
      return { kind: 'unknown', user: address, jid };
  }
}

/** `5511…_1:12` is a user, an agent and a device; only the user is a person. */
function withoutDevice(address: string): string {
  const colon = address.indexOf(':');
  const user = colon < 0 ? address : address.slice(0, colon);
  const underscore = user.indexOf('_');
  return underscore < 0 ? user : user.slice(0, underscore);
}

function isDigits(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 48 || code > 57) return false;
  }
  return text.length > 0;
}
