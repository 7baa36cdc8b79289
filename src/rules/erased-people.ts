import type { KeyedNames } from '../model/secrets.js';

/** Names whose answer is remembered; a log has the same few over and over. */
const REMEMBERED = 100_000;

/** What is left of a name of an erased person, or of the id of what they wrote in a group. */
export function erasedName(key: KeyedNames, name: string): string {
  return key.nameOf(['erased person', name]);
}

/** The people who were erased: whether a name is one of theirs, or the id of what they wrote in a group, and nothing else. */
export class ErasedPeople {
  private readonly answers = new Map<string, boolean>();

  constructor(
    private readonly key: KeyedNames,
    private readonly hashes: ReadonlySet<string>,
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
}
