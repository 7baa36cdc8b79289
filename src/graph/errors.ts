import { z } from 'zod';
import { UserError } from '../model/errors.js';
import { hideTokens } from '../model/hidden-tokens.js';
import { remedy, type Advices } from '../model/remedy.js';
import { newTokenAdvice } from './tokens.js';

/** The meaning of a Graph API error. */
export type GraphReason =
  /** The access token: expired, revoked, or none. */
  | 'token'
  /** The token may not do this. */
  | 'rights'
  /** The requested object does not exist, or this token cannot see it. */
  | 'parameter'
  /** Meta has restricted the account. */
  | 'restricted'
  /** Too many requests; it passes. */
  | 'rate_limit'
  /** Meta's own fault; it passes. */
  | 'temporary'
  /** The contacts or the history of this onboarding were requested before: Meta has one code for both. */
  | 'history_limit'
  /** The 24 hours in which contacts and history may be requested are over. */
  | 'history_window'
  /** Any other refusal. */
  | 'refused'
  /** No answer came: no network, a cut connection, a certificate that is not trusted. */
  | 'unreachable'
  /** An answer that is not what this version of the API gives. */
  | 'unreadable';

/** Codes that say more than their HTTP status. Decisions are taken on the code alone: subcodes are not always returned. */
const REASONS: ReadonlyMap<number, GraphReason> = new Map<number, GraphReason>([
  [0, 'token'],
  [1, 'temporary'],
  [2, 'temporary'],
  [3, 'rights'],
  [4, 'rate_limit'],
  [10, 'rights'],
  [100, 'parameter'],
  [190, 'token'],
  [368, 'restricted'],
  [80007, 'rate_limit'],
  [130429, 'rate_limit'],
  [131000, 'temporary'],
  [131005, 'rights'],
  [131008, 'parameter'],
  [131009, 'parameter'],
  [131016, 'temporary'],
  [131031, 'restricted'],
  [131056, 'rate_limit'],
  [131057, 'temporary'],
  [133004, 'temporary'],
  [133016, 'rate_limit'],
  [2593107, 'history_limit'],
  [2593108, 'history_window'],
]);

const FIRST_RIGHT = 200;
const LAST_RIGHT = 299;

interface Details {
  reason: GraphReason;
  /** Meta's `code`; null if Meta gave none. */
  graphCode?: number | null;
  /** The HTTP status; null where no answer came. */
  status?: number | null;
  /** Meta's name of the request, for its support. */
  fbtraceId?: string | null;
  /** How long Meta asks callers to wait, if given. */
  waitMs?: number | null;
  /** Whether the request certainly had no effect: nothing was sent, or Meta refused it. */
  hadNoEffect: boolean;
  cause?: unknown;
  /** What to do, where the caller knows better. */
  advice?: Advices;
}

/** A request to the Graph API that failed. Its message never has a token in it. */
export class GraphError extends UserError {
  readonly reason: GraphReason;
  readonly graphCode: number | null;
  readonly status: number | null;
  readonly fbtraceId: string | null;
  readonly waitMs: number | null;
  readonly hadNoEffect: boolean;

  constructor(message: string, details: Details) {
    const advice = details.advice ?? adviceOf(details.reason);
    super(message, {
      code: `graph_${details.reason}`,
      ...(advice === undefined ? {} : { remedy: advice }),
      ...(details.advice === undefined && details.reason === 'unreadable'
        ? { inProgram: 'Try another version of the API: graph.version.' }
        : {}),
      ...(details.cause === undefined ? {} : { cause: details.cause }),
    });
    this.name = 'GraphError';
    this.reason = details.reason;
    this.graphCode = details.graphCode ?? null;
    this.status = details.status ?? null;
    this.fbtraceId = details.fbtraceId ?? null;
    this.waitMs = details.waitMs ?? null;
    this.hadNoEffect = details.hadNoEffect;
  }

  /** The same error with other advice. */
  advising(advice: Advices): GraphError {
    const { message, reason, graphCode, status, fbtraceId, waitMs, hadNoEffect, cause } = this;
    return new GraphError(message, {
      ...{ reason, graphCode, status, fbtraceId, waitMs, hadNoEffect, advice },
      ...(cause === undefined ? {} : { cause }),
    });
  }

  /** Whether the same request may succeed a little later. */
  get passes(): boolean {
    return this.reason === 'rate_limit' || this.reason === 'temporary';
  }
}

