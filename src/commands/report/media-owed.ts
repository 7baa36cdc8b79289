import { contentRank } from '../../rules/evidence.js';

/** Meta sends the media of a history only as long as they are not older than this (the placeholder's own time counts). */
export const MEDIA_WINDOW_MS = 14 * 86_400_000;

/** Content of this rank or more is whole; `messages.evidence` holds the rank of the type in its bits 4-7. */
const WHOLE = contentRank('content', 'echo');

/**
 * True for media that the history announced and nobody has delivered: a placeholder, or media without an id. Media of
 * WhatsApp Web have no such id and are not owed: only what Meta sent (a wamid) is. What was revoked is not owed any more.
 */
export const MEDIA_OWED_SQL = `source = 'history' and deleted_at is null and (evidence >> 4 & 15) < ${WHOLE}
  and (type = 'media_placeholder'
    or (type in ('image', 'video', 'audio', 'document', 'sticker', 'voice') and external_id like 'wamid.%'))`;
