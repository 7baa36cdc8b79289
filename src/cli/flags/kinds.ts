import { ConfigError } from '../../model/errors.js';
import { isStorable } from '../../model/moment.js';
import { isTimeZone, localTimeZone } from '../../model/time.js';
import { similarWord } from '../similar.js';
import { parseDuration, parseSize } from './amounts.js';
import { Flag, type Frame } from './flag.js';
import { MOMENT_FORMS, parseMoment } from './moment.js';

const TRUE = new Set(['1', 'true', 'yes', 'on']);
const FALSE = new Set(['0', 'false', 'no', 'off']);

const COMMON = { aliases: [], inEnvironment: true, recordsTyped: false } as const;

/** On or off: typed without a value, in the environment a word. Off when not given. */
export function toggle(help: string): Flag<boolean, never> {
  return new Flag<boolean, never>({
    ...COMMON,
    help,
    expected: 'true or false (1 and 0, yes and no will do)',
    read: (raw) => {
      if (typeof raw === 'boolean') return raw;
      const word = typeof raw === 'string' ? raw.trim().toLowerCase() : '';
      if (TRUE.has(word)) return true;
      return FALSE.has(word) ? false : undefined;
    },
    absent: () => false,
  });
}

/** How often a flag stands on the line, or a number in the environment. */
export function repetitions(most: number, help: string): Flag<number, never> {
  const read = wholeNumber(0, most);
  return new Flag<number, never>({
    ...COMMON,
    help,
    repeats: 'count',
    expected: `a number from 0 to ${most}`,
    read: (raw) => (typeof raw === 'number' ? Math.min(raw, most) : readText(raw, read)),
    absent: () => 0,
  });
}

/** A whole number from `least` to `most`. */
export function integer(least: number, most: number, help: string): Flag<number> {
  const read = wholeNumber(least, most);
  return flag('n', help, `a whole number from ${least} to ${most}`, (raw) => readText(raw, read));
}

/** `5m`, `90s`, in ms. */
export function duration(help: string): Flag<number> {
  return flag('duration', help, 'a duration such as 90s, 5m or 1h30m', (raw) => readText(raw, parseDuration));
}

/** `16MB`, in bytes. */
export function size(help: string): Flag<number> {
  return flag('size', help, 'a size such as 512KB, 16MB or 1GB', (raw) => readText(raw, parseSize));
}

/** A text that is not empty; `expected` completes "… is not …". */
export function text(placeholder: string, help: string, expected = 'a text'): Flag<string> {
  return flag(placeholder, help, expected, (raw) =>
    readText(raw, (value) => (value === '' ? undefined : value)),
  );
}

/** A text as it was typed, and only typed: a property of something in the database. */
export function property(placeholder: string, help: string): Flag<string> {
  return flag(placeholder, help, 'a text', (raw) => (typeof raw === 'string' ? raw : undefined)).onlyTyped();
}

/** One of a few words. */
export function choice<const Word extends string>(
  placeholder: string,
  words: readonly Word[],
  help: string,
): Flag<Word> {
  const { spec } = flag(placeholder, help, `one of ${words.join(', ')}`, (raw) =>
    readText(raw, (value) => words.find((word) => word === value)),
  );
  return new Flag<Word>({ ...spec, choices: words });
}

/** Some of a few words: repeated, or separated by commas. None when not given. */
export function choices<const Word extends string>(
  placeholder: string,
  words: readonly Word[],
  help: string,
  /** Whether none of them is an answer: a variable that is empty by mistake would do nothing, night after night. */
  { mayBeNone = true }: { mayBeNone?: boolean } = {},
): Flag<Word[], never> {
  return new Flag<Word[], never>({
    ...COMMON,
    help,
    placeholder,
    repeats: 'list',
    completion: words,
    expected: `made of ${words.join(', ')}`,
    read: (raw) => {
      const read = listOf(raw).map((typed) => words.find((word) => word === typed));
      const known = read.filter((word) => word !== undefined);
      return known.length === read.length && (mayBeNone || known.length > 0) ? known : undefined;
    },
    absent: () => [],
  });
}

/**
 * Some of many names, all by default: repeated, or comma-separated; `-` works for `_`, and a typo gets a suggestion.
 */
export function names<const Name extends string>(
  placeholder: string,
  known: readonly Name[],
  { noun, help }: { noun: string; help: string },
): Flag<ReadonlySet<Name>, never> {
  return new Flag<ReadonlySet<Name>, never>({
    ...COMMON,
    help,
    placeholder,
    repeats: 'list',
    completion: known,
    expected: `the name of a ${noun}`,
    read: (raw, { place }) => {
      const typed = listOf(raw);
      return new Set(typed.length === 0 ? known : typed.map((one) => knownName(one, known, noun, place)));
    },
    absent: () => new Set(known),
  });
}

