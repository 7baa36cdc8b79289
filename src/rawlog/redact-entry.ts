import { textOfBytes } from '../decode/parse-json.js';
import { withErased } from '../ingest/batch/entry-counters.js';
import { namesInStrangeText } from '../ingest/batch/names-in-text.js';
import { redactBody, type Redaction } from '../ingest/batch/redact-body.js';
import { INCLUDABLE_CHATS } from '../model/enumerations.js';
import { NO_SCOPE } from '../store/tables/webhook-log.js';
import type { Decodable, DecodedEntry, RawLog } from './raw-log.js';

/** A person to be taken out of the raw log. */
export interface Person {
  /** All of their names, as the raw log's index has them. */
  names: ReadonlySet<string>;
  /** What may not be left of them around the items that stay: digits of their numbers, ids, what they are called. */
  words: readonly string[];
  /** Their messages in groups to which somebody has reacted. */
  messages: ReadonlySet<string>;
}

/** What to make of a stored entry so that nothing of a person is left in it. */
export function redactEntry<E extends Decodable>(
  log: RawLog,
  decoded: DecodedEntry<E>,
  person: Person,
): Redaction {
  const { refused } = decoded;
  if (decoded.failure !== null && refused.length === 0) return unread(decoded, person);
  const { entry, sections, unrecognized } = refused.length > 0 ? log.decodeRefused(decoded) : decoded;
  const redaction = redactBody(
    {
      bytes: entry.rawBody,
      sections,
      unrecognized,
      refused,
      verified: entry.verified,
      included: INCLUDABLE_CHATS.filter((chat) => entry.included.includes(chat)),
      isScoped: entry.connectionScope !== NO_SCOPE,
    },
    { names: person.names, messages: person.messages, wordsOf: () => person.words },
    (body) => {
      const again = log.decodeOther(decoded, body);
      const filing = again.filing();
      return filing === null ? null : { sections: again.sections, ...filing };
    },
  );
  if (redaction.kind === 'untouched') return redaction;
  // Others may have been taken out of it before.
  const { elsewhere } = entry;
  return {
    ...redaction,
    counters: () => {
      const counters = withErased(redaction.counters(), entry.removedCounters);
      return elsewhere.length === 0 ? counters : { ...counters, elsewhere: [...elsewhere] };
    },
  };
}

/** An entry that nobody can read goes as a whole if it has anything of the person. One whose body is gone has nothing. */
function unread<E extends Decodable>(
  { entry, failure }: DecodedEntry<E>,
  { names, words }: Person,
): Redaction {
  const text = textOfBytes(entry.rawBody);
  if (
    failure?.reason === 'pruned' ||
    failure?.reason === 'erased' ||
    (!words.some((word) => text.includes(word)) && !namesInStrangeText(text, names))
  )
    return { kind: 'untouched' };
  return {
    kind: 'erased',
    body: new Uint8Array(),
    counters: () => null,
    sections: [],
    filing: { fields: [], phoneNumberIds: [], chatIds: [] },
    items: 0,
    others: 0,
    messages: [],
    gone: [],
    moved: new Map(),
  };
}
