import { readJson, type JsonValue } from '../model/json.js';
import { stepsOf } from './item-at.js';
import { textOfBytes } from './parse-json.js';

/** What becomes of a part of a body, by the steps that lead to it. */
interface Part {
  /** It goes. */
  isGone: boolean;
  /** Something that stays is in it, or it is that. */
  isKept: boolean;
  parts: Map<string | number, Part>;
}

/** A part after the edit; undefined where it is gone. `isEmptied`: it held nothing but what is gone. */
interface Edited {
  value: JsonValue | undefined;
  isEmptied: boolean;
}

/**
 * A body without the items at these paths, written anew; everything else in it stays, but for what held nothing but them (a thread, a
 * change). Null if it cannot be done: the body is no JSON (text around it, an encoding), a path leads nowhere, or an item that stays is
 * inside one that goes. JSON inside a text of JSON is edited there.
 */
export function withoutItems(
  bytes: Uint8Array,
  gone: readonly string[],
  kept: readonly string[],
): Uint8Array | null {
  const root = newPart();
  for (const path of gone) if (!mark(root, path, 'isGone')) return null;
  for (const path of kept) if (!mark(root, path, 'isKept')) return null;
  const value = jsonOf(textOfBytes(bytes));
  const edited = value === undefined ? null : edit(value, root);
  return edited?.value === undefined ? null : Buffer.from(JSON.stringify(edited.value), 'utf8');
}

function newPart(): Part {
  return { isGone: false, isKept: false, parts: new Map() };
}

function mark(root: Part, path: string, how: 'isGone' | 'isKept'): boolean {
  const steps = stepsOf(path);
  if (steps === null) return false;
  let part = root;
  for (const step of steps) {
    if (how === 'isKept') part.isKept = true;
    const next = part.parts.get(step) ?? newPart();
    part.parts.set(step, next);
    part = next;
  }
  part[how] = true;
  return true;
}

function edit(value: JsonValue, part: Part): Edited | null {
  if (part.isGone) return part.isKept ? null : { value: undefined, isEmptied: false };
  if (part.parts.size === 0) return { value, isEmptied: false };
  if (typeof value === 'string') return editText(value, part);
  if (Array.isArray(value)) return editArray(value, part);
  return typeof value === 'object' && value !== null ? editObject(value, part) : null;
}

function editText(text: string, part: Part): Edited | null {
  const inner = jsonOf(text);
  const edited = typeof inner === 'object' && inner !== null ? edit(inner, part) : null;
  if (edited?.value === undefined) return edited;
  return { ...edited, value: JSON.stringify(edited.value) };
}

function editArray(elements: readonly JsonValue[], part: Part): Edited | null {
  const rest: JsonValue[] = [];
  for (const step of part.parts.keys()) if (typeof step !== 'number' || step >= elements.length) return null;
  for (const [index, element] of elements.entries()) {
    const own = part.parts.get(index);
    const edited = own === undefined ? { value: element, isEmptied: false } : edit(element, own);
    if (edited === null) return null;
    if (edited.value === undefined || (edited.isEmptied && own?.isKept !== true)) continue;
    rest.push(edited.value);
  }
  return { value: rest, isEmptied: rest.length === 0 };
}

function editObject(object: { [key: string]: JsonValue | undefined }, part: Part): Edited | null {
  const rest: { [key: string]: JsonValue } = {};
  let isEmptied = false;
  const missing = new Set(part.parts.keys());
  for (const [key, member] of Object.entries(object)) {
    const own = part.parts.get(key);
    missing.delete(key);
    if (member === undefined) continue;
    const edited = own === undefined ? { value: member, isEmptied: false } : edit(member, own);
    if (edited === null) return null;
    if (edited.isEmptied) isEmptied = true;
    if (edited.value !== undefined) rest[key] = edited.value;
  }
  return missing.size > 0 ? null : { value: rest, isEmptied };
}

function jsonOf(text: string): JsonValue | undefined {
  try {
    return readJson(text);
  } catch {
    return undefined;
  }
}
