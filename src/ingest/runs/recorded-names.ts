import type { JsonObject } from '../../model/json.js';
import type { ErasedPeople } from '../../rules/erased-people.js';
import { ERASED } from '../../rules/item-names.js';
import { objectWithTexts, textWithoutNames } from '../../rules/texts-without-names.js';

/** Who was erased, as far as a run knows; null: nobody. `unknown`: there is no key that could tell. */
export type WhoIsErased = ErasedPeople | 'unknown' | null;

/** A text that a run records, without erased people: the same each time, so that a later run finds it again. */
export function recordedText(text: string, erased: WhoIsErased): string {
  return erased === null || erased === 'unknown' ? text : textWithoutNames(text, erased);
}

/** What a run records, without erased people. */
export function recordedObject(value: JsonObject, erased: WhoIsErased): JsonObject {
  return erased === null ? value : objectWithTexts(value, (text) => recordedText(text, erased));
}

/** Options of a run without erased people: where nobody can tell who they are, no contact is on record. */
export function recordedOptions(options: JsonObject, erased: WhoIsErased): JsonObject {
  const recorded = recordedObject(options, erased);
  return erased === 'unknown' && typeof recorded['contact'] === 'string'
    ? { ...recorded, contact: ERASED }
    : recorded;
}
