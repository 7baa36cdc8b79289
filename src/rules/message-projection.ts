import type { Media, MessageContent } from '../model/facts.js';
import type { JsonObject } from '../model/json.js';
import type { RevisionRow } from '../store/tables/amendments.js';
import { ownMedia, revokedAtOf, type MessageState, type Version } from './message-state.js';
import { stableJson } from './merge-values.js';

/** The version key of the content before any edit. */
export const ORIGINAL_VERSION = 'original';

/** One row of message_revisions: a version no longer shown by the message row. */
export type Revision = Omit<RevisionRow, 'messageId'>;

/** What the message row shows of the content, and what moves to message_revisions (M5). */
export interface MessageProjection {
  type: string;
  body: string | null;
  media: Media | null;
  rawMeta: JsonObject | null;
  editedAt: number | null;
  editExternalId: string | null;
  deletedAt: number | null;
  revisions: Revision[];
}

/**
 * The row shows the newest version, or none for a revoked message. Every other version becomes a revision, so nothing
 * once shown is lost, and the row and its revisions restore the whole state.
 */
export function projectMessage(state: MessageState): MessageProjection {
  const original: Revision = {
    version: ORIGINAL_VERSION,
    type: state.type,
    body: state.body,
    media: state.media,
    rawMeta: state.rawMeta,
    at: state.timestamp,
  };
  const edits = [...(state.edits ?? [])]
    .sort(compareEdits)
    .map(([editId, version]) => revisionOf(editId, version, original));
  const shown = edits.at(-1) ?? original;
  const revoked = state.revokedAt !== null;
  const versions = [original, ...edits];
  return {
    type: shown.type,
    body: revoked ? null : shown.body,
    media: revoked ? null : shown.media,
    rawMeta: revoked ? null : original.rawMeta,
    editedAt: edits.at(-1)?.at ?? null,
    editExternalId: edits.at(-1)?.version ?? null,
    deletedAt: revokedAtOf(state),
    revisions: revoked ? versions : versions.filter((version) => version !== shown),
  };
}

/**
 * Whether the row of an edited or revoked message shows other content than its state: another program changed it, and the state
 * does not reveal that, because it is restored from the earlier versions (M5).
 */
export function showsOtherwise(row: Omit<MessageProjection, 'revisions'>, state: MessageState): boolean {
  if (row.editedAt === null && row.deletedAt === null) return false;
  return contentText(row) !== contentText(projectMessage(state));
}

function contentText({
  type,
  body,
  media,
  rawMeta,
}: Pick<MessageProjection, 'type' | 'body' | 'media' | 'rawMeta'>): string {
  return stableJson({ type, body, media: media === null ? null : { ...media }, rawMeta });
}

/** Restores a state's original content and edits from the row and its revisions. The inverse of {@link projectMessage}. */
export function restoreContent(
  state: MessageState,
  row: Pick<MessageProjection, 'editedAt' | 'editExternalId' | 'deletedAt'>,
  revisions: readonly Revision[],
): void {
  state.revokedAt = row.deletedAt;
  if (row.editExternalId !== null && row.editedAt !== null && row.deletedAt === null) {
    addEdit(state, row.editExternalId, row.editedAt, contentOf(state));
  }
  for (const revision of revisions) {
    if (revision.version === ORIGINAL_VERSION) {
      state.type = revision.type;
      state.body = revision.body;
      state.media = revision.media;
      state.rawMeta = revision.rawMeta;
    } else {
      addEdit(state, revision.version, revision.at, contentOf(revision));
    }
  }
  forgetInheritedMedia(state);
}

/** Media that an edit inherited must keep following the original's, which may still improve. */
function forgetInheritedMedia(state: MessageState): void {
  for (const { content } of state.edits?.values() ?? []) {
    if (ownMedia(content, state) === undefined) delete content.media;
  }
}

/** An edit without media keeps the original's: a new caption does not cost the picture. */
function revisionOf(editId: string, version: Version, original: Revision): Revision {
  return {
    version: editId,
    type: version.content.type,
    body: version.content.body ?? null,
    media:
      ownMedia(version.content, original) ?? (version.content.type === original.type ? original.media : null),
    rawMeta: null,
    at: version.at,
  };
}

function contentOf(shown: { type: string; body: string | null; media: Media | null }): MessageContent {
  return {
    type: shown.type,
    ...(shown.body === null ? {} : { body: shown.body }),
    ...(shown.media === null ? {} : { media: shown.media }),
  };
}

function addEdit(state: MessageState, editId: string, at: number, content: MessageContent): void {
  state.edits ??= new Map();
  state.edits.set(editId, { at, content });
}

function compareEdits([leftId, left]: [string, Version], [rightId, right]: [string, Version]): number {
  if (left.at !== right.at) return left.at - right.at;
  return leftId < rightId ? -1 : leftId > rightId ? 1 : 0;
}
