import type { Fact } from '../../model/facts.js';
import type { JsonObject } from '../../model/json.js';
import { decodeMessage } from '../baileys/decode-message.js';
import { People } from '../baileys/people.js';
import type { DecodeOptions } from '../options.js';

/**
 * What a row of a phone's database says, given as the message that WhatsApp Web would send: read as such, it merges with
 * WhatsApp Web's own copy. It is history, and tells of nobody but the people in its key.
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
