import { type BinaryNode, decodeBinaryNode, encodeBinaryNode } from '@whiskeysockets/baileys';
import type { WebSocket } from 'ws';
import { createFrameReader, frame } from './frames.js';
import { type ClientFinish, createNoiseResponder } from './noise.js';
import type { KeyPair } from '@whiskeysockets/baileys';

/** One client's connection, after the handshake: stanzas in, stanzas out. */
export interface Line {
  readonly isOpen: boolean;
  send(stanza: BinaryNode): void;
  /** Cuts the TCP connection: no goodbye, as when the network goes away. */
  drop(): void;
  /** Closes the web socket after what was sent. */
  hangUp(): void;
  /** Nothing is read any more, no goodbye either: the network is gone, and nobody has noticed. */
  freeze(): void;
}

export interface LineListener {
  /** The handshake is done; the client is who it says. */
  onOpen(line: Line, client: ClientFinish): void;
  /** Called one stanza after the other: the next waits until this one is settled. */
  onStanza(line: Line, stanza: BinaryNode): Promise<void>;
  onClose(line: Line): void;
  /** Whatever goes wrong on a line ends it, and is told here. */
  onError(error: unknown): void;
}

export interface ServerIdentity {
  staticKey: KeyPair;
  certificateChain: Uint8Array;
}

/** Speaks the server's side of one web socket: handshake, then encrypted stanzas in order. */
export function serveLine(socket: WebSocket, identity: ServerIdentity, listener: LineListener): void {
  const noise = createNoiseResponder(identity.staticKey, identity.certificateChain);
  const readFrames = createFrameReader();
  let helloSent = false;
  let client: ClientFinish | undefined;
  let work = Promise.resolve();

  const line: Line = {
    get isOpen() {
      return socket.readyState === socket.OPEN;
    },
    send(stanza) {
      if (client === undefined || !line.isOpen) return;
      socket.send(frame(client.transport.encrypt(encodeBinaryNode(stanza))));
    },
    drop: () => {
      socket.terminate();
    },
    hangUp: () => {
      socket.close();
    },
    freeze: () => {
      socket.pause();
    },
  };

  async function take(content: Buffer): Promise<void> {
    if (client !== undefined) {
      await listener.onStanza(line, await decodeBinaryNode(client.transport.decrypt(content)));
      return;
    }
    if (!helloSent) {
      helloSent = true;
      socket.send(frame(noise.answerHello(content)));
      return;
    }
    client = noise.readFinish(content);
    listener.onOpen(line, client);
  }

  socket.on('message', (data: Buffer) => {
    for (const content of readFrames(data)) {
      work = work
        .then(() => take(content))
        .catch((error: unknown) => {
          listener.onError(error);
          line.drop();
        });
    }
  });
  socket.on('close', () => {
    listener.onClose(line);
  });
  // A dropped line is told by its closing.
  socket.on('error', () => undefined);
}
