import { textOfBytes } from '../../decode/parse-json.js';
import { identitiesOfUser } from '../../identity/identities.js';
import { nodesOf } from '../../rules/identity-evidence.js';
import { NAME } from '../../rules/texts-without-names.js';

/** Names to look for; `hasWord` answers for a word of a text where that is cheaper than to read the word as a name. */
interface Names {
  has: (name: string) => boolean;
  hasWord?: (word: string) => boolean;
}

/** The names in bytes that these people may have, as identities have them. */
export function namesOfBytes(bytes: Uint8Array, names: Names): string[] {
  return namesOfText(textOfBytes(bytes), names);
}

/** The names in a text that these people may have, as identities have them. */
export function namesOfText(text: string, names: Names): string[] {
  const words = (text.match(NAME) ?? []).filter((word) => names.hasWord?.(word) ?? true);
  return words.flatMap((word) =>
    nodesOf(identitiesOfUser(word)).flatMap(({ value }) => (names.has(value) ? value : [])),
  );
}

/** Whether anything in a text may be a name of one of these people. */
export function namesInText(text: string, names: Names): boolean {
  return countNamesInText(text, names, 1) > 0;
}

/** How often a text has what may be a name of one of these people; stops at `enough`. */
export function countNamesInText(text: string, names: Names, enough = Infinity): number {
  let count = 0;
  // All at once: one match after the other takes several times as long.
  for (const found of text.match(NAME) ?? []) {
    const isName =
      names.hasWord?.(found) ?? nodesOf(identitiesOfUser(found)).some(({ value }) => names.has(value));
    if (isName) count += 1;
    if (count >= enough) break;
  }
  return count;
}
