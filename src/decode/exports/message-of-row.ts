import type { Fact } from '../../model/facts.js';
import type { JsonObject } from '../../model/json.js';
import { decodeMessage } from '../baileys/decode-message.js';
import { People } from '../baileys/people.js';
import type { DecodeOptions } from '../options.js';

/**
 * A phone database row as the message that WhatsApp Web would send: decoded as one, it merges with WhatsApp Web's own
 * copy. It is history, and concerns only the people in its key.
 */
export function factsOfRow(
  message: JsonObject,
  path: string,
  { include, receivedAt }: DecodeOptions,
): Fact[] {
  const people = new People();
  people.settle();
  const facts: Fact[] = [];
  decodeMessage(message, path, {
    people,
    include,
    origin: 'history',
    isSyncInitial: false,
    receivedAt,
    facts,
    noteName: () => undefined,
  });
  return facts;
}
