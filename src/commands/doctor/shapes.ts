import { createHmac, randomBytes } from 'node:crypto';
import type { JsonValue } from '../../model/json.js';
import { isFieldName, isKnownWord } from './known-words.js';

const DEEPEST = 40;
const MOST_ELEMENTS = 10;
const MOST_NODES = 2000;
const MOST_TOKENS = 400;
/** Larger numbers may be somebody's. */
const SMALL = 10_000_000;

/** Replaces values by what they are: a bundle holds nothing that anybody wrote. */
export class Shapes {
  /** In no bundle: a number cannot be found by trying all numbers. */
  private readonly salt = randomBytes(32);
  private nodes = 0;

  /** A body that is JSON as its structure, any other as the kinds of its characters. */
  body(text: string): JsonValue {
    this.nodes = 0;
    const value = parsed(text);
    return value === undefined ? this.characters(text) : this.value(value);
  }

  value(value: unknown, depth = 0): JsonValue {
    this.nodes += 1;
    if (depth > DEEPEST || this.nodes > MOST_NODES) return '…';
    switch (typeof value) {
      case 'boolean':
        return 'boolean';
      case 'number':
        return `number(${String(value).length})${this.hash(String(value))}`;
      case 'string':
        return this.string(value, depth);
      case 'object':
        if (value === null) return 'null';
        return Array.isArray(value) ? this.array(value, depth) : this.object(value, depth);
      default:
        return typeof value;
    }
  }

  /** What a run says of itself: its switches and small numbers as they are, under the tool's own names. */
  facts(value: unknown, depth = 0): JsonValue {
    if (depth > DEEPEST) return '…';
    if (value === null || typeof value === 'boolean') return value;
    if (typeof value === 'number')
      return Number.isInteger(value) && Math.abs(value) < SMALL ? value : this.value(value);
    if (typeof value === 'string') return this.word(value);
    if (Array.isArray(value)) return value.slice(0, MOST_ELEMENTS).map((one) => this.facts(one, depth + 1));
    if (typeof value !== 'object') return typeof value;
    const entries = Object.entries(value).map(([key, one], index): [string, JsonValue] => {
      const words = key.split('.').map((word) => this.word(word));
      const name = words.join('.');
      return [name === key ? key : `${name} ${index + 1}`, this.facts(one, depth + 1)];
    });
    return Object.fromEntries(entries);
  }

  /** Equal numbers have equal hashes, also with signs that people put into phones. */
  text(text: string): string {
    const digits = text.replace(/^\+/, '').replace(/[\s().-]/g, '');
    const isNumber = /^\d{5,}$/.test(digits);
    return `${isNumber ? 'digits' : 'string'}(${text.length})${isNumber ? this.hash(digits) : ''}`;
  }

  /** A word of this tool or of a format as it is, anything else as its shape. */
  word(word: string): string {
    return isKnownWord(word) ? word : this.text(word);
  }

  /** A sentence of this tool: its own words and small numbers as they are, whatever it names as a shape. */
  sentence(text: string): string {
    const parts = text.split(/(\d{1,3}(?:,\d{3})+(?!\d)|[\p{L}\p{N}_]+)/u);
    return parts
      .map((part, index) => {
        if (index % 2 === 0) return harmlessSigns(part);
        // A number is a count only before what it counts; else it may be half a phone.
        const isCount =
          /^[\d,]{1,9}$/.test(part) && parts[index + 1] === ' ' && isKnownWord(parts[index + 2] ?? '');
        return isCount || (!/\d/.test(part) && isKnownWord(part)) ? part : `‹${part.length}›`;
      })
      .join('');
  }

  /** `$.entry[0].changes`: other keys than those of formats as shapes. */
  path(path: string): string {
    return path
      .split(/([.[\]]+)/)
      .map((part, index) =>
        index % 2 === 1 || part === '$' || part === '' || isFieldName(part) ? part : `‹${part.length}›`,
      )
      .join('');
  }

  private string(text: string, depth: number): JsonValue {
    const inner = /^\s*[[{]/.test(text) ? parsed(text) : undefined;
    return inner === undefined ? this.text(text) : { [`json(${text.length})`]: this.value(inner, depth + 1) };
  }

  private array(elements: readonly unknown[], depth: number): JsonValue {
    const shown = elements.slice(0, MOST_ELEMENTS).map((element) => this.value(element, depth + 1));
    const more = elements.length - shown.length;
    return more > 0 ? [...shown, `… ${more} more`] : shown;
  }

  private object(object: object, depth: number): JsonValue {
    const entries = Object.entries(object).map(([key, value], index): [string, JsonValue] => [
      isFieldName(key) ? key : `key ${index + 1}: ${this.text(key)}`,
      this.value(value, depth + 1),
    ]);
    return Object.fromEntries(entries);
  }

  /** `{"a6":9…`: letters, digits and others by their number, the signs of formats as they are. */
  private characters(text: string): string {
    const tokens = text.slice(0, 10_000).match(/\p{L}+|\p{N}+|[^\p{L}\p{N}]+/gu) ?? [];
    return tokens
      .slice(0, MOST_TOKENS)
      .map((token) => {
        if (/^\p{L}/u.test(token)) return `a${token.length}`;
        if (/^\p{N}/u.test(token)) return `9${token.length}`;
        return harmlessSigns(token);
      })
      .join(' ');
  }

  private hash(number: string): string {
    return `#${createHmac('sha256', this.salt).update(number).digest('hex').slice(0, 8)}`;
  }
}

/** The signs of formats and of sentences; a run of them longer than formats have, or any other, by its length. */
function harmlessSigns(signs: string): string {
  if (signs === '') return '';
  const plain = signs.replace(/\s+/g, ' ');
  return /^[ {}[\]()":,.;/'’=<>–-]{1,4}$/.test(plain) ? plain : `s${signs.length}`;
}

function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
