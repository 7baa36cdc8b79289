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

/** A name, and the hash of another name of the same person, which is on record. */
export interface LearnedName {
  stored: string;
  name: string;
}

/** The people who were erased: whether a name is one of theirs, or the id of what they wrote in a group, and nothing else. */
export class ErasedPeople {
  private readonly answers = new Map<string, boolean>();
  private readonly words = new Map<string, boolean>();
  /** Names that came to be known as those of an erased person, by their hashes, each with a hash that was stored before. */
  readonly learned = new Map<string, LearnedName>();

  constructor(
    private readonly key: KeyedNames,
    private readonly hashes: Set<string>,
  ) {}

  /** `name`: as identities have it; or the id of a message. */
  has(name: string): boolean {
    const known = this.answers.get(name);
    if (known !== undefined) return known;
    if (this.answers.size >= REMEMBERED) this.answers.clear();
    const answer = this.hashes.has(erasedName(this.key, name));
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

  /** The names of one person: if one of them was erased, all of them are from now on. */
  learn(names: readonly string[]): void {
    if (names.length < 2) return;
    const known = names.find((name) => this.has(name));
    if (known === undefined) return;
    const hash = erasedName(this.key, known);
    const stored = this.learned.get(hash)?.stored ?? hash;
    for (const name of names) {
      if (this.has(name)) continue;
      const learned = erasedName(this.key, name);
      this.hashes.add(learned);
      this.answers.set(name, true);
      this.learned.set(learned, { stored, name });
    }
    // Some of them may be theirs now.
    this.words.clear();
  }
}
