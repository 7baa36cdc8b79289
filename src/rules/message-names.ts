import { isWamid } from '../identity/wamid.js';
import type { MessageFact } from '../model/facts.js';
import { keyOf } from './message-book.js';
import { areTwins, type TwinTraits } from './message-state.js';

/** With more messages than this, one of two names is counted once per name. */
const REMEMBERED = 100_000;

/** A message that has no row, under the names that it has so far. */
interface Named {
  key: string;
  wamid: TwinTraits | null;
  keyId: TwinTraits | null;
}

/** The names of messages that have no row to tell it: a wamid, and the key id inside it, are one message (M10). */
export class MessageNames {
  private readonly byStanzaId = new Map<string, Named[]>();
  private known = 0;

  /** The same for all names of a message. `scope`: its connection. */
  keyOf(scope: string, fact: MessageFact): string {
    const { externalId, stanzaId = null, direction, timestamp } = fact;
    const own = keyOf(scope, externalId);
    if (stanzaId === null) return own;
    const traits: TwinTraits = { externalId, stanzaId, direction, timestamp };
    const name = isWamid(externalId) ? 'wamid' : 'keyId';
    const called = this.byStanzaId.get(keyOf(scope, stanzaId)) ?? [];
    const found =
      called.find((one) => one[name]?.externalId === externalId) ??
      called.find(({ wamid, keyId }) => {
        const [mine, other] = name === 'wamid' ? [wamid, keyId] : [keyId, wamid];
        return mine === null && other !== null && areTwins(other, traits);
      });
    if (found !== undefined) {
      found[name] ??= traits;
      return found.key;
    }
    if (this.known >= REMEMBERED) return own;
    this.known += 1;
    this.byStanzaId.set(keyOf(scope, stanzaId), [
      ...called,
      { key: own, wamid: null, keyId: null, [name]: traits },
    ]);
    return own;
  }
}
