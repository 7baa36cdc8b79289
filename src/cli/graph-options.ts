import { checkGraphUrl, checkProxy, META } from '../commands/graph/place.js';
import { checkToken, type GraphAccess } from '../commands/graph/token.js';
import type { Proxy } from '../model/proxy.js';
import type { Call } from './call.js';
import { readSecretKey } from './device-options.js';
import { lookUp, type Environment } from './environment.js';
import { environmentName } from './flags/flag.js';
import { text } from './flags/kinds.js';
import { readFlags } from './flags/table.js';
import { packageVersion } from '../commands/package-version.js';

const TOKEN = 'WA_RECONCILE_GRAPH_TOKEN';

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
 * The HTTPS proxy, found the way other programs do: `https_proxy` or HTTPS_PROXY, with the exceptions of `no_proxy` or
 * NO_PROXY.
 */
function readProxy(environment: Environment): Proxy | null {
  const found = lookUp('https_proxy', environment) ?? lookUp('HTTPS_PROXY', environment);
  if (found === undefined) return null;
  const noProxy = lookUp('no_proxy', environment) ?? lookUp('NO_PROXY', environment);
  return checkProxy(found.value, noProxy?.value ?? '', found.place);
}
