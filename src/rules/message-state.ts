import { decodeWamid, isWamid } from '../identity/wamid.js';
import {
  MESSAGE_SOURCES,
  MESSAGE_STATUSES,
  SYNC_SOURCES,
  type Direction,
  type MessageSource,
  type MessageStatus,
  type SyncSource,
} from '../model/enumerations.js';
import { CUT_LENGTH, idOfCut, isMadeUpId } from '../model/chat-line.js';
import type { Media, MessageContent, MessageError, MessageFact, StatusFact } from '../model/facts.js';
import type { JsonObject } from '../model/json.js';
import { absorbContent, mediaText } from './absorb-content.js';
import {
  contentRank,
  hasWeakTime,
  labelRank,
  sourceOf,
  structureRank,
  type EvidenceRanks,
} from './evidence.js';
import { higher, mergeErrors, smaller } from './merge-values.js';
import { ADOPTED_SYNC_SOURCE } from './sync-source.js';

/** The content after an edit. */
export interface Version {
  at: number;
  content: MessageContent;
}

/**
 * Everything known about one message, independent of arrival order. The visible row is a projection of it ({@link
 * projectMessage}); the database holds enough to restore the state.
 */
export interface MessageState {
  id: string;
  connectionId: string;
  conversationId: string;
  leadId: string;
  externalId: string;
  stanzaId: string | null;
  direction: Direction;
  timestamp: number;
  /** The content before any edit. */
  type: string;
  body: string | null;
  media: Media | null;
  contextExternalId: string | null;
  rawMeta: JsonObject | null;
  ranks: EvidenceRanks;
  status: MessageStatus | null;
  historyStatus: MessageStatus | null;
  /** Why it failed, from all sources; kept even if a later status reports delivery. */
  errors: readonly MessageError[] | null;
  source: MessageSource;
  syncSource: SyncSource;
  isSyncInitial: boolean;
  metaConfirmedAt: number | null;
  /** By the edit's own id. */
  edits: Map<string, Version> | null;
  revokedAt: number | null;
  batchId: string | null;
  runId: string | null;
}

/** The rows that a fact's message belongs to; resolved before placement. */
export interface Placement {
  id: string;
  connectionId: string;
  conversationId: string;
  leadId: string;
  batchId: string | null;
  runId: string;
  syncSource: SyncSource;
}

/** The state that one fact alone proves. */
export function stateOfFact(fact: MessageFact, placement: Placement): MessageState {
  const content = contentRank(fact.grade, fact.origin);
  const words = fact.bodyIsLabel === true ? labelRank(fact.grade) : content;
  return {
    id: placement.id,
    connectionId: placement.connectionId,
    conversationId: placement.conversationId,
    leadId: placement.leadId,
    externalId: fact.externalId,
    stanzaId: fact.stanzaId ?? null,
    direction: fact.direction,
    timestamp: fact.timestamp,
    type: fact.type,
    body: fact.body ?? null,
    media: fact.media ?? null,
    contextExternalId: fact.contextExternalId ?? null,
    rawMeta: fact.rawMeta ?? null,
    ranks: {
      structure: structureRank(fact.origin),
      type: content,
      body: fact.body === undefined ? 0 : words,
      media: fact.media === undefined ? 0 : content,
      context: fact.contextExternalId === undefined ? 0 : content,
      rawMeta: fact.rawMeta === undefined ? 0 : content,
    },
    status: fact.status ?? null,
    historyStatus: fact.historyStatus ?? null,
    errors: mergeErrors(null, fact.errors ?? null),
    source: sourceOf(fact.origin),
    syncSource: placement.syncSource,
    isSyncInitial: fact.isSyncInitial,
    metaConfirmedAt: null,
    edits: null,
    revokedAt: null,
    batchId: placement.batchId,
    runId: placement.runId,
  };
}

/**
 * Merges what `other` knows into `state`, field by field; returns whether anything changed. Commutative, associative and
 * idempotent in everything except the ids of the row itself (rules M2, M3, M5, M10).
 */
export function absorbState(state: MessageState, other: MessageState): boolean {
  // First: it asks what each of the two knew before they were merged.
  const progress = absorbProgress(state, other);
  const content = absorbContent(state, other);
  const structure = absorbStructure(state, other);
  const amendments = absorbAmendments(state, other);
  return content || structure || progress || amendments;
}

/** Applies a status that Meta reported for the message. */
export function absorbStatus(
  state: MessageState,
  { status, at, errors }: Pick<StatusFact, 'status' | 'at' | 'errors'>,
): boolean {
  const highest = higher(MESSAGE_STATUSES, state.status, status);
  const confirmed = smaller(state.metaConfirmedAt, at);
  const all = mergeErrors(state.errors, errors ?? null);
  const changed = highest !== state.status || confirmed !== state.metaConfirmedAt || all !== state.errors;
  state.status = highest;
  state.metaConfirmedAt = confirmed;
  state.errors = all;
  return changed;
}

