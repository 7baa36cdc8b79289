import type { MessageError } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { asArray, asObject, cutText, numberOf, textOf } from '../read.js';

/** Meta sends one error, rarely two; a hostile list must not fill a row. */
const MOST_ERRORS = 20;
const TITLE_LENGTH = 500;
const DETAILS_LENGTH = 2000;

/**
 * `errors[]` of a status or a message: code, title and details of each. Details are in `error_data`, in older bodies
 * beside the title; undefined when the list has no usable error.
 */
export function messageErrorsOf(value: JsonValue | undefined): MessageError[] | undefined {
  const errors: MessageError[] = [];
  for (const element of (asArray(value) ?? []).slice(0, MOST_ERRORS)) {
    const error = asObject(element);
    const read = error === undefined ? undefined : readError(error);
    if (read !== undefined) errors.push(read);
  }
  return errors.length === 0 ? undefined : errors;
}

function readError(error: JsonObject): MessageError | undefined {
  const code = numberOf(error.code);
  const message = textOf(error.message);
  const title = textOf(error.title) ?? message;
  const details = textOf(asObject(error.error_data)?.details) ?? textOf(error.details) ?? message;
  const read: MessageError = {};
  if (code !== undefined && Number.isSafeInteger(code)) read.code = code;
  if (title !== undefined) read.title = cutText(title, TITLE_LENGTH);
  if (details !== undefined && details !== title) read.details = cutText(details, DETAILS_LENGTH);
  return Object.keys(read).length === 0 ? undefined : read;
}
