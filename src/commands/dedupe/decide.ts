import { groupBy } from '../../rules/group-by.js';
import {
  compareEvidence,
  detailOf,
  isCompatible,
  isPlaceholder,
  isSameContent,
  UNACCOUNTED_CONTENT,
  type Candidate,
  type Said,
} from './candidate.js';
import type { LookAlike } from './result.js';
import { decodeWamid, isWamid } from '../../identity/wamid.js';
import { disown } from '../../rules/contradictions.js';
import { isLabelRank } from '../../rules/evidence.js';
import {
  areTwins,
  isNamedRight,
  TWIN_TOLERANCE_MS,
  absorbState,
  type MessageState,
} from '../../rules/message-state.js';
import type { JsonObject } from '../../model/json.js';

/** Rows that are one message; the kept one comes first. */
type Cluster = [Candidate, ...Candidate[]];

/** Rows that are one message, and the merged row. */
export interface Merge {
  kept: Candidate;
  lost: readonly Candidate[];
  /** The whole state, under the row id of `kept`. */
  state: MessageState;
  /** An id replaced by a wamid (M10): reactions, tickets and replies that name it follow. */
  renamed: string | null;
  /** Sentences of proof, without message text. */
  evidence: () => string[];
}

/** What to do about one group of rows. */
export interface Decision {
  merges: Merge[];
  /** Rows that are all kept, and why. */
  kept: Pick<LookAlike, 'externalId' | 'rows' | 'why'>[];
}

/**
 * Several rows of one (connection, externalId): those of one conversation that do not contradict each other are one message.
 * The same id in another conversation is a collision (M9), and so are two contents under one id: all are kept.
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

/**
 * Rule M10 over the rows of one conversation that have one stanza id: WhatsApp Web's row, whose id is that stanza id,
 * and the Cloud API's, whose wamid holds it, are one message if their directions are the same and their times within 2
 * s. The wamid becomes the id. Two wamids, or two rows of one id that contradict each other, are never joined; but if a
 * row has another row's stanza id and its own id does not name that message, another program renamed it: it is that
 * row's copy.
 */
