/** A proxy that this machine goes through: the host that is asked, and what is encrypted for it, stay between the two ends. */
export interface Proxy {
  /** `http://proxy.example.com:3128`, with a user and a password where it wants them. */
  url: string;
  /** Hosts reached without it, in NO_PROXY's form; '' for none. */
  noProxy: string;
}

/** A proxy's display name: without user and password. */
export function proxyName({ url }: Proxy): string {
  return new URL(url).host;
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Whether an address is on this machine, where it needs neither encryption nor a proxy. */
export function isOnLoopback(url: string): boolean {
  return URL.canParse(url) && LOOPBACK.test(new URL(url).hostname);
}
