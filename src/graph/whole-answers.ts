import type { Dispatcher } from 'undici';
import { GraphError, refusalOf } from './errors.js';
import { readRetryAfter, readUsage, single } from './usage.js';

/** Larger than any answer of the API that is no file. */
const LARGEST_ANSWER = 4 * 1024 * 1024;

export interface AnswerRules {
  /** Tokens in use, which no error may repeat. */
  tokens: readonly string[];
  /** Ms since 1970. */
  clock: () => number;
  /** For files, which need not fit into memory: a refusal is read as a whole, and what says yes is passed on piece by piece. */
  streams?: true;
}

type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2];

/**
 * An interceptor that lets an answer through only when all of it is there and says yes: a connection that is cut in the middle
 * of a body is then a request to be made again, and a refusal comes as an error with Meta's code, which is what decides whether
 * to try again. undici's own stops at the HTTP status, which is 400 for both.
 */
export function wholeAnswers(rules: AnswerRules): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => dispatch(options, new WholeAnswer(handler, rules));
}

class WholeAnswer implements Dispatcher.DispatchHandler {
  private start: { status: number; headers: Headers; message?: string } = { status: 0, headers: {} };
  private chunks: Buffer[] = [];
  private size = 0;

  constructor(
    private readonly handler: Dispatcher.DispatchHandler,
    private readonly rules: AnswerRules,
  ) {}

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.handler.onRequestStart?.(controller, context);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Headers,
    message?: string,
  ): void {
    this.start = { status, headers, ...(message === undefined ? {} : { message }) };
    if (this.isPassedOn) this.handler.onResponseStart?.(controller, status, headers, message);
  }

  private get isPassedOn(): boolean {
    const { status } = this.start;
    return this.rules.streams === true && status >= 200 && status < 300;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.isPassedOn) {
      this.handler.onResponseData?.(controller, chunk);
      return;
    }
    this.size += chunk.byteLength;
    if (this.size > LARGEST_ANSWER) {
      controller.abort(
        new GraphError(`Meta’s answer is larger than ${LARGEST_ANSWER / 1024 / 1024} MB.`, {
          reason: 'unreadable',
          status: this.start.status,
          hadNoEffect: false,
        }),
      );
      return;
    }
    this.chunks.push(chunk);
  }

  onResponseEnd(controller: Dispatcher.DispatchController, trailers: Headers): void {
    if (this.isPassedOn) {
      this.handler.onResponseEnd?.(controller, trailers);
      return;
    }
    const { status, headers, message } = this.start;
    const body = Buffer.concat(this.chunks);
    if (status < 200 || status >= 300) {
      const usage = readUsage(headers);
      this.handler.onResponseError?.(
        controller,
        refusalOf({
          status,
          body: jsonIn(body),
          traceId: single(headers['x-fb-trace-id']) ?? null,
          waitMs: usage.regainMs ?? readRetryAfter(headers, this.rules.clock()),
          tokens: this.rules.tokens,
        }),
      );
      return;
    }
    this.handler.onResponseStart?.(controller, status, headers, message);
    if (body.byteLength > 0) this.handler.onResponseData?.(controller, body);
    this.handler.onResponseEnd?.(controller, trailers);
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    this.handler.onResponseError?.(controller, error);
  }
}

/** The JSON in these bytes; undefined where they are none. */
export function jsonIn(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
