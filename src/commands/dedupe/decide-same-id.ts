import { groupBy } from '../../rules/group-by.js';
import { clusterOfOneId, type Cluster } from './cluster.js';
import type { Candidate } from './candidate.js';
import { wordsOfOneId } from './evidence-words.js';
import { mergeCluster, type Merge } from './merge-candidates.js';
import type { LookAlike } from './result.js';

/** What is to be done about one group of rows. */
export interface Decision {
  merges: Merge[];
  /** Rows that stay side by side, and why. */
  kept: Pick<LookAlike, 'externalId' | 'rows' | 'why'>[];
}

/**
 * Several rows of one (connection, externalId): those of one conversation that do not contradict each other are one message.
 * The same id in another conversation is a collision (M9), and so are two contents under one id; both stay.
 */
export function decideSameId(rows: readonly Candidate[]): Decision {
  const merges: Merge[] = [];
  const threads = [...groupBy(rows, ({ row }) => row.conversationId).values()].map((thread) => {
    const clusters = clusterOfOneId(thread);
    for (const cluster of clusters) if (cluster.length > 1) merges.push(mergeOfOneId(cluster));
    return clusters.map(([kept]) => kept.row.id).sort();
  });
  const externalId = rows[0]?.row.externalId ?? null;
  const kept: Decision['kept'] = [];
  for (const ids of threads) {
    if (ids.length > 1) kept.push({ externalId, rows: ids, why: 'other_content' });
  }
  if (threads.length > 1) kept.push({ externalId, rows: threads.flat().sort(), why: 'other_conversation' });
  return { merges, kept };
}

function mergeOfOneId(cluster: Cluster): Merge {
  const [kept, ...lost] = cluster;
  return {
    kept,
    lost,
    state: mergeCluster(cluster, kept.row.externalId),
    renamed: null,
    evidence: () => wordsOfOneId(cluster),
  };
}