/** Adds an edit as one more version; edit times, not arrival, decide which one shows (M5). */
export function absorbEdit(state: MessageState, editId: string, version: Version): boolean {
  const known = state.edits?.get(editId);
  if (known !== undefined && compareVersions(known, version, state) >= 0) return false;
  const copies = [...(state.edits ?? [])].filter(([id, other]) => id !== editId && isCopy(other, version));
  const isBest = copies.every(([id, other]) => compareCopies([id, other], [editId, version]) < 0);
  if (isNameless(editId) && !isBest) return false;
  state.edits ??= new Map();
  for (const [id] of copies) if (isNameless(id)) state.edits.delete(id);
  state.edits.set(editId, version);
  return true;
}

/** The content before any edit, as far as it decides what an edit shows. */
export type Original = Pick<MessageState, 'type' | 'media'>;

/**
 * The file that an edit brings; undefined where it keeps the message's. An edit that names that file again keeps it, too: the row
 * looks the same, so the two must be one.
 */
export function ownMedia({ type, media }: MessageContent, original: Original): Media | undefined {
  if (media?.id === undefined) return undefined;
  return type === original.type && media.id === original.media?.id ? undefined : media;
}

/** An edit event without its message has its target and time in place of an id. */
function isNameless(editId: string): boolean {
  return editId.includes(' ');
}

/** Whether two versions are one edit reported twice: events cut its time to the second. */
function isCopy(a: Version, b: Version): boolean {
  if (Math.floor(a.at / 1000) !== Math.floor(b.at / 1000)) return false;
  // Not by media, which an edit may only have inherited.
  return a.content.type === b.content.type && (a.content.body ?? null) === (b.content.body ?? null);
}

/** Of several copies of one edit, keep those with the edit's own id, else the latest. */
function compareCopies([aId, a]: [string, Version], [bId, b]: [string, Version]): number {
  if (isNameless(aId) !== isNameless(bId)) return isNameless(aId) ? -1 : 1;
  return a.at - b.at || (aId < bId ? -1 : 1);
}

/** What decides when a revoked message counts as revoked. */
type RevokedMessage = Pick<MessageState, 'timestamp' | 'revokedAt' | 'ranks'>;

/**
 * The time of a revoke, or 0 where it says none: no message is revoked before it is sent. Such a time is local time labeled as UTC.
 * The message's own time is kept, though it is as good as none; so is any, as long as a better source can say that the message is older.
 */
function timeOfRevoke(message: RevokedMessage, at: number): number {
  return at >= message.timestamp || hasWeakTime(message.ranks) ? at : 0;
}

/** When the message counts as revoked; null if it is not. */
export function revokedAtOf(message: RevokedMessage): number | null {
  if (message.revokedAt === null) return null;
  const at = timeOfRevoke(message, message.revokedAt);
  return at === 0 ? message.timestamp : at;
}

/** Whether a revoke at that moment does not fit when the message counts as revoked. */
export function contradictsRevoke(message: RevokedMessage, at: number): boolean {
  return message.revokedAt !== null && revokedAtOf(message) !== revokedAtOf({ ...message, revokedAt: at });
}

/** The earliest revoke after the message counts; one at its time, or without a time (0), only if no other is known. */
export function absorbRevoke(state: MessageState, revokedAt: number): boolean {
  const at = timeOfRevoke(state, revokedAt);
  const known = state.revokedAt === null ? null : timeOfRevoke(state, state.revokedAt);
  if (known !== null && !isBetterRevoke(state, at, known)) return false;
  state.revokedAt = at;
  return true;
}

function isBetterRevoke({ timestamp, ranks }: MessageState, at: number, known: number): boolean {
  const least = hasWeakTime(ranks) ? 0 : timestamp;
  return known > least ? at > least && at < known : at > known;
}

function absorbStructure(state: MessageState, other: MessageState): boolean {
  const mine = state.ranks.structure;
  const theirs = other.ranks.structure;
  const better =
    theirs > mine ||
    (theirs === mine &&
      (other.timestamp < state.timestamp ||
        (other.timestamp === state.timestamp && other.direction < state.direction)));
  if (!better) return false;
  state.ranks.structure = theirs;
  state.timestamp = other.timestamp;
  state.direction = other.direction;
  return true;
}

