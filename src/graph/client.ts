import { interceptors, type Dispatcher } from 'undici';
import type { Logger } from 'pino';
import type { z } from 'zod';
import { startDeadline } from '../model/deadline.js';
import { EXIT, UserError } from '../model/errors.js';
import { proxyName, type Proxy } from '../model/proxy.js';
import { openAgent, refusedByProxy } from './agents.js';
import { GraphError } from './errors.js';
import { codeOf, retryOptions, wasNotSent } from './retries.js';
import { readUsage, single, type GraphUsage } from './usage.js';
import { jsonIn, wholeAnswers } from './whole-answers.js';

/** The limit of a call, including retries: even a trickling answer must end. */
const CALL_MS = 180_000;
/** All of a file: 100 MB on a slow line. */
const FILE_MS = 30 * 60_000;

/** Where the Graph API is, and who asks. */
export interface GraphPlace {
  /** `https://graph.facebook.com`. */
  url: string;
  /** `v25.0`. */
  version: string;
  /** `wa-reconcile/0.1.0`. */
  userAgent: string;
  /** Null: the network is reached directly. */
  proxy: Proxy | null;
}

export interface GraphEffects {
  log: Pick<Logger, 'debug'>;
  /** Ms since 1970. */
  clock: () => number;
  signal: AbortSignal;
}

type Query = Readonly<Record<string, string>>;

/** What Meta answered. */
export interface GraphAnswer<T> {
  value: T;
  /** Meta's name of the request, for its support; null where it gave none. */
  fbtraceId: string | null;
}

/**
 * The Graph API for one access token. Requests carry the token only in a header, never in a URL, and follow no
 * redirect, so it goes nowhere else. Retries errors that Meta calls temporary, throws GraphError for others at once;
 * once the quota is used up, further calls throw without asking until it is free again. Close it after use.
 */
export class GraphClient {
  private readonly agent: Dispatcher;
  /** For requests that change nothing, and for those that do. */
  private readonly dispatchers: Readonly<Record<'safe' | 'once', Dispatcher>>;
  /** For files, piece by piece; who asks for one begins it again. */
  private readonly files: Dispatcher;
  private blockedUntil = 0;
  private lastUsage: GraphUsage = { percent: null, regainMs: null };

  constructor(
    private readonly place: GraphPlace,
    private readonly token: string,
    private readonly effects: GraphEffects,
  ) {
    this.agent = openAgent(place.url, place.proxy);
    // The first is the innermost: undici's retries see whole answers and refusals with their codes.
    const whole = wholeAnswers({ tokens: [token], clock: effects.clock });
    const retrying = (isSafe: boolean): Dispatcher =>
      this.agent.compose(whole, interceptors.retry(retryOptions(isSafe, effects.signal)));
    this.dispatchers = { safe: retrying(true), once: retrying(false) };
    this.files = this.agent.compose(wholeAnswers({ tokens: [token], clock: effects.clock, streams: true }));
  }

  /** `GET /v25.0/{path}`. `path`: without a slash before it, every variable part already encoded. */
  get<T>(path: string, query: Query, answer: z.ZodType<T>): Promise<GraphAnswer<T>> {
    const search = new URLSearchParams(query).toString();
    return this.call('GET', path, search === '' ? '' : `?${search}`, null, answer, 'safe');
  }

  /** The same if the question itself is a secret, which must not be in a URL: Meta reads it from the body. */
  ask<T>(path: string, query: Query, answer: z.ZodType<T>): Promise<GraphAnswer<T>> {
    const form = new URLSearchParams({ ...query, method: 'get' }).toString();
    const body = { type: 'application/x-www-form-urlencoded', text: form };
    return this.call('POST', path, '', body, answer, 'safe');
  }

  /** `POST /v25.0/{path}` with JSON: repeated only if it certainly had no effect. */
  post<T>(path: string, content: unknown, answer: z.ZodType<T>): Promise<GraphAnswer<T>> {
    const body = { type: 'application/json', text: JSON.stringify(content) };
    return this.call('POST', path, '', body, answer, 'once');
  }

  /**
   * Reads a file at an address just named by Meta, and passes its pieces to `take` in order. Only that host gets the
   * token. Throws GraphError; the caller decides whether to restart.
   */
  async download(url: string, take: (chunk: Uint8Array) => Promise<void>): Promise<void> {
    const { effects } = this;
    this.assertFree();
    const address = fileAddress(url, this.place.url);
    const deadline = startDeadline(FILE_MS, effects.signal);
    let taking = false;
    try {
      const answered = await this.files.request({
        origin: address.origin,
        path: `${address.pathname}${address.search}`,
        method: 'GET',
        headers: { authorization: `Bearer ${this.token}`, 'user-agent': this.place.userAgent, accept: '*/*' },
        signal: deadline.signal,
      });
      this.heed(readUsage(answered.headers));
      for await (const chunk of answered.body.iterator({ destroyOnReturn: true })) {
        if (!(chunk instanceof Uint8Array)) throw new Error('a body of bytes gave something else');
        taking = true;
        await take(chunk);
        taking = false;
      }
    } catch (error) {
      deadline.stop();
      // Errors from `take` are about the disk, not about Meta.
      if (taking) throw error;
      this.failed(error, 'a file');
    } finally {
      deadline.clear();
    }
  }

