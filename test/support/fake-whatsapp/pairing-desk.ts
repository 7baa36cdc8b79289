import { setTimeout as sleep } from 'node:timers/promises';
import type { BinaryNode } from '@whiskeysockets/baileys';
import type { World } from './account.js';
import { pnOf } from './account.js';
import type { Line } from './line.js';
import type { LinkedDevice } from './linked-device.js';
import { attribute, node, resultOf } from './nodes.js';
import type { ClientFinish } from './noise.js';
import { answerHello, type CodeExchange, enterCode, linkCodePart, readKeyBundle } from './pairing-code.js';
import { type Candidate, confirmPairing, offerPairing, readQr, settlePairing } from './pairing.js';
import { readRegistration } from './registration.js';

const HELLO_WAIT_MS = 5_000;
const POLL_MS = 5;

/** A candidate that shows a pairing code, and how far the exchange is. */
interface CodeRound {
  hello: BinaryNode;
  exchange?: CodeExchange;
  resolve?(device: LinkedDevice): void;
  reject?(error: Error): void;
}

/** Keeps the clients that wait to be linked, by QR code or by pairing code. */
export interface PairingDesk {
  /** True if the client registers, rather than logs in. */
  open(line: Line, client: ClientFinish): boolean;
  /** True if the line's client waits here. */
  take(line: Line, stanza: BinaryNode): boolean;
  close(line: Line): void;
  scan: (qr: string) => Promise<LinkedDevice>;
  enterCode: (code: string) => Promise<LinkedDevice>;
}

export function createPairingDesk(world: World): PairingDesk {
  const candidates = new Map<Line, Candidate>();
  const rounds = new Map<Candidate, CodeRound>();

  /** A client says that it shows a code before the server has read so. */
  async function waitForRound(): Promise<[Candidate, CodeRound]> {
    const until = Date.now() + HELLO_WAIT_MS;
    for (;;) {
      const open = [...rounds].find(([, round]) => round.exchange === undefined);
      if (open !== undefined) return open;
      if (Date.now() > until) throw new Error('no client shows a pairing code for this number');
      await sleep(POLL_MS);
    }
  }

  async function finishCode(candidate: Candidate, round: CodeRound, stanza: BinaryNode, part: BinaryNode) {
    if (round.exchange === undefined) return;
    try {
      const { companionIdentity, advSecret } = readKeyBundle(part, round.exchange, world.phone.identity);
      if (!companionIdentity.equals(candidate.registration.bundle.identity))
        throw new Error('not its identity');
      candidate.line.send(resultOf(stanza));
      round.resolve?.(await confirmPairing(world, candidate, advSecret));
    } catch (error) {
      candidate.line.send(
        node('iq', { id: attribute(stanza, 'id'), type: 'error', from: 's.whatsapp.net' }, [
          node('error', { code: '400', text: 'bad-request' }),
        ]),
      );
      round.reject?.(new Error('the pairing code is not the one that the client shows', { cause: error }));
    }
  }

  return {
    open(line, { clientStatic, payload }) {
      const registration = readRegistration(clientStatic, payload);
      if (registration === undefined) return false;
      candidates.set(line, offerPairing(line, registration));
      return true;
    },
    take(line, stanza) {
      const candidate = candidates.get(line);
      if (candidate === undefined) return false;
      if (settlePairing(world.phone, candidate, stanza)) return true;
      const hello = linkCodePart(stanza, 'companion_hello');
      const finish = linkCodePart(stanza, 'companion_finish');
      const round = rounds.get(candidate);
      if (hello !== undefined && attribute(hello, 'jid') === pnOf(world.account)) {
        rounds.set(candidate, { hello });
        line.send(answerHello(stanza, codeRef(candidate)));
      } else if (finish !== undefined && round !== undefined) {
        // Not awaited: it goes on with the client's next stanza, which would wait for this one.
        void finishCode(candidate, round, stanza, finish);
      } else if (stanza.tag === 'iq') {
        line.send(resultOf(stanza));
      }
      return true;
    },
    close(line) {
      const candidate = candidates.get(line);
      candidates.delete(line);
      if (candidate !== undefined) rounds.delete(candidate);
    },
    async scan(qr) {
      const { ref, noiseKey, identity, advSecret } = readQr(qr);
      const candidate = [...candidates.values()].find(({ refs }) => refs.includes(ref));
      if (candidate === undefined) throw new Error('no client shows this QR code');
      const { registration } = candidate;
      if (!noiseKey.equals(registration.noiseKey) || !identity.equals(registration.bundle.identity)) {
        throw new Error("the QR code does not hold the client's own keys");
      }
      return confirmPairing(world, candidate, advSecret);
    },
    async enterCode(code) {
      const [candidate, round] = await waitForRound();
      const { exchange, notification } = await enterCode(
        code,
        round.hello,
        codeRef(candidate),
        world.phone.identity,
      );
      return new Promise((resolve, reject) => {
        Object.assign(round, { exchange, resolve, reject });
        candidate.line.send(notification);
      });
    },
  };
}

function codeRef({ refs }: Candidate): Buffer {
  return Buffer.from(refs[0] ?? '');
}
