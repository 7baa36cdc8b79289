import type { JsonValue } from '../model/json.js';
import { textOf } from './read.js';
import { cutText } from './text.js';

/** The longest emoji, a family of many signs, has about 35 code units; more would not fit the keys that hold it. */
const LONGEST_EMOJI = 64;

/** What a reaction shows; null for an empty or absent one, which takes the reaction away (rule M5). */
export function emojiOf(value: JsonValue | undefined): string | null {
  const emoji = textOf(value);
  return emoji === undefined ? null : cutText(emoji, LONGEST_EMOJI);
}
