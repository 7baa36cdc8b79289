import { Agent, EnvHttpProxyAgent, type Dispatcher } from 'undici';
import { isOnLoopback, proxyName, type Proxy } from '../model/proxy.js';

const CONNECT_MS = 10_000;
/** Until the head of an answer, and between two pieces of its body. */
const SILENCE_MS = 30_000;

const TIMES = { headersTimeout: SILENCE_MS, bodyTimeout: SILENCE_MS };
const CONNECT = { timeout: CONNECT_MS };

/**
 * The connections to the Graph API and to its files. Through a proxy, each is a tunnel in which this machine speaks TLS with Meta, so
 * that the proxy sees no token; a Graph API on this machine, which may be without TLS, is never asked through one.
 */
export function openAgent(graphUrl: string, proxy: Proxy | null): Dispatcher {
  if (proxy === null || isOnLoopback(graphUrl)) return new Agent({ connect: CONNECT, ...TIMES });
  return new EnvHttpProxyAgent({
    httpsProxy: proxy.url,
    // '' and not absent: undici reads the environment by itself.
    httpProxy: '',
    noProxy: proxy.noProxy,
    connect: CONNECT,
    requestTls: CONNECT,
    proxyTls: CONNECT,
    ...TIMES,
  });
}

/** What undici says when a proxy opens no tunnel. */
const REFUSED = /Proxy response \((\d{3})\)/;

/** Why there is no tunnel, where a proxy refused one: nothing has reached Meta then. */
export function refusedByProxy(error: unknown, proxy: Proxy | null): string | null {
  if (proxy === null || !(error instanceof Error)) return null;
  const status = REFUSED.exec(error.message)?.[1];
  if (status === undefined) return refusedByProxy(error.cause, proxy);
  const why = status === '407' ? ': it wants a user and a password, or others' : '';
  return `the proxy ${proxyName(proxy)} refuses (HTTP ${status})${why}`;
}
