import { connect, type Socket } from 'node:net';
import { Agent } from 'undici';

const MEDIA_HOST = 'mmg.whatsapp.net';

/**
 * Baileys' `options` that lead its requests for WhatsApp's media host to the fake server on this machine, without TLS, and all
 * others nowhere: it takes the host of history files as given, so only the transport under it can have them come from elsewhere.
 */
export function mediaOptions(httpUrl: string): RequestInit {
  const options: RequestInit = {};
  // Assigned unchecked: the types of Node's fetch know an older undici than the one installed.
  return Object.assign(options, { dispatcher: createMediaDispatcher(httpUrl) });
}

/** The transport of {@link mediaOptions}. */
export function createMediaDispatcher(httpUrl: string): Agent {
  const { hostname, port } = new URL(httpUrl);
  return new Agent({
    connect: (options, callback) => {
      if (options.hostname !== MEDIA_HOST) {
        callback(new Error(`a test must not reach ${options.hostname}`), null);
        return;
      }
      const socket: Socket = connect(Number(port), hostname);
      socket.once('connect', () => {
        callback(null, socket);
      });
      socket.once('error', (error) => {
        callback(error, null);
      });
    },
  });
}
