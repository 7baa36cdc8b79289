import { UnionFind } from '../../rules/group-by.js';
import { whoIsNamed } from '../../rules/fact-traits.js';
import { nodesOf } from '../../rules/identity-evidence.js';
import type { LoggedItem } from './read-items.js';

export interface Link {
  item: LoggedItem;
  /** The name that it was linked to. */
  to: string;
}

/**
 * Which fact gave each name to the person: the first, in the order of the log, that says it together with a name of theirs
 * (I3). The first name needs none; one without a link is a spelling of another (I1), or was linked by an entry not read.
 */
export function linksOf(names: readonly string[], items: readonly LoggedItem[]): Map<string, Link> {
  const own = new Set(names);
  const groups = new UnionFind();
  const links = new Map<string, Link>();
  for (const name of names) groups.add(name);
  for (const item of items) {
    const said = [...new Set(whoIsNamed(item.fact).flatMap((who) => nodesOf(who).map((node) => node.value)))];
    const known = said.filter((name) => own.has(name));
    const [first, ...others] = known;
    if (first === undefined) continue;
    for (const other of others) {
      if (groups.find(first) === groups.find(other)) continue;
      groups.join(first, other);
      // A phone is what people are known by, so it is the other name that came to it.
      const named = links.has(other) || (isPhone(other) && !links.has(first)) ? first : other;
      links.set(named, { item, to: named === other ? first : other });
    }
  }
  return links;
}

function isPhone(name: string): boolean {
  return name.startsWith('+');
}
