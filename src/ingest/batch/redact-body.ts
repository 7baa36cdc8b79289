import { itemReader } from '../../decode/item-at.js';
import { textOfBytes } from '../../decode/parse-json.js';
import { identitiesOfUser } from '../../identity/identities.js';
import { withoutItems } from '../../decode/without-items.js';
import type { Fact, Identities, Unrecognized } from '../../model/facts.js';
import { readJson, type JsonObject } from '../../model/json.js';
import { messageIdOfFact, numberInRow, subjectOf, whoIsConcerned } from '../../rules/fact-traits.js';
import { nodesOf } from '../../rules/identity-evidence.js';
import { DEEPEST, itemNames, withoutNames } from '../../rules/item-names.js';
import { countNamesInText, namesInStrangeText, namesInText } from './names-in-text.js';
import type { PreparedEntry, PreparedSection } from './batch.js';
import { countersOf } from './entry-counters.js';

/** People to be taken out of a body. */
export interface Redacted {
  /** All of their names, as the raw log's index has them. */
  names: { has: (name: string) => boolean };
  /** Messages of theirs whose reactions do not say whose message that is. */
  messages: { has: (id: string) => boolean };
  /** What may not be left of them around the items that stay, if these items go: digits of their numbers, ids, what they are called. */
  wordsOf: (theirs: readonly Fact[]) => readonly string[];
}

/** What a body is found by. */
type Found = Pick<PreparedEntry, 'fields' | 'phoneNumberIds' | 'chatIds'>;

/** What a body is without these people. */
export type Redaction =
  /** It has nothing of them. */
  | { kind: 'untouched' }
  | {
      /**
       * `erased`: the body goes; `others`: how many items of other people go with it, because they cannot be separated. `redacted`: the
       * body is written anew without the items of these people.
       */
      kind: 'erased' | 'redacted';
      body: Uint8Array;
      /** What it held, with what is gone as skipped. */
      counters: () => JsonObject | null;
      sections: readonly PreparedSection[];
      filing: Found;
      items: number;
      others: number;
      /** The messages that the items which go make or change. */
      messages: readonly string[];
      /** Paths of items that go, and of those that stay, with where they are in the new body. */
      gone: readonly string[];
      moved: ReadonlyMap<string, string>;
    };

/** A body that was read, with the parts that have a bad signature. */
export interface ReadBody extends Pick<
  PreparedEntry,
  'sections' | 'unrecognized' | 'refused' | 'verified' | 'included'
> {
  bytes: Uint8Array;
  /** The entry as a whole belongs to one connection. */
  isScoped: boolean;
  /** False where its items are known to be about nobody of these people, so that they are not asked one by one. */
  mayConcern?: boolean;
}

/** Reads a body anew, as it was read before. Null if it cannot be read. */
type ReadAgain = (body: Uint8Array) => (Pick<PreparedEntry, 'sections'> & Found) | null;

/** What an entry says of the history as a whole, of nobody. */
const OF_NOBODY: ReadonlySet<Fact['kind']> = new Set(['history_chunk', 'history_state']);

/**
 * What to make of a body so that nothing of some people is left in it, and everything else stays as it was read: proved by reading the new
 * body again. Where that cannot be done, the whole body goes.
 */
