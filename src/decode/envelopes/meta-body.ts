import type { JsonObject, JsonValue } from '../../model/json.js';
import { asArray, asObject, cutText, excerptOf, textOf, wabaIdOf } from '../read.js';
import { decodeChange } from '../meta/decode-change.js';
import { fieldNamed, fieldOfValue } from '../meta/fields.js';
import { parseJson } from '../parse-json.js';
import { receivedAtOf, withRowTime } from './row-time.js';
import type { Found, ReadBody, Scope } from './bodies.js';
import { hasOnlyValue, splitRow } from './wrappers.js';

/**
 * Claims `object` if it is Meta's: a whole body, an entry, a change, or a bare value. Every entry and every change is read
 * (rule E1).
 */
export function recognizeMeta(object: JsonObject, path: string): ReadBody | undefined {
  const read = recognizeForm(object, path);
  if (read === undefined) return undefined;
  return (scope, found) => {
    found.providers.add('meta');
    read(scope, found);
  };
}

function recognizeForm(object: JsonObject, path: string): ReadBody | undefined {
  // Of a split row the change decides; the entry beside it only gives the WABA.
  const row = splitRow(object);
  if (row !== undefined) {
    const change = objectInColumn(row.change);
    if (change === undefined || asObject(change.value) === undefined) return undefined;
    const wabaId = wabaIdOf(objectInColumn(row.entry)?.id);
    return (scope, found) => {
      const rowTime = receivedAtOf(object);
      readChange(change, `${path}.change`, wabaId, withRowTime(scope, rowTime), found);
      found.receivedAt ??= rowTime;
    };
  }
  const entries = asArray(object.entry);
  if (entries !== undefined) {
    return (scope, found) => {
      readEntries(object, entries, path, scope, found);
    };
  }
  if (asArray(object.changes)?.some(isChange) === true) {
    return (scope, found) => {
      readEntry(object, path, scope, found);
    };
  }
  if (isChange(object) && isField(object)) {
    return (scope, found) => {
      readChange(object, path, undefined, scope, found);
    };
  }
  if (!isBareValue(object)) return undefined;
  return (scope, found) => {
    readBareValue(object, path, scope, found);
  };
}

/**
 * Whether `object` is a change's value without the change (so Meta documents a declined history; n8n's trigger and
 * 360dialog forward values). It must name the product or the business number: `messages` alone is too common a word.
 */
function isBareValue(object: JsonObject): boolean {
  if (object.messaging_product === 'whatsapp') return true;
  const metadata = asObject(object.metadata);
  const named = metadata?.phone_number_id !== undefined || metadata?.display_phone_number !== undefined;
  return (named || knownFieldOf(object) !== undefined) && fieldOfValue(object) !== undefined;
}

/** `field`, if it names one of Meta's fields; some of Meta's own examples have it inside the value. */
function knownFieldOf(object: JsonObject): string | undefined {
  return fieldNamed(textOf(object.field) ?? '')?.name;
}

function isChange(value: JsonValue): boolean {
  return asObject(asObject(value)?.value) !== undefined;
}

/** Whether `field` is Meta's, known or of a future version; an object with `field` and a body beside it is a log row. */
function isField(object: JsonObject): boolean {
  if (knownFieldOf(object) !== undefined) return true;
  return textOf(object.field) !== undefined && hasOnlyValue(object);
}

/** The object in a column, whether the column's type is JSON or text. */
function objectInColumn(column: JsonValue | undefined): JsonObject | undefined {
  const parsed = typeof column === 'string' ? parseJson(column) : undefined;
  return asObject(parsed?.ok === true ? parsed.value : column);
}

function readEntries(body: JsonObject, entries: JsonValue[], path: string, scope: Scope, found: Found): void {
  const product = textOf(body.object);
  if (product !== undefined && product !== 'whatsapp_business_account') {
    // The log is shared with Messenger or Instagram.
    show(found, path, `object:${cutText(product, 64)}`, body);
    return;
  }
  if (entries.length === 0) show(found, `${path}.entry`, 'empty', body);
  for (let i = 0; i < entries.length; i++) {
    const element = entries[i] ?? null;
    const entry = asObject(element);
    if (entry === undefined) show(found, `${path}.entry[${i}]`, 'not_an_object', element);
    else readEntry(entry, `${path}.entry[${i}]`, scope, found);
  }
}

function readEntry(entry: JsonObject, path: string, scope: Scope, found: Found): void {
  const wabaId = wabaIdOf(entry.id);
  const changes = asArray(entry.changes);
  if (changes === undefined || changes.length === 0) {
    // Meta's examples of PARTNER_APP_INSTALLED have the change's own keys in the entry.
    if (entry.value !== undefined) readChange(entry, path, wabaId, scope, found);
    else show(found, path, 'no_changes', entry);
    return;
  }
  for (let j = 0; j < changes.length; j++) {
    const element = changes[j] ?? null;
    const change = asObject(element);
    if (change === undefined) show(found, `${path}.changes[${j}]`, 'not_an_object', element);
    else readChange(change, `${path}.changes[${j}]`, wabaId, scope, found, textOf(entry.field));
  }
}

/** `field` is beside the value, misplaced inside it or in the entry, or inferred from the value's lists. */
function readChange(
  change: JsonObject,
  path: string,
  wabaId: string | undefined,
  scope: Scope,
  found: Found,
  entryField?: string,
): void {
  const value = asObject(change.value);
  const field =
    textOf(change.field) ??
    (value === undefined ? undefined : knownFieldOf(value)) ??
    entryField ??
    (value === undefined ? undefined : fieldOfValue(value)) ??
    scope.field;
  if (field === undefined) {
    show(found, path, 'no_field', change);
    return;
  }
  decodeChange(
    { path: `${path}.value`, field, value: change.value, wabaId },
    scope.options,
    found.sections,
    found.unrecognized,
  );
}

/** 360dialog names the field in its wrapper and puts the WABA's id into the value. */
function readBareValue(value: JsonObject, path: string, scope: Scope, found: Found): void {
  const inferred = fieldOfValue(value);
  // A row is filed under its first change; an account event's name must not hide the messages of another change.
  const named = fieldNamed(scope.field ?? '')?.read === undefined ? undefined : scope.field;
  const field = textOf(value.field) ?? named ?? inferred ?? scope.field;
  if (field === undefined) {
    show(found, path, 'no_field', value);
    return;
  }
  const wabaId = scope.field === undefined ? undefined : wabaIdOf(value.id);
  decodeChange({ path, field, value, wabaId }, scope.options, found.sections, found.unrecognized);
}

function show(found: Found, path: string, reason: string, value: JsonValue): void {
  found.unrecognized.push({ path, reason, excerpt: excerptOf(value) });
}
