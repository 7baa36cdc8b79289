import { textOfBytes } from '../../decode/parse-json.js';
import { wamidPrefixes, wordsOfNames } from '../../identity/name-words.js';
import type { Fact } from '../../model/facts.js';
import type { ErasedPeople } from '../../rules/erased-people.js';
import { numberInId, numberInRow, whoIsConcerned } from '../../rules/fact-traits.js';
import { nodesOf } from '../../rules/identity-evidence.js';
import { NO_SCOPE } from '../../store/tables/webhook-log.js';
import type { PreparedEntry } from './batch.js';
import { countersOf } from './entry-counters.js';
import { namesInStrangeText } from './names-in-text.js';
import { namesIn, redactBody } from './redact-body.js';

/** A shorter name stands in too many words to be looked for in texts. */
export const SHORTEST_NAME = 3;

/**
 * An entry without the items of people who were erased: they count as skipped, and it is stored without them. One without such items comes
 * back unchanged. Other names of theirs are learned. `read` reads bytes as this entry's, whatever their signature.
 */
export function withoutErased(
  entry: PreparedEntry,
  erased: ErasedPeople,
  read: (bytes: Uint8Array) => PreparedEntry,
): PreparedEntry {
  const { refused } = entry;
  if (entry.failure !== null && refused.length === 0) return unread(entry, erased);
  // What it is found by are the names of everyone whom its items are about.
  const mayConcern =
    refused.length > 0 || entry.chatIds.some((name) => erased.has(name)) || isNamedInIds(entry, erased);
  if (mayConcern) learnNames(entry, erased);
  const whole = refused.length > 0 ? read(entry.bytes) : entry;
  const redaction = redactBody(
    {
      bytes: entry.bytes,
      sections: whole.sections,
      unrecognized: whole.unrecognized,
      refused,
      verified: entry.verified,
      included: entry.included,
      isScoped: entry.connectionScope !== NO_SCOPE,
      mayConcern,
    },
    { names: erased, messages: erased, wordsOf: (theirs) => wordsOf(theirs, erased) },
    (body) => {
      const again = read(body);
      return again.failure === null ? again : null;
    },
  );
  if (redaction.kind === 'untouched') return entry;
  const without: PreparedEntry = {
    ...entry,
    ...redaction.filing,
    bytes: redaction.body,
    counters: () => countersOf(without, without.connectionScope !== NO_SCOPE),
    // Nothing of a body with a bad signature is applied.
    sections: refused.length > 0 ? entry.sections : redaction.sections,
    // No later version reads what is not kept.
    unrecognized: redaction.kind === 'erased' ? [] : entry.unrecognized,
    bodyState: redaction.kind,
    withdrawn: {
      chatIds: new Set(entry.chatIds),
      messages: redaction.messages,
      gone: redaction.gone,
      moved: redaction.moved,
    },
  };
  return without;
}

/**
 * An item that names an erased person by another name as well tells that this is theirs, too. One with a bad signature tells nothing.
 * An item may tell more once another one of the body has told something, so they are asked until none does. The number in the id of a message
 * tells whose the chat is, but a name of the chat does not make that number an erased one.
 */
function learnNames({ sections }: PreparedEntry, erased: ErasedPeople): void {
  const people = sections.flatMap(({ section }) =>
    section.facts.flatMap((fact) => {
      const concerned = whoIsConcerned(fact);
      // The identities of a link are of one person.
      return fact.kind === 'identity_link' ? [concerned] : concerned.map((one) => [one]);
    }),
  );
  const names = people.map((who) => who.flatMap((one) => nodesOf(one).map(({ value }) => value)));
  const byId = sections.flatMap(({ section }) =>
    section.facts.flatMap((fact) => {
      const number = numberInId(fact);
      return number === null ? [] : [{ number, names: [number, ...namesIn([fact])] }];
    }),
  );
  for (let more = true; more;) {
    const told = byId.flatMap((one) => (erased.has(one.number) ? [one.names] : []));
    more = [...names, ...told].map((one) => erased.learn(one)).includes(true);
  }
}

/** Whether a message has the number of one of these people in its id, which no entry is found by. */
function isNamedInIds({ sections }: PreparedEntry, erased: ErasedPeople): boolean {
  return sections.some(({ section }) => numbersInIds(section.facts).some((number) => erased.has(number)));
}

function numbersInIds(facts: readonly Fact[]): string[] {
  return facts.flatMap((fact) => numberInRow(fact) ?? []);
}

/** What the items say of these people: their names as texts may have them, and what they are called. */
function wordsOf(theirs: readonly Fact[], erased: ErasedPeople): string[] {
  const names = [...namesIn(theirs), ...numbersInIds(theirs)].filter((name) => erased.has(name));
  const called = theirs.flatMap((fact) =>
    fact.kind === 'profile' || fact.kind === 'address_book' ? [fact.name ?? '', fact.username ?? ''] : [],
  );
  return [
    ...wordsOfNames(names),
    ...wamidPrefixes(names),
    ...called.filter((name) => name.length >= SHORTEST_NAME),
  ];
}

/** Bytes that nobody can read are not kept if anything in them may be a name of an erased person. */
function unread(entry: PreparedEntry, erased: ErasedPeople): PreparedEntry {
  if (!namesInStrangeText(textOfBytes(entry.bytes), erased)) return entry;
  return {
    ...entry,
    bytes: new Uint8Array(),
    failure: null,
    sections: [],
    unrecognized: [],
    bodyState: 'erased',
  };
}
