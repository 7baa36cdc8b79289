import { UnionFind } from '../../rules/group-by.js';

/** Two people of one organization that are one, and why: a sentence for people. */
export interface PersonLink {
  organizationId: string;
  one: string;
  other: string;
  why: string;
}

/** People that are one, whatever the number of links that say so. */
export interface PersonGroup {
  organizationId: string;
  personIds: string[];
  evidence: string[];
}

/** Gathers links to groups. Holds what is doubled only, never all people. */
export class PersonGroups {
  private readonly groups = new UnionFind();
  private readonly links: PersonLink[] = [];

  add(link: PersonLink): void {
    if (link.one === link.other) return;
    const one = `${link.organizationId} ${link.one}`;
    const other = `${link.organizationId} ${link.other}`;
    this.groups.add(one);
    this.groups.add(other);
    // A second word for what is known already would only make the evidence longer.
    if (this.groups.find(one) === this.groups.find(other)) return;
    this.groups.join(one, other);
    this.links.push(link);
  }

  all(): PersonGroup[] {
    const byRoot = new Map<string, { organizationId: string; ids: Set<string>; evidence: string[] }>();
    for (const { organizationId, one, other, why } of this.links) {
      const root = this.groups.find(`${organizationId} ${one}`);
      let group = byRoot.get(root);
      if (group === undefined) {
        group = { organizationId, ids: new Set(), evidence: [] };
        byRoot.set(root, group);
      }
      group.ids.add(one).add(other);
      group.evidence.push(why);
    }
    return [...byRoot.values()].map(({ organizationId, ids, evidence }) => ({
      organizationId,
      personIds: [...ids].sort(),
      evidence,
    }));
  }
}
