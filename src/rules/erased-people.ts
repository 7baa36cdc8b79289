import { identitiesOfUser } from '../identity/identities.js';
import type { KeyedNames } from '../model/secrets.js';
import { nodesOf } from './identity-evidence.js';

/** Whether digits are seconds since 1970: with the country code 1 a number has eleven. */
function isTime(digits: string): boolean {
  return digits.length === 10 && digits.startsWith('1');
}

/** Names whose answer is remembered; a log has the same few over and over. */
const REMEMBERED = 100_000;

/** What is left of a name of an erased person, or of the id of what they wrote in a group. */
export function erasedName(key: KeyedNames, name: string): string {
  return key.nameOf(['erased person', name]);
}

/** What one batch stores of names that the run has learned, and what it found that others have stored. Counts once the batch has committed. */
export interface StoredNames {
  /** Hashes that are stored now. */
  stored: readonly string[];
  /** Hashes that another run has stored since these people were loaded. */
  added: ReadonlySet<string>;
  /** Erasures that are not at their end any more, with when they were: nobody has looked yet for rows under the new names. */
  reopened: ReadonlyMap<string, number>;
  /** Those of whose people this run has stored items, under names that it did not know. */
  missed: readonly string[];
  version: string;
}

/**
 * The people who were erased: whether a name is one of theirs, or the id of what they wrote in a group, and nothing else. `version`: of
 * the stored hashes when they were loaded.
 */
export class ErasedPeople {
  private readonly answers = new Map<string, boolean>();
  private readonly words = new Map<string, boolean>();
  /** Hashes of names that came to be known as those of an erased person, each with a hash that was stored before. */
  private readonly learned = new Map<string, string>();
  private readonly reopened = new Map<string, number>();

  constructor(
    private readonly key: KeyedNames,
    private readonly hashes: Set<string>,
    public version = '',
  ) {}

  /** `name`: as identities have it; or the id of a message. */
  has(name: string): boolean {
    const known = this.answers.get(name);
    if (known !== undefined) return known;
    if (this.answers.size >= REMEMBERED) this.answers.clear();
    const answer = this.hashes.has(this.hashOf(name));
    this.answers.set(name, answer);
    return answer;
  }

  /** Whether a word of a text may name one of them. */
  hasWord(word: string): boolean {
    // Every message has a time of its own, and nobody's number is so.
    if (isTime(word)) return false;
    const known = this.words.get(word);
    if (known !== undefined) return known;
    if (this.words.size >= REMEMBERED) this.words.clear();
    const answer = nodesOf(identitiesOfUser(word)).some(({ value }) => this.has(value));
    this.words.set(word, answer);
    return answer;
  }

  /** The names of one person: if one of them was erased, all of them are from now on. Returns whether any of them is new. */
  learn(names: readonly string[]): boolean {
    if (names.length < 2) return false;
    const known = names.find((name) => this.has(name));
    if (known === undefined) return false;
    const hash = this.hashOf(known);
    const stored = this.learned.get(hash) ?? hash;
    const others = names.filter((name) => !this.has(name));
    for (const name of others) {
      const learned = this.hashOf(name);
      this.hashes.add(learned);
      this.answers.set(name, true);
      this.learned.set(learned, stored);
    }
    // Some of them may be theirs now.
    if (others.length > 0) this.words.clear();
    return others.length > 0;
  }

  hashOf(name: string): string {
    return erasedName(this.key, name);
  }

  /** Hashes that no batch has stored yet, each with one that is stored. */
  unstored(): ReadonlyMap<string, string> {
    return new Map(this.learned);
  }

  /** Those of `hashes` that are not known here. */
  unknownOf(hashes: ReadonlySet<string>): ReadonlySet<string> {
    return new Set([...hashes].filter((hash) => !this.hashes.has(hash)));
  }

  /** The people of other hashes, under the same key. */
  of(hashes: ReadonlySet<string>): ErasedPeople {
    return new ErasedPeople(this.key, new Set(hashes), this.version);
  }

  /** A batch has committed. */
  committed({ stored, added, reopened, missed, version }: StoredNames): void {
    for (const hash of stored) this.learned.delete(hash);
    for (const hash of added) this.hashes.add(hash);
    if (added.size > 0) {
      this.answers.clear();
      this.words.clear();
    }
    for (const [id, endedAt] of reopened) this.reopened.set(id, endedAt);
    for (const id of missed) this.reopened.delete(id);
    this.version = version;
  }

  /** The erasures that this run has taken from their end, with when that was; they are handed out once. */
  takeReopened(): ReadonlyMap<string, number> {
    const reopened = new Map(this.reopened);
    this.reopened.clear();
    return reopened;
  }
}
