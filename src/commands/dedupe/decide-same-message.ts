import { decodeWamid, isWamid } from '../../identity/wamid.js';
import { groupBy } from '../../rules/group-by.js';
import { areTwins } from '../../rules/message-state.js';
import { compareEvidence, type Candidate } from './candidate.js';
import { clusterOfOneId, mayBeOne, type Cluster } from './cluster.js';
import type { Decision } from './decide-same-id.js';
import { wordsOfTimes } from './evidence-words.js';
import { mergeCluster, type Merge } from './merge-candidates.js';

/**
 * Rule M10 over the rows of one conversation that are called by one stanza id: WhatsApp Web's row, whose id is that stanza
 * id, and the Cloud API's, whose wamid holds it, are one message if their directions are the same and their times within 2 s.
 * The wamid becomes the id. Two wamids, or two rows of one id that contradict each other, are never joined.
 */
export function decideSameMessage(rows: readonly Candidate[]): Decision {
  const clusters = [...groupBy(rows, ({ row }) => row.externalId).values()].flatMap(clusterOfOneId);
  const wamids = clusters.filter(([{ row }]) => isWamid(row.externalId));
  const keys = clusters.filter(([{ row }]) => !isWamid(row.externalId));
  const chosen = new Map<Cluster, Cluster[]>();
  for (const key of keys) {
    // Where one id holds several messages, only what they say can tell which of them the wamid is.
    const rivals = rivalsOf(key, keys);
    const twin = nearestTwin(key, wamids, rivals);
    if (twin !== null) chosen.set(twin, [...(chosen.get(twin) ?? []), key]);
  }
  const merges = [...chosen].map(([wamid, twins]) =>
    mergeTwins(
      wamid,
      twins,
      twins.some((key) => rivalsOf(key, keys)),
    ),
  );
  return { merges, kept: [] };
}

function rivalsOf([{ row }]: Cluster, keys: readonly Cluster[]): boolean {
  return keys.filter(([other]) => other.row.externalId === row.externalId).length > 1;
}

function nearestTwin([key]: Cluster, wamids: readonly Cluster[], rivals: boolean): Cluster | null {
  const fitting = wamids.filter(
    ([wamid]) =>
      // Rows of other programs have no stanza id of their own.
      areTwins(
        { ...wamid.row, stanzaId: decodeWamid(wamid.row.externalId)?.stanzaId ?? null },
        { ...key.row, stanzaId: key.row.externalId },
      ) &&
      (!rivals || mayBeOne(wamid, key)),
  );
  const agreeing = fitting.filter(([wamid]) => mayBeOne(wamid, key));
  // Several rows of one wamid that contradict each other: the one that says what this one says.
  const [nearest] = (agreeing.length > 0 ? agreeing : fitting).sort(
    ([a], [b]) => apart(a, key) - apart(b, key) || compareEvidence(a, b),
  );
  return nearest ?? null;
}

/**
 * Only the rows that stand for their ids: doubles of one id are another class's. With `rivals`, what names the key id may mean
 * the message that still has it, and does not follow.
 */
function mergeTwins([wamid]: Cluster, twins: readonly Cluster[], rivals: boolean): Merge {
  const rows = [wamid, ...twins.map(([key]) => key)].sort(compareEvidence);
  const [kept = wamid, ...lost] = rows;
  const { externalId } = wamid.row;
  const keyId = twins[0]?.[0].row.externalId ?? '';
  return {
    kept,
    lost,
    state: mergeCluster([kept, ...lost], externalId),
    renamed: rivals ? null : keyId,
    evidence: () => [
      `${keyId} is the id inside ${externalId}`,
      'same conversation and direction',
      ...wordsOfTimes(rows),
    ],
  };
}

function apart(a: Candidate, b: Candidate): number {
  return Math.abs(a.row.timestamp - b.row.timestamp);
}