export function redactBody(
  read: ReadBody,
  { names, messages, wordsOf }: Redacted,
  readAgain: ReadAgain,
): Redaction {
  const { bytes, sections, unrecognized, refused, verified, included } = read;
  const facts = sections.flatMap(({ section }) => section.facts);
  const itemAt = itemReader(bytes);
  const concerns = (fact: Fact): boolean => {
    if (read.mayConcern === false) return false;
    if (whoIsConcerned(fact).some((who) => nodesOf(who).some(({ value }) => names.has(value)))) return true;
    const number = numberInRow(fact);
    return number !== null && names.has(number);
  };
  const about = facts.filter((fact) => concerns(fact) || isAbout(fact, itemAt, names, messages));
  const theirs = new Set([...about, ...sharingRow(about, facts)]);
  // What is in no known format and names them, or has what they are called: nobody can tell what else in it is theirs.
  const words = wordsOf([]);
  const strange = unrecognized.filter(({ path }) => {
    const text = JSON.stringify(itemAt(path) ?? '');
    return namesInStrangeText(text, names) || words.some((word) => text.includes(word));
  });
  if (theirs.size + strange.length === 0 && !isNamedAround(read, itemAt, names)) return { kind: 'untouched' };
  const others = facts.filter((fact) => !theirs.has(fact));
  const without = sections.map((one) => ({
    ...one,
    section: {
      ...one.section,
      facts: one.section.facts.flatMap((fact) => (theirs.has(fact) ? left(fact) : fact)),
    },
  }));
  const held = others.filter(({ kind }) => !OF_NOBODY.has(kind));
  const known = unrecognized.filter((part) => !strange.includes(part));
  const erased = {
    kind: 'erased',
    body: new Uint8Array(),
    counters: () => countersOf({ sections: without, refused, verified, included }, read.isScoped),
    sections: without,
    filing: {
      fields: [...new Set(sections.map(({ section }) => section.field))],
      phoneNumberIds: [...new Set(sections.flatMap(({ section }) => section.connection.phoneNumberId ?? []))],
      chatIds: namesIn(others),
    },
    items: [...theirs].filter((fact) => subjectOf(fact) !== null).length,
    others: held.length + known.length,
    messages: [...new Set([...theirs].flatMap((fact) => messageIdOfFact(fact) ?? []))],
    gone: [...theirs].map(({ path }) => path),
    moved: new Map<string, string>(),
  } as const;
  // Parts with a bad signature are not applied; without their bytes that could not be told.
  if (held.length + known.length === 0 || refused.length > 0) return erased;
  const found = writeAnew();
  if (found === null) return erased;
  const { body, again } = found;
  const rest = again.sections.flatMap(({ section }) => section.facts);
  const stay = rest.filter(({ kind }) => !OF_NOBODY.has(kind));
  const { fields, phoneNumberIds, chatIds } = again;
  return {
    ...erased,
    kind: 'redacted',
    body,
    // What stays, where it is now, and what is gone.
    sections: [
      ...again.sections,
      ...sections.flatMap((one) => {
        const gone = one.section.facts.flatMap((fact) => (theirs.has(fact) ? left(fact) : []));
        return gone.length === 0 ? [] : [{ ...one, section: { ...one.section, facts: gone } }];
      }),
    ],
    filing: { fields, phoneNumberIds, chatIds },
    others: 0,
    moved: new Map(held.map(({ path }, at) => [path, stay[at]?.path ?? path])),
  };

  /** Null if it cannot be told apart from the rest. */
  function writeAnew(): { body: Uint8Array; again: NonNullable<ReturnType<ReadAgain>> } | null {
    const without = withoutItems(bytes, [...erased.gone, ...pathsOf(strange)], pathsOf([...held, ...known]));
    if (without === null) return null;
    const told = new Set(sections.map(({ section }) => JSON.stringify(section.connection)));
    for (const how of ['drop', 'replace'] as const) {
      const body = withoutNamesIn(without, names, how);
      const again = readAgain(body);
      if (again === null) continue;
      const rest = again.sections.flatMap(({ section }) => section.facts);
      if (
        saysTheSame(held, rest) &&
        again.sections.every(({ section }) => told.has(JSON.stringify(section.connection))) &&
        !isAround(body, rest, names, wordsOf([...theirs]))
      )
        return { body, again };
      if (body === without) return null;
    }
    return null;
  }
}

/** What a row of a CRM says beside its message, of the contact whom it is filed under: it goes with the row. */
function sharingRow(gone: readonly Fact[], facts: readonly Fact[]): Fact[] {
  const rows = new Set(
    gone.flatMap((fact) => (fact.kind === 'message' && fact.origin === 'adopted' ? fact.path : [])),
  );
  return rows.size === 0 ? [] : facts.filter(({ path }) => rows.has(path));
}