export function decideSameMessage(rows: readonly Candidate[]): Decision {
  const clusters = [...groupBy(rows, ({ row }) => row.externalId).values()].flatMap(clusterOfOneId);
  const wamids = clusters.filter(([{ row }]) => isWamid(row.externalId));
  const keys = clusters.filter(([{ row }]) => !isWamid(row.externalId));
  const chosen = new Map<Cluster, Cluster[]>();
  for (const key of keys) {
    // If one id has several messages, only content shows which of them the wamid is.
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
  return { merges: merges.length > 0 ? merges : mergeRenamed(rows), kept: [] };
}

/**
 * Rows that another program gave a different id, beside the message itself, which is better evidence in every field.
 */
function mergeRenamed(rows: readonly Candidate[]): Merge[] {
  const copies = new Map<Candidate, Candidate[]>();
  for (const copy of rows.filter(({ row }) => !isNamedRight(row))) {
    const [original] = rows
      .filter(
        (one) =>
          isNamedRight(one.row) &&
          one.row.stanzaId === copy.row.stanzaId &&
          one.row.direction === copy.row.direction &&
          Math.abs(one.row.timestamp - copy.row.timestamp) <= TWIN_TOLERANCE_MS,
      )
      .sort(compareEvidence);
    if (original !== undefined) copies.set(original, [...(copies.get(original) ?? []), copy]);
  }
  return [...copies].map(([original, own]) => {
    const [first, ...others] = own.sort(compareEvidence);
    const lost = first === undefined ? [] : [first, ...others];
    return {
      kept: original,
      lost,
      state: mergeCluster([original, ...lost.map(withoutEvidence)], original.row.externalId),
      renamed: first?.row.externalId ?? null,
      evidence: () => [
        `both have the key id ${original.row.stanzaId ?? ''}, which ${first?.row.externalId ?? ''} is no name of`,
        'same conversation and direction',
        ...wordsOfTimes([original, ...lost]),
      ],
    };
  });
}

/** A copy that only adds what the message lacks. */
function withoutEvidence(copy: Candidate): Candidate {
  return { ...copy, state: disown(copy.state) };
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
  // Several rows of one wamid that contradict each other: the one with this row's content.
  const [nearest] = (agreeing.length > 0 ? agreeing : fitting).sort(
    ([a], [b]) => apart(a, key) - apart(b, key) || compareEvidence(a, b),
  );
  return nearest ?? null;
}

/**
 * Merges only the first row of each id: duplicates of one id are another class. With `rivals`, a reference to the key
 * id may mean a message that still has it, so it is not renamed.
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

/** White space only, as in the query for such rows (src/store/queries/duplicates.ts). */
const BLANK = /^[ \t\n\u000b\f\r]*$/;

/** Whether references cannot name the row by its id. Null counts as empty. */
export function hasNoId({ row }: Candidate): boolean {
  return BLANK.test(row.externalId);
}

/**
 * Whether a row without an id is still a copy of the identified one that `twinWithId` found for it: same conversation
 * and direction, times within 2 s, and the same type, text and media (as it shows, or as it showed before an edit or a
 * revoke). A row of this tool may match by stanza id instead: then another program changed its content.
 */
export function isCopyWithoutId(copy: Candidate, identified: Candidate): boolean {
  return (
    hasNoId(copy) &&
    !hasNoId(identified) &&
    copy.row.conversationId === identified.row.conversationId &&
    copy.row.direction === identified.row.direction &&
    Math.abs(copy.row.timestamp - identified.row.timestamp) <= TWIN_TOLERANCE_MS &&
    (saysTheSame(copy, identified) || hasItsKey(copy, identified))
  );
}

function hasItsKey({ row: copy }: Candidate, { row: identified }: Candidate): boolean {
  const isOwn = copy.batchId !== null || copy.runId !== null;
  return isOwn && copy.stanzaId !== null && copy.stanzaId === identified.stanzaId;
}

function saysTheSame(copy: Candidate, identified: Candidate): boolean {
  return [identified.row, ...versionsOf(identified)].some((version) => isSameContent(version, copy.row));
}

/**
 * The identified row is kept, and takes what its copies add. Its time and direction do not change: they are the
 * provider's, and a copy's time could come within 2 s of another message's copies.
 */
export function mergeCopies(identified: Candidate, copies: readonly Candidate[]): Merge {
  const { timestamp, direction } = identified.state;
  const untimed = copies.map((copy) => {
    // Changes by a program that also removed the id are not part of the message.
    const { state } = saysTheSame(copy, identified) ? copy : withoutEvidence(copy);
    return { ...copy, state: { ...state, timestamp, direction, ranks: { ...state.ranks, structure: 0 } } };
  });
  return {
    kept: identified,
    lost: copies,
    state: mergeCluster([identified, ...untimed], identified.row.externalId),
    renamed: null,
    evidence: () => [
      copies.length === 1
        ? `one has no id, the other is ${identified.row.externalId}`
        : `${copies.length} have no id, the other is ${identified.row.externalId}`,
      copies.every((copy) => saysTheSame(copy, identified))
        ? 'same conversation, direction, type, text and media'
        : 'same conversation, direction and key id',
      ...wordsOfTimes([identified, ...copies]),
    ],
  };
}

/**
 * Which rows of one id, in one conversation, are one message: those that do not contradict each other. A row with less
 * content (a placeholder, media without id) joins the only message that it fits; if it fits several, it stays separate
 * with its equals. The outcome does not depend on the order of `candidates`.
 */
function clusterOfOneId(candidates: readonly Candidate[]): Cluster[] {
  const clusters: Cluster[] = [];
  const undecided: Candidate[] = [];
  for (const candidate of [...candidates].sort(fullestFirst)) {
    const fitting = clusters.filter((cluster) => cluster.every((member) => mayBeOne(member, candidate)));
    const equal = fitting.find((cluster) => cluster.some((member) => hasSameContent(member, candidate)));
    const home = equal ?? (fitting.length === 1 ? fitting[0] : undefined);
    if (home !== undefined) home.push(candidate);
    else if (fitting.length === 0) clusters.push([candidate]);
    else undecided.push(candidate);
  }
  const loose: Cluster[] = [];
  for (const candidate of undecided) {
    const home = loose.find((cluster) => cluster.every((member) => hasSameContent(member, candidate)));
    if (home === undefined) loose.push([candidate]);
    else home.push(candidate);
  }
  return [...clusters, ...loose].map(sortByEvidence);
}

/** Whether two rows of one id may be one message: a version of one agrees with a version of the other. */
function mayBeOne(a: Candidate, b: Candidate): boolean {
  return versionsOf(a).some((mine) => versionsOf(b).some((theirs) => isCompatible(mine, theirs)));
}

function hasSameContent(a: Candidate, b: Candidate): boolean {
  return versionsOf(a).some((mine) => versionsOf(b).some((theirs) => isSameContent(mine, theirs)));
}

/** The message before and after each edit. */
function versionsOf({ original, edited }: Candidate): Said[] {
  return [original, ...edited];
}

function fullestFirst(a: Candidate, b: Candidate): number {
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

/** Merges the rows of a cluster into one state (M2, M3, M5). `externalId` is the message's id from now on. */
function mergeCluster(cluster: Cluster, externalId: string): MessageState {
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

/** A row's part in the merge; a copy, as merging changes it. */
function partOf(candidate: Candidate, cluster: Cluster): MessageState {
  const { state } = candidate;
  const part: MessageState = {
    ...state,
    ranks: { ...state.ranks },
    edits: state.edits === null ? null : new Map(state.edits),
  };
  if (repeatsALabel(candidate, cluster)) {
    // Treated as text, it could replace a text, and no better copy would replace it.
    part.body = null;
    part.ranks.body = 0;
  }
  if (showsAnEdit(candidate, cluster)) {
    // Treated as the original, its text could replace the text from before the edit.
    Object.assign(part, { body: null, media: null });
    Object.assign(part.ranks, { type: 0, body: 0, media: 0 });
  }
  return part;
}

/** Whether another program's copy has a body that is only a label in the row it was copied from. */
function repeatsALabel({ row, state }: Candidate, cluster: Cluster): boolean {
  return (
    state.ranks.body === UNACCOUNTED_CONTENT &&
    cluster.some((other) => isLabelRank(other.state.ranks.body) && other.row.body === row.body)
  );
}

/**
 * Whether a row shows an edit as the original: its revisions are lost and another row has the original; or its program
 * overwrote the text, and another row has that text as an edit.
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

/** Other programs add keys of their own, which have no comparable rank: each key that no other row has is kept. */
function withUnaccounted(rawMeta: JsonObject | null, cluster: Cluster): JsonObject | null {
  let all = rawMeta;
  for (const { row, state } of cluster) {
    if (row.evidence === 0 && state.rawMeta !== null) all = { ...state.rawMeta, ...all };
  }
  return all;
}

/** The shared id, and why their contents agree. Without message text. */
function wordsOfOneId([kept, ...lost]: Cluster): string[] {
  const { externalId } = kept.state;
  const rows = lost.length + 1;
  return [
    rows === 2 ? `both have the id ${externalId}` : `all ${rows} have the id ${externalId}`,
    ...new Set(lost.map((other) => wordsOfContent(kept, other))),
    ...wordsOfTimes([kept, ...lost]),
  ];
}

/** The proof that two rows of one conversation are one message. */
function wordsOfContent(kept: Candidate, other: Candidate): string {
  if (isSameContent(kept.original, other.original)) return 'same type, text and media';
  for (const { original } of [other, kept]) {
    if (isPlaceholder(original.type)) return `one is a placeholder (${original.type})`;
  }
  if (kept.edited.length + other.edited.length > 0) return 'one is an edited version of the other';
  if (isEmptyRow(kept) || isEmptyRow(other)) return 'one has no content';
  return 'same content, less of it in one';
}

/** Equal times are not mentioned. */
function wordsOfTimes(rows: readonly Candidate[]): string[] {
  const times = rows.map(({ row }) => row.timestamp);
  const apart = Math.max(...times) - Math.min(...times);
  return apart === 0 ? [] : [`times ${apart / 1000} s apart`];
}

function isEmptyRow({ original }: Candidate): boolean {
  return (original.body === null || original.body === '') && original.media === null;
}
