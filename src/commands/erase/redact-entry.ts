import { itemAt } from '../../decode/item-at.js';
import { textOfBytes } from '../../decode/parse-json.js';
import { withoutItems } from '../../decode/without-items.js';
import { countersOf } from '../../ingest/batch/entry-counters.js';
import type { Filing } from '../../ingest/batch/prepare-entry.js';
import type { Fact } from '../../model/facts.js';
import type { JsonObject } from '../../model/json.js';
import { subjectOf, whoIsConcerned } from '../../rules/fact-traits.js';
import { nodesOf } from '../../rules/identity-evidence.js';
import { itemNames } from '../../rules/item-names.js';
import { NO_SCOPE } from '../../store/tables/webhook-log.js';
import type { Decodable, DecodedEntry, RawLog } from '../../rawlog/raw-log.js';

/** A person to be taken out of the raw log. */
export interface Redacted {
  /** All of their names, as the raw log's index has them. */
  names: ReadonlySet<string>;
  /** What may not be left of them around the items that stay: digits of their numbers, ids, what they are called. */
  words: readonly string[];
}

/** What an entry is without a person. */
export type Redaction =
  /** It has nothing of them. */
  | { kind: 'untouched' }
  | {
      /**
       * `erased`: the body goes; `others`: how many items of other people go with it, because they cannot be separated. `redacted`: the
       * body is written anew without the person's items.
       */
      kind: 'erased' | 'redacted';
      body: Uint8Array;
      counters: JsonObject | null;
      filing: Pick<Filing, 'fields' | 'phoneNumberIds' | 'chatIds'>;
      items: number;
      others: number;
      /** Paths of items that go, and of those that stay, with where they are in the new body. */
      gone: readonly string[];
      moved: ReadonlyMap<string, string>;
    };

/** What an entry says of the history as a whole, of nobody. */
const OF_NOBODY: ReadonlySet<Fact['kind']> = new Set(['history_chunk', 'history_state']);

/**
 * What to make of an entry so that nothing of a person is left in it, and everything else stays as it was read: proved by reading the new
 * body again. Where that cannot be done, the whole body goes.
 */
export async function redactEntry<E extends Decodable>(
  log: RawLog,
  decoded: DecodedEntry<E>,
  person: Redacted,
): Promise<Redaction> {
  if (decoded.failure !== null && !(decoded.refused.length > 0)) return unread(decoded, person);
  const { refused } = decoded;
  const { entry, sections, unrecognized } = refused.length > 0 ? log.decodeRefused(decoded) : decoded;
  const facts = sections.flatMap(({ section }) => section.facts);
  const theirs = new Set(facts.filter((fact) => isAbout(fact, entry.rawBody, person.names)));
  if (theirs.size === 0) return { kind: 'untouched' };
  const others = facts.filter((fact) => !theirs.has(fact));
  const items = [...theirs].filter((fact) => subjectOf(fact) !== null).length;
  const counters = countersOf(
    {
      sections: sections.map((one) => ({
        ...one,
        section: {
          ...one.section,
          facts: one.section.facts.flatMap((fact) => (theirs.has(fact) ? left(fact) : fact)),
        },
      })),
      refused,
      verified: entry.verified,
      included: [],
    },
    entry.connectionScope !== NO_SCOPE,
  );
  const held = others.filter(({ kind }) => !OF_NOBODY.has(kind));
  const erased = {
    kind: 'erased',
    body: new Uint8Array(),
    counters,
    filing: {
      fields: [...new Set(sections.map(({ section }) => section.field))],
      phoneNumberIds: [...new Set(sections.flatMap(({ section }) => section.connection.phoneNumberId ?? []))],
      chatIds: namesIn(others),
    },
    items,
    others: held.length + unrecognized.length,
    gone: [...theirs].map(({ path }) => path),
    moved: new Map<string, string>(),
  } as const;
  // Parts with a bad signature are not applied; without their bytes that could not be told.
  if (held.length + unrecognized.length === 0 || refused.length > 0) return erased;
  const body = withoutItems(
    entry.rawBody,
    erased.gone,
    [...held, ...unrecognized].map(({ path }) => path),
  );
  if (body === null) return erased;
  const [again] = await log.decode([{ ...entry, rawBody: body }]);
  const rest = again?.sections.flatMap(({ section }) => section.facts) ?? [];
  const filing = again?.filing() ?? null;
  if (filing === null || !saysTheSame(held, rest) || isAround(body, rest, person.words)) return erased;
  const stay = rest.filter(({ kind }) => !OF_NOBODY.has(kind));
  return {
    ...erased,
    kind: 'redacted',
    body,
    filing,
    others: 0,
    moved: new Map(held.map(({ path }, at) => [path, stay[at]?.path ?? path])),
  };
}

/** An entry that nobody can read goes as a whole if it has anything of the person. One whose body is gone has nothing. */
function unread<E extends Decodable>({ entry, failure }: DecodedEntry<E>, { words }: Redacted): Redaction {
  const text = textOfBytes(entry.rawBody);
  if (
    failure?.reason === 'pruned' ||
    failure?.reason === 'erased' ||
    !words.some((word) => text.includes(word))
  )
    return { kind: 'untouched' };
  return {
    kind: 'erased',
    body: new Uint8Array(),
    counters: null,
    filing: { fields: [], phoneNumberIds: [], chatIds: [] },
    items: 0,
    others: 0,
    gone: [],
    moved: new Map(),
  };
}

/** An item that left no fact names people in its fields; a fact says itself whom it is about. */
function isAbout(fact: Fact, body: Uint8Array, names: ReadonlySet<string>): boolean {
  if (fact.kind === 'skipped' || fact.kind === 'rejected') return itemNames(itemAt(body, fact.path), names);
  return whoIsConcerned(fact).some((who) => nodesOf(who).some(({ value }) => names.has(value)));
}

/** What stays on record of an item that is gone: that it was there. */
function left(fact: Fact): Fact[] {
  const subject = subjectOf(fact);
  return subject === null ? [] : [{ kind: 'skipped', path: fact.path, subject, reason: 'erased' }];
}

function namesIn(facts: readonly Fact[]): string[] {
  return [
    ...new Set(
      facts.flatMap((fact) => whoIsConcerned(fact).flatMap((who) => nodesOf(who).map(({ value }) => value))),
    ),
  ];
}

function saysTheSame(before: readonly Fact[], after: readonly Fact[]): boolean {
  const wordsOf = (facts: readonly Fact[]): string =>
    JSON.stringify(facts.filter(({ kind }) => !OF_NOBODY.has(kind)).map((fact) => ({ ...fact, path: '' })));
  return wordsOf(before) === wordsOf(after);
}

/** Whether anything but the items that stay still has one of these words. */
function isAround(body: Uint8Array, facts: readonly Fact[], words: readonly string[]): boolean {
  const around = withoutItems(
    body,
    facts.filter(({ kind, path }) => path !== '$' && !OF_NOBODY.has(kind)).map(({ path }) => path),
    [],
  );
  if (around === null) return true;
  const text = textOfBytes(around);
  return words.some((word) => text.includes(word));
}
