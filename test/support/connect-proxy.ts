import { createServer, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface ConnectProxy {
  /** `http://127.0.0.1:3128`. */
  url: string;
  /** What it was asked to connect to, in order. */
  asked: readonly string[];
  /** All that it could read: the heads of requests, and what went through the tunnels. */
  seen: () => string;
}

/**
 * A proxy on loopback that opens tunnels, and knows where these hosts are (`graph.test:443` by name); others do not exist. Where a
 * `user:password` is given, it wants it. Ends with its test.
 */
export async function startConnectProxy(
  hosts: Readonly<Record<string, number>>,
  credentials: string | null = null,
): Promise<ConnectProxy> {
  const asked: string[] = [];
  const seen: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    seen.push(Buffer.from(JSON.stringify([request.url, request.rawHeaders])));
    response.writeHead(405).end();
  });
  server.on('connect', (request: IncomingMessage, client: Socket) => {
    const target = request.url ?? '';
    asked.push(target);
    seen.push(Buffer.from(JSON.stringify(request.rawHeaders)));
    sockets.add(client);
    client.on('error', () => client.destroy());
    const wanted = credentials === null ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`;
    const port = hosts[target];
    if (request.headers['proxy-authorization'] !== wanted) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    if (port === undefined) {
      client.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const upstream = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      client.on('data', (bytes: Buffer) => seen.push(bytes));
      client.pipe(upstream).pipe(client);
    });
    sockets.add(upstream);
    upstream.on('error', () => client.destroy());
    client.on('close', () => upstream.destroy());
  });
  await new Promise<void>((listening) => {
    server.listen(0, '127.0.0.1', listening);
  });
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${credentials === null ? '' : `${credentials}@`}127.0.0.1:${port}`,
    asked,
    seen: () => Buffer.concat(seen).toString('latin1'),
  };
}
