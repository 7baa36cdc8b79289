import { z } from 'zod';
import { parseDuration } from '../values/duration.js';
import { parseSize } from '../values/size.js';

const TRUE = new Set(['1', 'true', 'yes', 'on']);
const FALSE = new Set(['0', 'false', 'no', 'off']);

/** A text, read by `parse`; messages complete the sentence "… is not …". */
function text<T>(parse: (text: string) => T | undefined, expected: string) {
  return z.string(expected).transform((value, context) => {
    const parsed = parse(value.trim());
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: 'custom', message: expected });
    return z.NEVER;
  });
}

/** On or off: `true` from a flag, a word from the environment. Off when not given. */
export function toggle() {
  return z
    .union(
      [
        z.literal(true),
        text(
          (word) => (TRUE.has(word.toLowerCase()) ? true : FALSE.has(word.toLowerCase()) ? false : undefined),
          '',
        ),
      ],
      'true or false (1 and 0, yes and no will do)',
    )
    .default(false);
}

/** How often a flag stands on the command line, or a number in the environment. */
export function repetitions(most: number) {
  const expected = `a number from 0 to ${most}`;
  return z
    .union(
      [z.int().transform((count) => Math.min(count, most)), text(wholeNumber(0, most), expected)],
      expected,
    )
    .default(0);
}

/** A whole number from `least` to `most`. */
export function number(least: number, most: number) {
  return text(wholeNumber(least, most), `a whole number from ${least} to ${most}`);
}

/** `5m`, `90s`, in ms. */
export function duration() {
  return text(parseDuration, 'a duration such as 90s, 5m or 1h30m');
}

/** `16MB`, in bytes. */
export function size() {
  return text(parseSize, 'a size such as 512KB, 16MB or 1GB');
}

/** One of a few words. */
export function choice<const Words extends readonly [string, ...string[]]>(choices: Words) {
  return z.enum(choices, `one of ${choices.join(', ')}`);
}

/** Some of a few words, from a repeated flag or separated by commas. */
export function choices<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z
    .union([z.array(z.string()), z.string().transform((one) => [one])])
    .transform((given) =>
      given
        .flatMap((one) => one.split(','))
        .map((one) => one.trim())
        .filter((one) => one !== ''),
    )
    .pipe(z.array(z.enum(words, `made of ${words.join(', ')}`)));
}

/** A text that is not empty. */
export function word(what = 'a text') {
  return text((value) => (value === '' ? undefined : value), what);
}

function wholeNumber(least: number, most: number) {
  return (value: string): number | undefined => {
    const parsed = /^\d+$/.test(value) ? Number(value) : undefined;
    return parsed === undefined || parsed < least || parsed > most ? undefined : parsed;
  };
}
