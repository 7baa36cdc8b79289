import { decodeWamid, isWamid } from '../../identity/wamid.js';
import { MESSAGE_SOURCES } from '../../model/enumerations.js';
import { type AnyMessageRow, readMessagesById } from '../../store/tables/messages.js';
import { stateOfRow } from '../../rules/message-book.js';
import { ORIGINAL_VERSION, type Revision } from '../../rules/message-projection.js';
import type { MessageState } from '../../rules/message-state.js';
import type { Media } from '../../model/facts.js';
import type { JsonObject } from '../../model/json.js';
import { stableJson } from '../../rules/merge-values.js';
import { isLabelRank } from '../../rules/evidence.js';
import { groupBy } from '../../rules/group-by.js';
import type { Sql } from '../../store/sql.js';
import { readRevisions } from '../../store/tables/amendments.js';

/** A stored row under decision. */
export interface Candidate {
  row: AnyMessageRow;
  revisions: readonly Revision[];
  /** The evidence of the row and its revisions, with every present value ranked. */
  state: MessageState;
  /** Its text before any edit; empty if only the edit is known. */
  original: Said;
  /** False for an edited row without its revisions: it shows the edit, which must not pass as the original. */
  originalKnown: boolean;
  /** The texts of its edits. */
  edited: readonly Said[];
}

/**
 * The rank of real content from a program that stores no evidence: better than any placeholder, weaker than anything
 * from a webhook (src/rules/evidence.ts: placeholders up to 7, media without id from 9).
 */
export const UNACCOUNTED_CONTENT = 8;
/** The least rank of a value that is present: absent ones must not beat it. */
const PRESENT = 1;

export function candidateOf(row: AnyMessageRow, revisions: readonly Revision[]): Candidate {
  const state = stateOfRow(row, revisions);
  // A label is not text: the same message has none in another program.
  const isLabel = isLabelRank(state.ranks.body);
  rankPresentValues(state);
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
  const { type, media, rawMeta } = state;
  const body = isLabel ? null : state.body;
  const original = originalKnown
    ? { type, body, media, rawMeta }
    : { type, body: null, media: null, rawMeta: null };
  return { row, revisions, state, original, originalKnown, edited };
}

/**
 * Reads rows, with all their versions, by id. `joined`: conversations to read as others. `lock`: for a decision that is
 * carried out, so that no row is deleted in favor of one that another writer deletes.
 */
export async function readCandidates(
  sql: Sql,
  ids: readonly string[],
  { joined, lock = false }: { joined?: ReadonlyMap<string, string>; lock?: boolean } = {},
): Promise<Map<string, Candidate>> {
  const rows = await readMessagesById(sql, ids, { lock });
  const amended = rows.filter((row) => row.editedAt !== null || row.deletedAt !== null).map((row) => row.id);
  const revisions = groupBy(await readRevisions(sql, amended), (revision) => revision.messageId);
  return new Map(
    rows.map((row) => {
      const conversationId = joined?.get(row.conversationId) ?? row.conversationId;
      return [row.id, candidateOf({ ...row, conversationId }, revisions.get(row.id) ?? [])];
    }),
  );
}

/**
 * Rows of other programs have no ranks: merged unranked, all their values would lose to a placeholder. An absent value
 * gets no rank, whatever the row says, or it would beat a present one.
 */
