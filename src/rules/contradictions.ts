import type { Media } from '../model/facts.js';
import type { JsonObject } from '../model/json.js';
import type { AmendmentPayload } from './amendments.js';
import { mediaText } from './absorb-content.js';
import { isLabelRank, packEvidence } from './evidence.js';
import { containsJson, mergeErrors, stableJson, textOfErrors } from './merge-values.js';
import {
  absorbState,
  contradictsRevoke,
  ownMedia,
  revokedAtOf,
  type MessageState,
  type Original,
  type Version,
} from './message-state.js';

/**
 * Whether a message contradicts a state with equally good evidence. Merging does not show it: of two equally good
 * values it keeps one (M2). Either another entry agrees with the row, or the row was changed.
 */
export function contradicts(state: MessageState, said: MessageState): boolean {
  const mine = state.ranks;
  const theirs = said.ranks;
  return (
    (theirs.structure === mine.structure &&
      (said.timestamp !== state.timestamp || said.direction !== state.direction)) ||
    (theirs.type === mine.type && said.type !== state.type) ||
    (theirs.body > 0 && theirs.body === mine.body && said.body !== state.body) ||
    (theirs.context > 0 &&
      theirs.context === mine.context &&
      said.contextExternalId !== state.contextExternalId) ||
    (theirs.rawMeta > 0 && theirs.rawMeta === mine.rawMeta && !containsJson(state.rawMeta, said.rawMeta)) ||
    (theirs.media > 0 && theirs.media === mine.media && isOtherMedia(state.media, said.media)) ||
    (theirs.type === mine.type && said.media === null && hasStrayMedia(state)) ||
    (said.stanzaId !== null && said.stanzaId !== state.stanzaId) ||
    mergeErrors(state.errors, said.errors) !== state.errors
  );
}

/** The same for an edit or a revoke; for statuses and reactions only their order is evidence. */
export function contradictsAmendment(state: MessageState, payload: AmendmentPayload): boolean {
  switch (payload.kind) {
    case 'edit': {
      const { at, editId, content } = payload;
      return contradictsVersion(state.edits?.get(editId), { at, content }, state);
    }
    case 'revoke':
      return contradictsRevoke(state, payload.at);
    case 'status':
    case 'reaction':
      return false;
  }
}

/** Whether an edit contradicts the state's version with its id. */
function contradictsVersion(known: Version | undefined, said: Version, original: Original): boolean {
  if (known === undefined) return false;
  const fileOf = ({ content }: Version): string => mediaText(ownMedia(content, original) ?? null);
  return (
    known.at !== said.at ||
    known.content.type !== said.content.type ||
    (known.content.body ?? null) !== (said.content.body ?? null) ||
    fileOf(known) !== fileOf(said)
  );
}

/**
 * Corrects in a stored state everything that `truth`, the raw log's complete view of the message, knows at least as
 * well; facts known only to the row stay. `truth` does not depend on the order of the log, so neither does the result.
 * Returns whether anything changed.
 */
export function rectify(state: MessageState, truth: MessageState): boolean {
  const before = snapshot(state);
  absorbState(state, truth);
  const { ranks } = state;
  if (truth.ranks.structure === ranks.structure) {
    state.timestamp = truth.timestamp;
    state.direction = truth.direction;
  }
  if (truth.ranks.type === ranks.type) state.type = truth.type;
  if (knows(truth.ranks.body, ranks.body)) state.body = truth.body;
  if (knows(truth.ranks.context, ranks.context)) state.contextExternalId = truth.contextExternalId;
  if (knows(truth.ranks.rawMeta, ranks.rawMeta)) state.rawMeta = truth.rawMeta;
  if (knows(truth.ranks.media, ranks.media) && truth.media !== null)
    state.media = { ...state.media, ...truth.media };
  else if (knows(truth.ranks.type, ranks.type) && truth.media === null && hasStrayMedia(state))
    state.media = null;
  state.stanzaId = truth.stanzaId ?? state.stanzaId;
  rectifyEdits(state, truth.edits ?? []);
  state.revokedAt = truth.revokedAt ?? state.revokedAt;
  return snapshot(state) !== before;
}