function knownName<Name extends string>(
  typed: string,
  known: readonly Name[],
  noun: string,
  place: string,
): Name {
  const word = typed.toLowerCase().replaceAll('-', '_');
  const name = known.find((candidate) => candidate === word);
  if (name !== undefined) return name;
  const meant = similarWord(word, known);
  throw new ConfigError(`${place}: there is no ${noun} '${typed}'.`, {
    remedy: `${meant === undefined ? '' : `Did you mean ${meant}? `}There are: ${known.join(', ')}.`,
    code: `unknown_${noun}`,
  });
}

/** `--map shop=loja-1`, repeated: what stands before and after the first `=`. None when not given. */
export function pairs(placeholder: string, help: string): Flag<(readonly [string, string])[], never> {
  return new Flag<(readonly [string, string])[], never>({
    ...COMMON,
    help,
    placeholder,
    repeats: 'list',
    expected: 'of the form NAME=ID',
    read: (raw) => {
      const typed = listOf(raw);
      const read = typed.flatMap((one) => {
        const [, name, id] = /^([^=]+)=(.+)$/s.exec(one) ?? [];
        return name === undefined || id === undefined ? [] : [[name, id] as const];
      });
      return read.length === typed.length ? read : undefined;
    },
    absent: () => [],
  });
}

/** Names, repeated or separated by commas. None when not given. */
export function nameList(placeholder: string, help: string): Flag<string[], never> {
  return new Flag<string[], never>({
    ...COMMON,
    help,
    placeholder,
    repeats: 'list',
    expected: 'a name',
    read: listOf,
    absent: () => [],
  });
}

/** A point in time, in ms since 1970: a date in the zone of `--tz`, or so long ago. */
export function moment(help: string): Flag<number> {
  const { spec } = flag('time', help, 'a time', (raw, { now, timeZone }) =>
    readText(raw, (value) => parseMoment(value, now, timeZone)),
  );
  return new Flag<number>({ ...spec, recordsTyped: true, remedy: `Write it like one of: ${MOMENT_FORMS}.` });
}

/** A point in time to come, in ms since 1970: a date, or so long from now. */
export function futureMoment(help: string): Flag<number> {
  const { spec } = flag('time', help, 'a time to come', (raw, { now, timeZone }) =>
    readText(raw, (value) => {
      const length = parseDuration(value);
      const read = length === undefined ? parseMoment(value, now, timeZone) : now + length;
      return read !== undefined && read > now && isStorable(read) ? read : undefined;
    }),
  );
  return new Flag<number>({
    ...spec,
    recordsTyped: true,
    remedy: 'Write it like one of: 2026-12-31, 2026-12-31T08:00:00Z, 36h, 14d.',
  });
}

/** `--tz`: the zone in which the other flags of its table read dates. */
export function zone(help: string): Flag<string, never> {
  const { spec } = flag('zone', help, 'a time zone', (raw) =>
    readText(raw, (value) => (isTimeZone(value) ? value : undefined)),
  );
  return new Flag<string, never>({
    ...spec,
    remedy: 'Name one of the tz database, for example America/Sao_Paulo or UTC.',
    absent: localTimeZone,
    otherwise: 'this machine’s',
  });
}

/** A value of its own kind; `expected` completes "… is not …". */
export function flag<Value>(
  placeholder: string,
  help: string,
  expected: string,
  read: (raw: unknown, frame: Frame) => Value | undefined,
): Flag<Value> {
  return new Flag<Value>({ ...COMMON, placeholder, help, expected, read, absent: () => undefined });
}

function readText<Value>(raw: unknown, read: (value: string) => Value | undefined): Value | undefined {
  return typeof raw === 'string' ? read(raw.trim()) : undefined;
}

/** The words of a flag that may stand several times, or of one text with commas. */
function listOf(raw: unknown): string[] {
  const given: readonly unknown[] = Array.isArray(raw) ? raw : [raw];
  return given
    .filter((one) => typeof one === 'string')
    .flatMap((one) => one.split(','))
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

function wholeNumber(least: number, most: number) {
  return (value: string): number | undefined => {
    const parsed = /^\d+$/.test(value) ? Number(value) : undefined;
    return parsed === undefined || parsed < least || parsed > most ? undefined : parsed;
  };
}
