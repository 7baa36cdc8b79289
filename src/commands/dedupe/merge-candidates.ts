import type { JsonObject } from '../../model/json.js';
import { absorbState, type MessageState } from '../../rules/message-state.js';
import type { Candidate } from './candidate.js';
import type { Cluster } from './cluster.js';
import { isCompatible, isSameContent } from './compare-content.js';

/** Rows that are one message, and what they are together. */
export interface Merge {
  kept: Candidate;
  lost: readonly Candidate[];
  /** The whole state, under the row id of `kept`. */
  state: MessageState;
  /** An id that the message gives up for a wamid (M10): reactions, tickets and replies that name it follow. */
  renamed: string | null;
  /** Sentences that prove it; no words of the messages. */
  evidence: () => string[];
}

/**
 * Puts all that the rows of a cluster know into one state (M2, M3, M5). `externalId` is the id that the message has from
 * now on.
 */
export function mergeCluster(cluster: Cluster, externalId: string): MessageState {
  const [kept] = cluster;
  const state = partOf(kept, cluster);
  for (const candidate of cluster.slice(1)) absorbState(state, partOf(candidate, cluster));
  for (const { row } of cluster) {
    state.batchId ??= row.batchId;
    state.runId ??= row.runId;
  }
  state.rawMeta = withUnaccounted(state.rawMeta, cluster);
  state.externalId = externalId;
  return state;
}

/** What a row brings to the merge; a copy, as merging changes it. */
function partOf(candidate: Candidate, cluster: Cluster): MessageState {
  const { state } = candidate;
  const part: MessageState = {
    ...state,
    ranks: { ...state.ranks },
    edits: state.edits === null ? null : new Map(state.edits),
  };
  if (showsAnEdit(candidate, cluster)) {
    // Taken for the original, its text could replace what the message said before the edit.
    Object.assign(part, { body: null, media: null });
    Object.assign(part.ranks, { type: 0, body: 0, media: 0 });
  }
  return part;
}

/**
 * A row whose revisions are lost, where another one knows the original; or of a program that overwrote the text when the edit
 * came: it says what another row knows as an edit of the message.
 */
function showsAnEdit(candidate: Candidate, cluster: Cluster): boolean {
  if (!candidate.originalKnown) return cluster.some((other) => other.originalKnown);
  if (candidate.edited.length > 0) return false;
  const said = candidate.original;
  const amended = cluster.filter((other) => other.edited.length > 0);
  const edits = amended.flatMap((other) => other.edited);
  const originals = amended.map((other) => other.original);
  if (edits.some((version) => isSameContent(version, said))) {
    return !originals.some((original) => isSameContent(original, said));
  }
  return (
    edits.some((version) => isCompatible(version, said)) &&
    !originals.some((original) => isCompatible(original, said))
  );
}

/** Other programs put their own remarks there, which no rank can compare: each key that nobody else has is kept. */
function withUnaccounted(rawMeta: JsonObject | null, cluster: Cluster): JsonObject | null {
  let all = rawMeta;
  for (const { row, state } of cluster) {
    if (row.evidence === 0 && state.rawMeta !== null) all = { ...state.rawMeta, ...all };
  }
  return all;
}
