import { isWamid } from '../identity/wamid.js';
import type { Media } from '../model/facts.js';
import { bodyWeight, gradeOfRank, isLabelRank, isRealContent } from './evidence.js';
import type { MessageState } from './message-state.js';
import { mergeJson, stableJson } from './merge-values.js';

/**
 * Merges the content that `other` knows of a message into `state` (rule M2); returns whether anything changed. Every
 * field is its own register, so the richer detail survives whichever copy brings it, the Cloud API's or WhatsApp Web's,
 * in any order (M10).
 */
export function absorbContent(state: MessageState, other: MessageState): boolean {
  const type = absorbType(state, other);
  const body = absorbBody(state, other);
  const context = absorbContext(state, other);
  const media = other.ranks.media > 0 && absorbMedia(state, other);
  const rawMeta = absorbRawMeta(state, other);
  return type || body || context || media || rawMeta;
}

/** By grade, then by how specific the type is, then by evidence. */
function absorbType(state: MessageState, other: MessageState): boolean {
  const mine = [gradeOfRank(state.ranks.type), detailOfType(state.type), state.ranks.type] as const;
  const theirs = [gradeOfRank(other.ranks.type), detailOfType(other.type), other.ranks.type] as const;
  const [order = other.type > state.type ? 1 : 0] = mine
    .map((rank, index) => (theirs[index] ?? 0) - rank)
    .filter((difference) => difference !== 0);
  if (order <= 0 || other.ranks.type === 0) return false;
  state.type = other.type;
  state.ranks.type = other.ranks.type;
  return true;
}

/** WhatsApp Web calls every answer `interactive`; Meta distinguishes a template's button. */
function detailOfType(type: string): number {
  return type === 'button' ? 1 : 0;
}

/**
 * A placeholder's text (`Message type is currently not supported.`) yields to real content entirely, even to a picture
 * without a caption. Of two equally good bodies, the longer one wins. Call after absorbType.
 */
function absorbBody(state: MessageState, other: MessageState): boolean {
  const isReal = isRealContent(state.ranks.type);
  const saysNothing = (rank: number): boolean => isReal && rank > 0 && !isRealContent(rank);
  let changed = false;
  if (saysNothing(state.ranks.body)) {
    state.body = null;
    state.ranks.body = 0;
    changed = true;
  }
  if (saysNothing(other.ranks.body) || !isBetterBody(other, state)) return changed;
  state.body = other.body;
  state.ranks.body = other.ranks.body;
  return true;
}

function isBetterBody({ ranks, body }: MessageState, than: MessageState): boolean {
  // A row of another program may have the text of a message that arrived here without one.
  const isUnaccounted = than.ranks.body === 0 && than.body !== null;
  if (isUnaccounted && isLabelRank(ranks.body)) return false;
  if (ranks.body !== than.ranks.body) return bodyWeight(ranks.body) > bodyWeight(than.ranks.body);
  if (ranks.body === 0 || body === than.body) return false;
  return longer(body ?? '', than.body ?? '') === body;
}

/** A wamid is the final name of the quoted message; WhatsApp Web's key id is replaced when the wamid arrives. */
function absorbContext(state: MessageState, other: MessageState): boolean {
  if (other.ranks.context === 0) return false;
  const raised = other.ranks.context > state.ranks.context;
  const theirs = other.contextExternalId ?? '';
  // Without evidence it does not compete: the row was changed externally.
  const mine = state.ranks.context === 0 ? '' : (state.contextExternalId ?? '');
  if (raised) state.ranks.context = other.ranks.context;
  const better = isWamid(theirs) === isWamid(mine) ? theirs > mine : isWamid(theirs);
  if (better) state.contextExternalId = other.contextExternalId;
  return raised || better;
}

/**
 * The file's id is its own register: Meta gives a file another id each time, and the best evidence decides. File
 * details merge key by key, and the longer text wins: `audio/ogg; codecs=opus` beats `audio/ogg`.
 */
function absorbMedia(state: MessageState, other: MessageState): boolean {
  const before = mediaText(state.media);
  const rankBefore = state.ranks.media;
  const mine = state.media ?? {};
  const theirs = other.media ?? {};
  const better = betterId(state, other);
  const merged: Media = {};
  const id = better ? theirs.id : mine.id;
  if (id !== undefined) merged.id = id;
  for (const key of ['mimeType', 'sha256', 'fileName'] as const) {
    const value = longer(mine[key], theirs[key]);
    if (value !== undefined) merged[key] = value;
  }
  if (better) state.ranks.media = other.ranks.media;
  if (state.media !== null && mediaText(merged) === before) return state.ranks.media !== rankBefore;
  state.media = merged;
  return true;
}

/** Whether `other` has the better id; if neither has one, the better evidence of a file. */
function betterId(state: MessageState, other: MessageState): boolean {
  const mine = state.media?.id;
  const theirs = other.media?.id;
  if ((mine === undefined) !== (theirs === undefined)) return theirs !== undefined;
  return wins(other.ranks.media, state.ranks.media, theirs ?? null, mine ?? null);
}

function longer(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  if (a.length !== b.length) return a.length > b.length ? a : b;
  return a > b ? a : b;
}

/** Details of real contents merge; a placeholder's details yield to them entirely. */
function absorbRawMeta(state: MessageState, other: MessageState): boolean {
  const mine = state.ranks.rawMeta;
  const theirs = other.ranks.rawMeta;
  if (theirs === 0 || (mine > 0 && isRealContent(mine) && !isRealContent(theirs))) return false;
  const replaces = mine === 0 || isRealContent(mine) !== isRealContent(theirs);
  const known = replaces ? {} : (state.rawMeta ?? {});
  const merged = mergeJson(known, other.rawMeta ?? {});
  const rank = replaces ? theirs : Math.max(mine, theirs);
  const changed = rank !== mine || stableJson(merged) !== stableJson(state.rawMeta);
  state.rawMeta = merged;
  state.ranks.rawMeta = rank;
  return changed;
}

function wins(theirRank: number, myRank: number, theirs: string | null, mine: string | null): boolean {
  if (theirRank !== myRank) return theirRank > myRank;
  return theirRank > 0 && (theirs ?? '') > (mine ?? '');
}

/** The same text for the same media. */
export function mediaText(media: Media | null): string {
  return media === null
    ? ''
    : [media.id, media.mimeType, media.sha256, media.fileName].map((part) => part ?? '').join('\n');
}
