import type { GraphAccess } from '../commands/graph/token.js';
import { checkToken } from '../commands/graph/token.js';
import { ConfigError } from '../model/errors.js';
import type { Proxy } from '../model/proxy.js';
import type { Call } from './call.js';
import { isLoopback, readSecretKey } from './device-options.js';
import { lookUp, type Environment } from './environment.js';
import { environmentName } from './flags/flag.js';
import { text } from './flags/kinds.js';
import { readFlags } from './flags/table.js';
import { packageVersion } from './version.js';

const TOKEN = 'WA_RECONCILE_GRAPH_TOKEN';
const META = 'https://graph.facebook.com';

/** Where the Graph API is: for tests, and for a gateway of one's own. Only in the environment. */
const SERVICE = { graphUrl: text('url', 'where the Graph API is', 'a URL') };

/** What only the environment can say. */
export const GRAPH_VARIABLES = [TOKEN, ...Object.keys(SERVICE).map(environmentName)];

/** How to reach the Graph API. Throws ConfigError, never with a secret in it. */
export function readGraphAccess(call: Call, version: string): GraphAccess {
  const { environment, io } = call;
  const { values, origin } = readFlags(SERVICE, call);
  const given = lookUp(TOKEN, environment);
  return {
    place: {
      url: values.graphUrl === undefined ? META : checkGraphUrl(values.graphUrl, origin('graphUrl').place),
      version,
      userAgent: `wa-reconcile/${packageVersion()}`,
      proxy: readProxy(environment),
    },
    given: given === undefined ? null : { token: checkToken(given.value, given.place), place: given.place },
    secretKey: readSecretKey(environment, io.cwd),
  };
}

/**
 * Checks where the Graph API is to be found. Whoever answers there gets the token: without TLS only this machine may be named.
 * Throws ConfigError; `place` says where the address stands.
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
  if (isPlain && parsed.protocol === 'http:' && isLoopback(parsed.hostname)) return url;
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
 * The proxy for HTTPS, as other programs find it: `https_proxy` or HTTPS_PROXY, and what `no_proxy` or NO_PROXY leaves out. Throws
 * ConfigError, never with its password in it.
 */
export function readProxy(environment: Environment): Proxy | null {
  const found = lookUp('https_proxy', environment) ?? lookUp('HTTPS_PROXY', environment);
  if (found === undefined) return null;
  const url = found.value.includes('://') ? found.value : `http://${found.value}`;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !['http:', 'https:'].includes(parsed.protocol)) {
    throw new ConfigError(`${found.place} is not the address of a proxy.`, {
      code: 'proxy_invalid',
      remedy: 'Write it like http://proxy.example.com:3128, or unset it.',
    });
  }
  const noProxy = lookUp('no_proxy', environment) ?? lookUp('NO_PROXY', environment);
  return { url, noProxy: noProxy?.value ?? '' };
}