/** A body that is JSON, without these people where a program names them. */
function withoutNamesIn(body: Uint8Array, names: Redacted['names'], how: 'drop' | 'replace'): Uint8Array {
  const value = readJson(textOfBytes(body));
  const left = withoutNames(value, names, how);
  return left === value ? body : Buffer.from(JSON.stringify(left), 'utf8');
}

/** Whether a body with no item of these people still names them, other than in what somebody wrote. */
function isNamedAround(
  { bytes, sections }: ReadBody,
  itemAt: ReturnType<typeof itemReader>,
  names: Redacted['names'],
): boolean {
  const text = textOfBytes(bytes);
  const isPlain = sections.every(({ section }) => section.via === undefined);
  if (isPlain && !namesInText(text, names)) return false;
  const held = sections.map(({ section }) => itemAt(section.path));
  if (held.some((item) => itemNames(item, names, DEEPEST))) return true;
  const around = aroundItems(
    bytes,
    sections.flatMap(({ section }) => section.facts),
  );
  if (around !== null) return namesInText(textOfBytes(around), names);
  // Text around a body: what the body does not have, the text does.
  return countNamesInText(text, names) > countNamesInText(JSON.stringify(held), names);
}

function pathsOf(parts: readonly (Fact | Unrecognized)[]): string[] {
  return parts.map(({ path }) => path);
}

/** Whether a fact that says nothing of these people is about them all the same: an item that left no fact names people in its fields. */
function isAbout(
  fact: Fact,
  itemAt: ReturnType<typeof itemReader>,
  names: Redacted['names'],
  messages: Redacted['messages'],
): boolean {
  // An item without people of its own names them in its fields; so does a receipt in a group, of which only the chat is kept.
  if (
    fact.kind === 'skipped' ||
    fact.kind === 'rejected' ||
    fact.kind === 'event' ||
    fact.kind === 'status'
  ) {
    if (itemNames(itemAt(fact.path), names)) return true;
  }
  return 'counterpart' in fact && !isPerson(fact.counterpart) && isWrittenBy(fact, itemAt, names, messages);
}

/** Whether these people wrote an item of a group: a message, or a change of one of theirs, or by them. */
function isWrittenBy(
  fact: Extract<Fact, { counterpart: Identities }>,
  itemAt: ReturnType<typeof itemReader>,
  names: Redacted['names'],
  messages: Redacted['messages'],
): boolean {
  if (fact.kind !== 'message')
    return messages.has(fact.targetExternalId) || itemNames(itemAt(fact.path), names);
  const author = fact.rawMeta?.['participant'];
  return (
    typeof author === 'string' && nodesOf(identitiesOfUser(author)).some(({ value }) => names.has(value))
  );
}

/** A group, a list or a channel has no name but its own. */
function isPerson({ phone, waId, lid, bsuids }: Identities): boolean {
  return phone !== undefined || lid !== undefined || bsuids !== undefined || /^\d*$/.test(waId ?? '');
}

/** What stays on record of an item that is gone: that it was there. */
function left(fact: Fact): Fact[] {
  if (fact.kind === 'event') return [fact];
  const subject = subjectOf(fact);
  return subject === null ? [] : [{ kind: 'skipped', path: fact.path, subject, reason: 'erased' }];
}

/** The names of everyone whom these facts are about. */
export function namesIn(facts: readonly Fact[]): string[] {
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

/** Whether anything but the items that stay still names these people. */
function isAround(
  body: Uint8Array,
  facts: readonly Fact[],
  names: Redacted['names'],
  words: readonly string[],
): boolean {
  const around = aroundItems(body, facts);
  if (around === null) return true;
  const text = textOfBytes(around);
  return namesInText(text, names) || words.some((word) => text.includes(word));
}

/** A body without its items; null if it cannot be written. */
function aroundItems(body: Uint8Array, facts: readonly Fact[]): Uint8Array | null {
  const items = facts.filter(({ kind, path }) => path !== '$' && !OF_NOBODY.has(kind) && kind !== 'event');
  return withoutItems(body, pathsOf(items), []);
}