function rankPresentValues(state: MessageState): void {
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
 * Sorts the kept row first: better evidence (M2), then more edits, revokes and confirmations, then the older id. A
 * total order, so every split into batches keeps the same rows.
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

/** The content of one version of a message; null if it has none. */
export interface Said {
  type: string;
  body: string | null;
  media: Media | null;
  /** All content of a contact card, a location, an order and the like, if none of it became text. */
  rawMeta: JsonObject | null;
}

/** Types that stand for missing content. */
const PLACEHOLDERS: ReadonlySet<string> = new Set(['media_placeholder', 'unsupported', 'errors', 'unknown']);

export function isPlaceholder(type: string): boolean {
  return PLACEHOLDERS.has(type);
}

/** How much content a version has: fuller versions are placed first, so emptier ones meet every candidate. */
export function detailOf(said: Said): number {
  const media = said.media ?? {};
  return (
    (isPlaceholder(said.type) ? 0 : 1) +
    (textOf(said.body) === null ? 0 : 4) +
    (media.id === undefined ? 0 : 4) +
    (media.sha256 === undefined ? 0 : 2) +
    (media.mimeType === undefined ? 0 : 1) +
    (media.fileName === undefined ? 0 : 1)
  );
}

/** The same text and the same file under the same type. */
export function isSameContent(a: Said, b: Said): boolean {
  return (
    a.type === b.type &&
    textOf(a.body) === textOf(b.body) &&
    mediaKey(a.media) === mediaKey(b.media) &&
    !isOtherMeta(a, b)
  );
}

/**
 * Whether two rows of one id may be one message: they differ in no value that both have. A placeholder, `unsupported`
 * or an empty row has no content; media without id may be the media with one. Two texts, or two files, are two messages
 * that got one id (an album), and so are two contact cards.
 */
export function isCompatible(a: Said, b: Said): boolean {
  if (isEmpty(a) || isEmpty(b)) return true;
  if (isOtherMeta(a, b)) return false;
  const [left, right] = [textOf(a.body), textOf(b.body)];
  if (left !== null && right !== null && left !== right) return false;
  const media = compareMedia(a.media, b.media);
  if (media === 'other') return false;
  if (a.type === b.type || isPlaceholder(a.type) || isPlaceholder(b.type)) return true;
  // Programs name types differently (`chat` for text): the same text or file under two names is still the same.
  return media === 'same' || (left !== null && left === right);
}

/** Neither has text or a file, and their raw_meta differs under one key: two contact cards sent at once. */
function isOtherMeta(a: Said, b: Said): boolean {
  const { rawMeta: left } = a;
  const { rawMeta: right } = b;
  if (left === null || right === null || hasTextOrFile(a) || hasTextOrFile(b)) return false;
  return Object.keys(left).some((key) => key in right && stableJson(left[key]) !== stableJson(right[key]));
}

function hasTextOrFile({ body, media }: Said): boolean {
  return textOf(body) !== null || mediaKey(media) !== '';
}

/** A text without a body is only a placeholder; a media type alone still means a file. */
function isEmpty({ type, body, media }: Said): boolean {
  if (textOf(body) !== null || mediaKey(media) !== '') return false;
  return isPlaceholder(type) || type === 'text' || type === '';
}

/** `open`: no value contradicts the other, and none proves the same file. */
function compareMedia(a: Media | null, b: Media | null): 'same' | 'open' | 'other' {
  if (a === null || b === null) return 'open';
  if (a.id !== undefined && a.id === b.id) return 'same';
  // A file that Meta delivers twice (live, and in a history) has two ids and one hash.
  if (a.sha256 !== undefined && a.sha256 === b.sha256) return 'same';
  if (differ(a.id, b.id) || differ(a.sha256, b.sha256)) return 'other';
  if (differ(kindOf(a.mimeType), kindOf(b.mimeType)) || differ(a.fileName, b.fileName)) return 'other';
  return 'open';
}

function differ(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}

/** `audio/ogg; codecs=opus` is `audio/ogg`. */
function kindOf(mimeType: string | undefined): string | undefined {
  return mimeType?.split(';', 1)[0]?.trim().toLowerCase();
}

function textOf(body: string | null): string | null {
  return body === '' ? null : body;
}

function mediaKey(media: Media | null): string {
  if (media === null) return '';
  const parts = [media.id, media.mimeType, media.sha256, media.fileName];
  return parts.every((part) => part === undefined) ? '' : parts.map((part) => part ?? '').join('\n');
}