const ErrorBody = z.object({
  error: z.object({
    message: z.string().default(''),
    code: z.coerce.number().int(),
    error_data: z.object({ details: z.string() }).partial().optional().catch(undefined),
    fbtrace_id: z.string().optional().catch(undefined),
  }),
});

export interface Refusal {
  status: number;
  /** The body; undefined where it was no JSON. */
  body: unknown;
  /** `x-fb-trace-id`, where the body has none. */
  traceId: string | null;
  waitMs: number | null;
  /** Tokens in use, which must not be repeated. */
  tokens: readonly string[];
}

/** What an answer other than 2xx means. */
export function refusalOf({ status, body, traceId, waitMs, tokens }: Refusal): GraphError {
  const parsed = ErrorBody.safeParse(body);
  if (!parsed.success) return bareRefusal(status, traceId, waitMs);
  const { code, message, error_data: data, fbtrace_id: trace } = parsed.data.error;
  const fbtraceId = trace ?? traceId;
  const reason = reasonOf(code, status);
  const named = fbtraceId === null ? `code ${code}` : `code ${code}, fbtrace_id ${fbtraceId}`;
  const said = oneLine(hideTokens(data?.details ?? message, tokens));
  return new GraphError(`${WORDS[reason]} (${named})${said === '' ? '.' : `: ${said}`}`, {
    reason,
    graphCode: code,
    status,
    fbtraceId,
    waitMs,
    hadNoEffect: reason !== 'temporary',
  });
}

function bareRefusal(status: number, fbtraceId: string | null, waitMs: number | null): GraphError {
  const trace = fbtraceId === null ? '' : `, fbtrace_id ${fbtraceId}`;
  const known = { status, fbtraceId, waitMs };
  if (status >= 300 && status < 400) {
    return new GraphError(`The Graph API redirects (HTTP ${status}${trace}), which is not followed.`, {
      ...known,
      reason: 'unreadable',
      hadNoEffect: false,
    });
  }
  const reason =
    status === 429 ? 'rate_limit' : status >= 500 ? 'temporary' : status === 401 ? 'token' : 'refused';
  return new GraphError(`${WORDS[reason]} (HTTP ${status}${trace}).`, {
    ...known,
    reason,
    hadNoEffect: status < 500,
  });
}

function reasonOf(code: number, status: number): GraphReason {
  const known = REASONS.get(code);
  if (known !== undefined) return known;
  if (code >= FIRST_RIGHT && code <= LAST_RIGHT) return 'rights';
  if (status === 429) return 'rate_limit';
  return status >= 500 ? 'temporary' : 'refused';
}

const WORDS: Readonly<Record<GraphReason, string>> = {
  token: 'Meta does not accept the access token',
  rights: 'The access token may not do this',
  parameter: 'Meta does not know what was asked for, or the access token does not see it',
  restricted: 'Meta has restricted this account',
  rate_limit: 'Meta’s limit of requests is reached',
  temporary: 'Meta has a fault of its own',
  history_limit: 'This was requested before, and Meta takes it once for each onboarding',
  history_window: 'The 24 hours in which contacts and history may be requested are over',
  refused: 'Meta refuses the request',
  unreachable: 'Meta cannot be reached',
  unreadable: 'Meta’s answer cannot be read',
};

function adviceOf(reason: GraphReason): Advices | undefined {
  switch (reason) {
    case 'token':
      return newTokenAdvice();
    case 'rights':
      return 'The token needs whatsapp_business_management and whatsapp_business_messaging, for the account of this number.';
    case 'parameter':
      return remedy('connection check', ['NAME'], 'checks the number, its account and the token');
    case 'restricted':
      return 'The Business Manager says why, and how to appeal.';
    case 'rate_limit':
    case 'temporary':
      return 'Run the command again later.';
    case 'history_limit':
    case 'history_window':
      return 'Disconnect the number from the API in the WhatsApp Business app, and connect it again: that opens another 24 hours.';
    case 'unreachable':
      return 'Check that this machine reaches graph.facebook.com by HTTPS, then run the command again.';
    case 'refused':
      return undefined;
    case 'unreadable':
      return 'Try another version of the API: --graph-version v26.0.';
  }
}

const LONGEST_WORDS = 300;

function oneLine(text: string): string {
  const words = text.replace(/\s+/g, ' ').trim();
  return words.length > LONGEST_WORDS ? `${words.slice(0, LONGEST_WORDS)}…` : words;
}
