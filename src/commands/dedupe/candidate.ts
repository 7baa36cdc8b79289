import { decodeWamid, isWamid } from '../../identity/wamid.js';
import { MESSAGE_SOURCES } from '../../model/enumerations.js';
import type { AnyMessageRow } from '../../store/tables/messages.js';
import { stateOfRow } from '../../rules/message-book.js';
import { ORIGINAL_VERSION, type Revision } from '../../rules/message-projection.js';
import type { MessageState } from '../../rules/message-state.js';
import { detailOf, isPlaceholder, type Said } from './compare-content.js';

/** One stored row in sight of a decision. */
export interface Candidate {
  row: AnyMessageRow;
  revisions: readonly Revision[];
  /** What the row and its revisions prove, with every value that is there ranked as evidence. */
  state: MessageState;
  /** What it said before any edit; nothing, where only the edit is known. */
  original: Said;
  /** False for an edited row whose revisions are lost: what it shows is the edit's, and must not pass for the original. */
  originalKnown: boolean;
  /** What edits made it say. */
  edited: readonly Said[];
}

/**
 * The rank of a real content whose program keeps no account of its evidence: better than any placeholder of ours, not as
 * good as anything that a webhook brought (src/rules/evidence.ts.ts: placeholders up to 7, media without id from 9).
 */
const UNACCOUNTED_CONTENT = 8;
/** The least that a value counts which is there: absent ones must not beat it. */
const PRESENT = 1;

export function candidateOf(row: AnyMessageRow, revisions: readonly Revision[]): Candidate {
  const state = stateOfRow(row, revisions);
  rankWhatIsThere(state);
  // Other programs do not read the id inside a wamid.
  if (isWamid(state.externalId)) state.stanzaId ??= decodeWamid(state.externalId)?.stanzaId ?? null;
  const edited = [...(state.edits?.values() ?? [])].map(({ content }) => ({
    type: content.type,
    body: content.body ?? null,
    media: content.media ?? (content.type === state.type ? state.media : null),
    rawMeta: null,
  }));
  const originalKnown =
    row.editExternalId === null || revisions.some(({ version }) => version === ORIGINAL_VERSION);
  const { type, body, media, rawMeta } = state;
  const original = originalKnown
    ? { type, body, media, rawMeta }
    : { type, body: null, media: null, rawMeta: null };
  return { row, revisions, state, original, originalKnown, edited };
}

/**
 * Rows of other programs rank nothing; merged as they are, everything they say would be lost to a placeholder. And a value
 * that is not there has no rank, whatever the row says, or it would win over one that is.
 */
function rankWhatIsThere(state: MessageState): void {
  const { ranks } = state;
  const content = (rank: number): number => (rank > 0 ? rank : UNACCOUNTED_CONTENT);
  const present = (rank: number): number => (rank > 0 ? rank : PRESENT);
  ranks.type = isPlaceholder(state.type) ? present(ranks.type) : content(ranks.type);
  ranks.body = state.body === null ? 0 : content(ranks.body);
  ranks.media = state.media === null ? 0 : content(ranks.media);
  ranks.context = state.contextExternalId === null ? 0 : present(ranks.context);
  ranks.rawMeta = state.rawMeta === null ? 0 : present(ranks.rawMeta);
}

/**
 * The row whose id stays comes first: the better evidence (M2), then who knows more about the message's fate, then the
 * older id. A total order, so that every split into batches keeps the same rows.
 */
export function compareEvidence(a: Candidate, b: Candidate): number {
  const [left, right] = [weightsOf(a), weightsOf(b)];
  for (const [i, weight] of left.entries()) {
    const other = right[i] ?? 0;
    if (weight !== other) return other - weight;
  }
  return a.row.id < b.row.id ? -1 : a.row.id > b.row.id ? 1 : 0;
}

function weightsOf({ state, edited, original }: Candidate): number[] {
  const { type, body, media, structure, context, rawMeta } = state.ranks;
  return [
    Math.max(type, body, media),
    structure,
    detailOf(original),
    context,
    rawMeta,
    edited.length,
    state.revokedAt === null ? 0 : 1,
    state.metaConfirmedAt === null ? 0 : 1,
    MESSAGE_SOURCES.indexOf(state.source),
    state.batchId === null ? 0 : 1,
  ];
}
