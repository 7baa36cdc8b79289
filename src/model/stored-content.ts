import type { Media, MessageError } from './facts.js';
import type { JsonObject } from './json.js';

/** Media in this tool's form; keys added by another program stay in the database. */
export function mediaOf(value: JsonObject): Media {
  const media: Media = {};
  if (typeof value['id'] === 'string') media.id = value['id'];
  if (typeof value['mimeType'] === 'string') media.mimeType = value['mimeType'];
  if (typeof value['sha256'] === 'string') media.sha256 = value['sha256'];
  if (typeof value['fileName'] === 'string') media.fileName = value['fileName'];
  return media;
}

/** The errors of a status in this tool's form; null if there is none. */
export function errorsOf(value: unknown): MessageError[] | null {
  const errors = (Array.isArray(value) ? value : []).flatMap((element: unknown): MessageError[] => {
    if (typeof element !== 'object' || element === null) return [];
    const error: MessageError = {};
    if ('code' in element && typeof element.code === 'number') error.code = element.code;
    if ('title' in element && typeof element.title === 'string' && element.title !== '')
      error.title = element.title;
    if ('details' in element && typeof element.details === 'string' && element.details !== '')
      error.details = element.details;
    return Object.keys(error).length === 0 ? [] : [error];
  });
  return errors.length === 0 ? null : errors;
}