/** Corrects those of a stored state's versions that an edit contradicts; one that it lacks is left out. Returns whether anything changed. */
export function rectifyEdits(state: MessageState, edits: Iterable<readonly [string, Version]>): boolean {
  let changed = false;
  for (const [editId, version] of edits) {
    if (!contradictsVersion(state.edits?.get(editId), version, state)) continue;
    state.edits?.set(editId, version);
    changed = true;
  }
  return changed;
}

/**
 * Removes the evidence of every part in which `rectified` differs from `state`, and keeps the values: the entries then
 * have the better evidence, and replaying them also corrects dependent data.
 */
export function distrust(rectified: MessageState, state: MessageState): MessageState {
  const { ranks } = state;
  const isSame = (a: Media | JsonObject | null, b: Media | JsonObject | null): boolean =>
    stableJson(a === null ? null : { ...a }) === stableJson(b === null ? null : { ...b });
  const isMoved = rectified.timestamp !== state.timestamp || rectified.direction !== state.direction;
  const kept = {
    structure: isMoved ? 0 : ranks.structure,
    // At least one part always loses its evidence: a replay corrects dependent data only if the message changes.
    type: 0,
    body: rectified.body === state.body ? ranks.body : 0,
    context: rectified.contextExternalId === state.contextExternalId ? ranks.context : 0,
    media: isSame(rectified.media, state.media) ? ranks.media : 0,
    rawMeta: isSame(rectified.rawMeta, state.rawMeta) ? ranks.rawMeta : 0,
  };
  const { stanzaId, edits, revokedAt, errors } = rectified;
  // A label never replaces a text without evidence, so remove the wrong text at once.
  const isWrongLabel = kept.body === 0 && isLabelRank(rectified.ranks.body);
  const body = isWrongLabel ? null : state.body;
  // Nor does an absent file ever replace one unknown to every entry.
  const media = rectified.media === null ? null : state.media;
  return { ...state, body, media, stanzaId, edits, revokedAt, errors, ranks: kept };
}

/** Removes all evidence from a row that the log assigns to another lead, so that this lead takes the id back (M9). */
export function disown(state: MessageState): MessageState {
  return { ...state, ranks: { structure: 0, type: 0, body: 0, context: 0, media: 0, rawMeta: 0 } };
}

/** Whether a row from the raw log had the wrong lead, direction or time; its entries are then due again. */
export function isDisowned({ batchId, ranks }: MessageState): boolean {
  return batchId !== null && ranks.structure === 0;
}

/** Whether a text has a file that did not come from an entry: no text has one. */
function hasStrayMedia({ type, media, ranks }: MessageState): boolean {
  return type === 'text' && media !== null && ranks.media === 0;
}

function knows(truth: number, row: number): boolean {
  return truth > 0 && truth === row;
}

/** Whether the message contradicts a detail of its file; an omitted detail is no contradiction. */
function isOtherMedia(known: Media | null, said: Media | null): boolean {
  return Object.entries(said ?? {}).some(
    ([key, value]) => value !== undefined && new Map(Object.entries(known ?? {})).get(key) !== value,
  );
}

/** A state as one text, except for the row's origin. */
function snapshot(state: MessageState): string {
  const { ranks, media, rawMeta, edits, errors, ...rest } = state;
  return stableJson({
    ...rest,
    revokedAt: revokedAtOf(state),
    evidence: packEvidence(ranks),
    media: media === null ? null : { ...media },
    rawMeta,
    errors: textOfErrors(errors),
    edits: [...(edits ?? [])]
      .map(([id, { at, content }]) => stableJson({ id, at, content: contentOf(content) }))
      .sort(),
  });
}

function contentOf({ type, body, media }: Version['content']): Record<string, string | null> {
  return {
    type,
    body: body ?? null,
    media: media === undefined ? null : stableJson({ ...media }),
  };
}
