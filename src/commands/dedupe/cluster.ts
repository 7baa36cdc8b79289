import { compareEvidence, type Candidate } from './candidate.js';
import { detailOf, isCompatible, isSameContent, type Said } from './compare-content.js';

/** Rows that are one message; the one that stays comes first. */
export type Cluster = [Candidate, ...Candidate[]];

/**
 * Which rows of one id, in one conversation, are one message: those of which none contradicts another. What says less (a
 * placeholder, media without id) belongs to the only message that it fits; where it fits several, nobody can tell, and it
 * stays by itself with its equals. The outcome does not depend on the order of `candidates`.
 */
export function clusterOfOneId(candidates: readonly Candidate[]): Cluster[] {
  const clusters: Cluster[] = [];
  const undecided: Candidate[] = [];
  for (const candidate of [...candidates].sort(mostTellingFirst)) {
    const fitting = clusters.filter((cluster) => cluster.every((member) => mayBeOne(member, candidate)));
    const equal = fitting.find((cluster) => cluster.some((member) => saysTheSame(member, candidate)));
    const home = equal ?? (fitting.length === 1 ? fitting[0] : undefined);
    if (home !== undefined) home.push(candidate);
    else if (fitting.length === 0) clusters.push([candidate]);
    else undecided.push(candidate);
  }
  const loose: Cluster[] = [];
  for (const candidate of undecided) {
    const home = loose.find((cluster) => cluster.every((member) => saysTheSame(member, candidate)));
    if (home === undefined) loose.push([candidate]);
    else home.push(candidate);
  }
  return [...clusters, ...loose].map(sortByEvidence);
}

/** Whether two rows of one id may be one message: one of the versions of each agrees with one of the other's. */
export function mayBeOne(a: Candidate, b: Candidate): boolean {
  return versionsOf(a).some((mine) => versionsOf(b).some((theirs) => isCompatible(mine, theirs)));
}

function saysTheSame(a: Candidate, b: Candidate): boolean {
  return versionsOf(a).some((mine) => versionsOf(b).some((theirs) => isSameContent(mine, theirs)));
}

/** Everything that the message ever said. */
export function versionsOf({ original, edited }: Candidate): Said[] {
  return [original, ...edited];
}

function mostTellingFirst(a: Candidate, b: Candidate): number {
  const edits = b.edited.length - a.edited.length;
  if (edits !== 0) return edits;
  const detail = detailOf(b.original) - detailOf(a.original);
  return detail === 0 ? compareEvidence(a, b) : detail;
}

function sortByEvidence(cluster: Cluster): Cluster {
  const [first, ...rest] = cluster;
  let best = first;
  for (const candidate of rest) if (compareEvidence(candidate, best) < 0) best = candidate;
  const others = cluster.filter((candidate) => candidate !== best).sort(compareEvidence);
  return [best, ...others];
}
