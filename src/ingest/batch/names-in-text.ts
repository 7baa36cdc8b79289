import { identitiesOfUser } from '../../identity/identities.js';
import { nodesOf } from '../../rules/identity-evidence.js';

/** What may name a person in a text: numbers, LIDs, BSUIDs. The id of an old group begins with the number of whoever made it. */
const NAME = /(?<!\d)\d{7,20}(?!\d|-\d+@g\.us)(?:@lid)?|[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}/g;

/** Whether anything in a text may be a name of one of these people. */
export function namesInText(text: string, names: { has: (name: string) => boolean }): boolean {
  return countNamesInText(text, names, 1) > 0;
}

/** How often a text has what may be a name of one of these people; stops at `enough`. */
export function countNamesInText(
  text: string,
  names: { has: (name: string) => boolean },
  enough = Infinity,
): number {
  let count = 0;
  for (const [found] of text.matchAll(NAME)) {
    if (nodesOf(identitiesOfUser(found)).some(({ value }) => names.has(value))) count += 1;
    if (count >= enough) break;
  }
  return count;
}
