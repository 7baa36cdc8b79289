import { Option } from 'commander';
import { ConfigError } from '../../model/errors.js';

/** Context for reading a value. */
export interface Frame {
  /** Ms since 1970. */
  now: number;
  /** The time zone for dates without one: `--tz`, else this machine's. */
  timeZone: string;
  /** `--batch-size`, `WA_RECONCILE_BATCH_SIZE`: the value's source, for errors about it. */
  place: string;
}

/** Names stored only in the database. */
export const NAMED = ['connections', 'runs', 'undoable'] as const;
export type Named = (typeof NAMED)[number];

/** What a shell can offer after a flag. */
export type Completion = readonly string[] | Named;

interface Spec<Value, Absent> {
  /** Its effect, in the help; the default is added automatically. */
  help: string;
  /** Its placeholder in angle brackets; none for a switch. */
  placeholder?: string;
  /** `-n`. */
  short?: string;
  heading?: string;
  /** May be repeated: `count` adds up, `list` collects. */
  repeats?: 'count' | 'list';
  /** The only allowed words; commander refuses others. */
  choices?: readonly string[];
  completion?: Completion;
  /** Completes "… is not …". */
  expected: string;
  remedy?: string;
  /** The meaning of `raw`: `true` from a switch, a text, the texts of a repeated flag. Undefined if invalid. */
  read: (raw: unknown, frame: Frame) => Value | undefined;
  absent: (frame: Frame) => Value | Absent;
  /** The help text for omitting it. */
  otherwise?: string;
  /** Older names, which still work and are not shown: keys such as `fromDate`. */
  aliases: readonly string[];
  /** False for data: a name in the environment must not rename every connection. */
  inEnvironment: boolean;
  /** Records a time as typed (`2d`), any other value as parsed. */
  recordsTyped: boolean;
}

/**
 * One flag of one command, declared once: its commander option with the default in the help, its environment variable,
 * its value, its completion and its record in a run all derive from it. Its name is its key in the command's table.
 */
export class Flag<Value, Absent = undefined> {
  constructor(readonly spec: Spec<Value, Absent>) {}

  /** The value when omitted: in typed form, shown in the help. */
  default(text: string): Flag<Value, never> {
    const { read } = this.spec;
    return new Flag<Value, never>({
      ...this.spec,
      otherwise: text,
      absent: (frame) => {
        const value = read(text, frame);
        if (value === undefined) throw new Error(`the default '${text}' is not ${this.spec.expected}`);
        return value;
      },
    });
  }

  /** The help text for omitting it, if that is not a value. */
  otherwise(words: string): Flag<Value, Absent> {
    return new Flag({ ...this.spec, otherwise: words });
  }

  short(letter: string): Flag<Value, Absent> {
    return new Flag({ ...this.spec, short: `-${letter}` });
  }

  /** Older names that still work, hidden from the help. */
  alias(...keys: string[]): Flag<Value, Absent> {
    return new Flag({ ...this.spec, aliases: keys });
  }

  completes(completion: Completion): Flag<Value, Absent> {
    return new Flag({ ...this.spec, completion });
  }

  /** Only on the line, never from the environment: for data. */
  onlyTyped(): Flag<Value, Absent> {
    return new Flag({ ...this.spec, inEnvironment: false });
  }

  /** The value of `raw`. Throws a ConfigError that names its source. */
  value(raw: unknown, frame: Frame): Value {
    const value = this.spec.read(raw, frame);
    if (value !== undefined) return value;
    const given: unknown = Array.isArray(raw) ? raw.join(',') : raw;
    const shown = typeof given === 'string' || typeof given === 'number' ? ` '${given}'` : '';
    throw new ConfigError(`${frame.place}:${shown} is not ${this.spec.expected}.`, {
      remedy: this.spec.remedy ?? 'Correct it, or leave it out to use the default.',
    });
  }

  /** The options under this flag's name, and under its older ones. */
  options(key: string): FlagOption[] {
    return [
      new FlagOption(key, this.spec),
      ...this.spec.aliases.map((old) => new FlagOption(old, this.spec, true)),
    ];
  }
}

/** A flag for commander. No default there: it would look like a typed flag, and beat the environment. */
export class FlagOption extends Option {
  readonly completion: Completion | undefined;
  /** The equivalent variable; undefined if none. */
  readonly variable: string | undefined;

  constructor(key: string, spec: Omit<Spec<unknown, unknown>, 'read' | 'absent'>, hidden = false) {
    const { short, placeholder, help, otherwise, choices, repeats, heading } = spec;
    const names = [short === undefined || hidden ? [] : [short], flagName(key)].flat().join(', ');
    super(
      placeholder === undefined ? names : `${names} <${placeholder}>`,
      otherwise === undefined ? help : `${help} (default: ${otherwise})`,
    );
    this.completion = spec.completion ?? choices;
    this.variable = spec.inEnvironment ? environmentName(key) : undefined;
    if (choices !== undefined && repeats === undefined) this.choices(choices);
    if (repeats === 'count') this.argParser(increase);
    if (repeats === 'list') this.argParser(collect);
    if (heading !== undefined) this.helpGroup(heading);
    if (hidden) this.hideHelp();
  }
}

function increase(_value: string, before: unknown): number {
  return (typeof before === 'number' ? before : 0) + 1;
}

function collect(value: string, before: unknown): unknown[] {
  const earlier: unknown[] = Array.isArray(before) ? before : [];
  return [...earlier, value];
}

/** `batchSize` -> `--batch-size`. */
export function flagName(key: string): string {
  return `--${words(key).join('-')}`;
}

/** `batchSize` -> `WA_RECONCILE_BATCH_SIZE`. */
export function environmentName(key: string): string {
  return `WA_RECONCILE_${words(key).join('_').toUpperCase()}`;
}

function words(key: string): string[] {
  return key.split(/(?=[A-Z])/).map((word) => word.toLowerCase());
}