function absorbProgress(state: MessageState, other: MessageState): boolean {
  const status = higher(MESSAGE_STATUSES, state.status, other.status);
  const historyStatus = higher(MESSAGE_STATUSES, state.historyStatus, other.historyStatus);
  const source = mergeSources(state, other);
  const syncSource = higher(SYNC_SOURCES, state.syncSource, other.syncSource);
  const isSyncInitial = state.isSyncInitial || other.isSyncInitial;
  const confirmed = smaller(state.metaConfirmedAt, other.metaConfirmedAt);
  const stanzaId = state.stanzaId ?? other.stanzaId;
  const errors = mergeErrors(state.errors, other.errors);
  const changed =
    status !== state.status ||
    historyStatus !== state.historyStatus ||
    source !== state.source ||
    syncSource !== state.syncSource ||
    isSyncInitial !== state.isSyncInitial ||
    confirmed !== state.metaConfirmedAt ||
    stanzaId !== state.stanzaId ||
    errors !== state.errors;
  state.status = status;
  state.historyStatus = historyStatus;
  state.source = source;
  state.syncSource = syncSource;
  state.isSyncInitial = isSyncInitial;
  state.metaConfirmedAt = confirmed;
  state.stanzaId = stanzaId;
  state.errors = errors;
  return changed;
}

/** A CRM's copy counts as history only where nothing of WhatsApp's own is known: even an echo comes before it. */
function mergeSources(state: MessageState, other: MessageState): MessageSource {
  if (isOnlyAdopted(state) !== isOnlyAdopted(other)) return (isOnlyAdopted(state) ? other : state).source;
  return higher(MESSAGE_SOURCES, state.source, other.source);
}

/** By how it came, not by its ranks alone: beside a media follow-up, a CRM's copy may still have the best of them. */
function isOnlyAdopted({ syncSource, ranks }: MessageState): boolean {
  return syncSource === ADOPTED_SYNC_SOURCE && hasWeakTime(ranks);
}

function absorbAmendments(state: MessageState, other: MessageState): boolean {
  let changed = false;
  for (const [editId, version] of other.edits ?? []) {
    if (absorbEdit(state, editId, version)) changed = true;
  }
  if (other.revokedAt !== null && absorbRevoke(state, other.revokedAt)) changed = true;
  return changed;
}

/** Orders two versions of one edit: by time, then by text. Any fixed order would do. */
function compareVersions(a: Version, b: Version, original: Original): number {
  if (a.at !== b.at) return a.at - b.at;
  const left = versionText(a, original);
  const right = versionText(b, original);
  return left === right ? 0 : left < right ? -1 : 1;
}

function versionText({ content }: Version, original: Original): string {
  const media = ownMedia(content, original) ?? null;
  return `${content.type}\n${content.body ?? ''}\n${mediaText(media)}`;
}

/** How much the Cloud API and WhatsApp Web may disagree about a message's time (rule M10). */
export const TWIN_TOLERANCE_MS = 2_000;

/** What rule M10 compares. */
export interface TwinTraits {
  externalId: string;
  stanzaId: string | null;
  direction: Direction;
  timestamp: number;
}

/**
 * Rule M10: two names of one message have the same stanza id and direction, times within 2 s, and exactly one is a
 * wamid. The caller checks that they are in the same conversation.
 */
export function areTwins(a: TwinTraits, b: TwinTraits): boolean {
  return (
    a.stanzaId !== null &&
    a.stanzaId === b.stanzaId &&
    a.direction === b.direction &&
    Math.abs(a.timestamp - b.timestamp) <= TWIN_TOLERANCE_MS &&
    isWamid(a.externalId) !== isWamid(b.externalId) &&
    [a, b].every(isNamedRight)
  );
}

/** WhatsApp Web's id of a message: its stanza id, whatever another program wrote into a row with a wamid. */
export function keyIdOf({
  externalId,
  stanzaId,
}: Pick<TwinTraits, 'externalId' | 'stanzaId'>): string | null {
  if (isMadeUpId(externalId)) return null;
  return isWamid(externalId) ? (decodeWamid(externalId)?.stanzaId ?? null) : (stanzaId ?? externalId);
}

/**
 * The ids that the message may have where only the beginning of its key id is known (M12): one for each second that is near enough.
 * None where that tells nothing.
 */
export function cutNamesOf(traits: TwinTraits): string[] {
  const beginning = keyIdOf(traits)?.slice(0, CUT_LENGTH);
  if (beginning?.length !== CUT_LENGTH) return [];
  const { direction, timestamp } = traits;
  const names: string[] = [];
  for (let at = timestamp - TWIN_TOLERANCE_MS; at <= timestamp + TWIN_TOLERANCE_MS; at += 1000)
    names.push(idOfCut({ beginning, direction, at }));
  return names;
}

/** Whether a row's id names its key id; another program may have set any. A wamid that does not decode names none. */
export function isNamedRight({ externalId, stanzaId }: Pick<TwinTraits, 'externalId' | 'stanzaId'>): boolean {
  if (stanzaId === null) return true;
  return (isWamid(externalId) ? decodeWamid(externalId)?.stanzaId : externalId) === stanzaId;
}