  /** What the newest answer said of the quota. */
  get usage(): GraphUsage {
    return this.lastUsage;
  }

  async close(): Promise<void> {
    await this.agent.destroy();
  }

  private async call<T>(
    method: 'GET' | 'POST',
    path: string,
    search: string,
    body: { type: string; text: string } | null,
    schema: z.ZodType<T>,
    effect: 'safe' | 'once',
  ): Promise<GraphAnswer<T>> {
    const { place, effects } = this;
    this.assertFree();
    const base = new URL(place.url);
    const deadline = startDeadline(CALL_MS, effects.signal);
    const answered = await this.dispatchers[effect]
      .request({
        origin: base.origin,
        path: `${base.pathname.replace(/\/$/, '')}/${place.version}/${path}${search}`,
        method,
        headers: {
          authorization: `Bearer ${this.token}`,
          'user-agent': place.userAgent,
          accept: 'application/json',
          ...(body === null ? {} : { 'content-type': body.type }),
        },
        ...(body === null ? {} : { body: body.text }),
        signal: deadline.signal,
      })
      .catch((error: unknown) => this.failed(error, path))
      .finally(deadline.clear);
    const bytes = new Uint8Array(await answered.body.arrayBuffer());
    const fbtraceId = single(answered.headers['x-fb-trace-id']) ?? null;
    this.heed(readUsage(answered.headers));
    effects.log.debug({ path, status: answered.statusCode, fbtraceId }, 'the Graph API answered');
    const parsed = schema.safeParse(jsonIn(bytes));
    if (parsed.success) return { value: parsed.data, fbtraceId };
    const where = parsed.error.issues.map((issue) => issue.path.join('.') || 'the answer').join(', ');
    throw new GraphError(`Meta’s answer to ${path} cannot be read: ${where}.`, {
      reason: 'unreadable',
      status: answered.statusCode,
      fbtraceId,
      hadNoEffect: false,
    });
  }

  private failed(error: unknown, path: string): never {
    const { effects } = this;
    if (effects.signal.aborted) throw interrupted(error);
    if (error instanceof GraphError) {
      const { graphCode, status, fbtraceId, waitMs } = error;
      effects.log.debug({ path, status, code: graphCode, fbtraceId }, 'the Graph API refused');
      if (error.reason === 'rate_limit' && waitMs !== null) this.block(waitMs);
      throw error;
    }
    throw unreachable(error, this.place);
  }

  /** What an answer says of the quota binds the calls after it. */
  private heed(usage: GraphUsage): void {
    this.lastUsage = usage;
    if (usage.regainMs !== null) this.block(usage.regainMs);
  }

  private block(forMs: number): void {
    this.blockedUntil = Math.max(this.blockedUntil, this.effects.clock() + forMs);
  }

  private assertFree(): void {
    const waitMs = this.blockedUntil - this.effects.clock();
    if (waitMs <= 0) return;
    throw new GraphError(
      `Meta’s limit of requests is reached: it takes none until ${new Date(this.blockedUntil).toISOString().replace(/\.\d+Z$/, 'Z')}.`,
      { reason: 'rate_limit', waitMs, hadNoEffect: true },
    );
  }
}

/** The error of a call that ended because the command was stopped. */
export function interrupted(cause?: unknown): UserError {
  return new UserError('Interrupted before Meta answered.', {
    code: 'interrupted',
    exitCode: EXIT.interrupted,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** An address of a file, which gets the token: by HTTPS, or on this machine where the Graph API itself is there for tests. */
function fileAddress(url: string, graphUrl: string): URL {
  const address = URL.canParse(url) ? new URL(url) : null;
  const graph = new URL(graphUrl);
  const isTest = graph.protocol === 'http:' && address?.hostname === graph.hostname;
  if (address !== null && (address.protocol === 'https:' || (isTest && address.protocol === 'http:')))
    return address;
  throw new GraphError('Meta names an address of a file that is not encrypted, which gets no token.', {
    reason: 'unreadable',
    hadNoEffect: true,
  });
}

/** Certificates that are not trusted, as Node and OpenSSL name them. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/;

function unreachable(error: unknown, { url, proxy }: GraphPlace): GraphError {
  const code = codeOf(error);
  const isLate = error instanceof Error && error.name === 'TimeoutError';
  const refused = refusedByProxy(error, proxy);
  const why =
    refused ??
    (code !== undefined && CERTIFICATE.test(code)
      ? `its certificate is not trusted (${code})`
      : isLate
        ? `no whole answer within ${CALL_MS / 1000} s`
        : (code ?? 'the connection failed'));
  const through = proxy === null || refused !== null ? '' : ` (proxy ${proxyName(proxy)})`;
  return new GraphError(`${new URL(url).host} cannot be reached: ${why}${through}.`, {
    reason: 'unreachable',
    hadNoEffect: refused !== null || wasNotSent(error) || (code !== undefined && CERTIFICATE.test(code)),
    cause: error,
  });
}
