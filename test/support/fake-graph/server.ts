import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { answerOf, errorBody, type Answer, type FakeAccount } from './account.js';

/** One request as it came. */
export interface GraphRequest {
  method: string;
  /** With its query, as it stands in access logs: no token may ever be in it. */
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
  scheme: 'http' | 'https';
}

/** What is done with a request in the place of the right answer. */
export type Fault =
  | ({ kind: 'answer' } & Answer)
  /** The connection is cut: before the head, or after so many bytes of the right answer. */
  | { kind: 'cut'; afterBytes?: number }
  /** The right answer, late. */
  | { kind: 'late'; ms: number }
  /** The right answer, in pieces with a pause between them. */
  | { kind: 'slow'; pieceBytes: number; ms: number };

export interface FakeGraph {
  /** For WA_RECONCILE_GRAPH_URL. */
  url: string;
  /** Everything that came, in order. */
  requests: readonly GraphRequest[];
  /** The paths that came, without version and query: `GET debug_token`. */
  asked: () => string[];
  account: FakeAccount;
  /** How many requests were open at the same time, at most. */
  mostAtOnce: () => number;
  /** The next requests of this path (`106540352242922`, `debug_token`) meet these, one each; `times` repeats the last. */
  fail: (path: string, ...faults: readonly Fault[]) => void;
}

/** Meta's own errors, as a fault. */
export function refusal(
  status: number,
  code: number,
  message: string,
  headers: Answer['headers'] = {},
): Fault {
  return { kind: 'answer', status, body: errorBody(code, message), headers };
}

/**
 * A Graph API on loopback, which ends with its test: paths, versions, bearer, errors and headers as Meta documents them. It knows
 * nothing of the client.
 */
export async function startFakeGraph(
  account: FakeAccount,
  tls: { key: string; cert: string } | null = null,
): Promise<FakeGraph> {
  const requests: GraphRequest[] = [];
  const faults = new Map<string, Fault[]>();
  let open = 0;
  let most = 0;
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    open += 1;
    most = Math.max(most, open);
    response.on('close', () => {
      open -= 1;
    });
    void serve(request, response);
  };
  const server = tls === null ? createServer(onRequest) : createTlsServer(tls, onRequest);
  const scheme = tls === null ? 'http' : 'https';

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const { method = '', url = '/', headers } = request;
    const asked: GraphRequest = { method, url, headers, body, scheme };
    requests.push(asked);
    const right = (): Answer => answerOf(account, asked);
    const fault = faults.get(pathOf(url))?.shift();
    switch (fault?.kind) {
      case undefined:
        write(response, right());
        return;
      case 'answer':
        write(response, fault);
        return;
      case 'late':
        setTimeout(() => {
          write(response, right());
        }, fault.ms).unref();
        return;
      case 'slow':
        await writeSlowly(response, right(), fault);
        return;
      case 'cut': {
        // The request has arrived, and had its effect.
        const answer = right();
        if (fault.afterBytes === undefined) {
          response.destroy();
          return;
        }
        const whole = bytesOf(answer);
        response.writeHead(answer.status, { ...headersOf(answer), 'content-length': whole.length });
        response.write(whole.subarray(0, fault.afterBytes), () => {
          response.destroy();
        });
      }
    }
  }

  await new Promise<void>((listening) => {
    server.listen(0, '127.0.0.1', listening);
  });
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    requests,
    asked: () => requests.map(({ method, url }) => `${method} ${pathOf(url)}`),
    account,
    mostAtOnce: () => most,
    fail: (path, ...more) => {
      faults.set(path, [...(faults.get(path) ?? []), ...more]);
    },
  };
}

/** `/v25.0/debug_token?x` -> `debug_token`. */
function pathOf(url: string): string {
  return new URL(url, 'http://loopback').pathname.split('/').slice(2).join('/');
}

function write(response: ServerResponse, answer: Answer): void {
  const bytes = bytesOf(answer);
  response.writeHead(answer.status, { ...headersOf(answer), 'content-length': bytes.length }).end(bytes);
}

async function writeSlowly(
  response: ServerResponse,
  answer: Answer,
  { pieceBytes, ms }: { pieceBytes: number; ms: number },
): Promise<void> {
  const bytes = bytesOf(answer);
  response.writeHead(answer.status, { ...headersOf(answer), 'content-length': bytes.length });
  for (let at = 0; at < bytes.length && !response.destroyed; at += pieceBytes) {
    if (at > 0) await new Promise((later) => setTimeout(later, ms));
    response.write(bytes.subarray(at, at + pieceBytes));
  }
  response.end();
}

function headersOf({ headers = {} }: Answer): Record<string, string> {
  return {
    'content-type': 'application/json; charset=UTF-8',
    'x-fb-trace-id': 'AbCdEfTrace1',
    ...headers,
  };
}

function bytesOf({ body }: Answer): Buffer {
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}
