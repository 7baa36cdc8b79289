import { ConfigError } from '../../model/errors.js';
import { isOnLoopback, type Proxy } from '../../model/proxy.js';

/** Where Meta's Graph API is. */
export const META = 'https://graph.facebook.com';

/** The default version: Meta supports it until 29 July 2028. */
export const GRAPH_VERSION = 'v25.0';

/**
 * Checks the address of the Graph API. Whatever answers there gets the token: without TLS only this machine is allowed.
 * Throws ConfigError; `place` names the setting.
 */
export function checkGraphUrl(url: string, place: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isPlain =
    parsed !== undefined &&
    parsed.username === '' &&
    parsed.password === '' &&
    parsed.search === '' &&
    parsed.hash === '';
  if (isPlain && parsed.protocol === 'https:') return url;
  if (isPlain && parsed.protocol === 'http:' && isOnLoopback(url)) return url;
  throw new ConfigError(
    parsed?.protocol === 'http:'
      ? `${place}: a connection to the Graph API without encryption is refused.`
      : `${place} is not an address of the Graph API.`,
    {
      code: 'graph_url_invalid',
      remedy: 'Leave it unset, or use an https:// URL (http:// on this machine only, for tests).',
    },
  );
}

/**
 * Checks the address of an HTTPS proxy. Throws ConfigError, never with its password in it; `place` names the setting.
 */
export function checkProxy(typed: string, noProxy: string, place: string): Proxy {
  const url = typed.includes('://') ? typed : `http://${typed}`;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed !== undefined && ['http:', 'https:'].includes(parsed.protocol)) return { url, noProxy };
  throw new ConfigError(`${place} is not the address of a proxy.`, {
    code: 'proxy_invalid',
    remedy: 'Write it like http://proxy.example.com:3128, or unset it.',
  });
}
