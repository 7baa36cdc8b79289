import { adviceList, isRemedy, type Advice, type Advices, type Remedy } from '../model/remedy.js';
import type { CarriedFlags } from './carried-flags.js';
import { commandLine } from './shell-words.js';

/** Turns advice into a line to read or paste, with the flags that the run hands on. */
export interface AdviceLine {
  (advice: Advice): string;
  /** The command with those flags: without them it would run on another database, or with another secret. */
  complete: (remedy: Remedy) => Remedy;
}

/** The only renderer of advice. */
export function adviceLine(carried: CarriedFlags): AdviceLine {
  const complete = ({ command, args, why }: Remedy): Remedy => {
    const flags = carried({ command, args });
    // Words after `--` are no longer flags.
    const end = args.indexOf('--');
    const words = end === -1 ? [...args, ...flags] : [...args.slice(0, end), ...flags, ...args.slice(end)];
    return { command, args: words, why };
  };
  const line = (advice: Advice): string => {
    if (!isRemedy(advice)) return advice;
    const { command, args } = complete(advice);
    return commandLine([...command.split(' '), ...args]);
  };
  return Object.assign(line, { complete });
}

/** One line per piece of advice, or null if there is none. */
export function adviceText(advices: Advices | null | undefined, line: AdviceLine): string | null {
  const list = adviceList(advices);
  return list.length === 0 ? null : list.map(line).join('\n');
}

/**
 * A replacer for JSON.stringify: anything with a `remedy` shows it as the line to type, plus `next`, the command as a
 * value, null if no command of this tool helps. The remedies of a list keep their fields and gain `line`.
 */
export function jsonReplacer(line: AdviceLine): (key: string, value: unknown) => unknown {
  return (key, value) => {
    if (key === 'remedies' && Array.isArray(value)) {
      return value.map((one: unknown) =>
        isRemedy(one) ? { ...one, ...line.complete(one), line: line(one) } : one,
      );
    }
    if (typeof value !== 'object' || value === null || !('remedy' in value) || 'next' in value) return value;
    const { remedy } = value;
    return isAdvice(remedy) ? { ...value, ...shownRemedy(remedy, line) } : value;
  };
}

/** `remedy` and `next` in JSON form. */
export function shownRemedy(
  remedy: Advices | null,
  line: AdviceLine,
): { remedy: string | null; next: Remedy | null } {
  const first = adviceList(remedy).find(isRemedy);
  return {
    remedy: adviceText(remedy, line),
    next: first === undefined ? null : line.complete(first),
  };
}

function isAdvice(value: unknown): value is Advices | null {
  return (
    value === null ||
    typeof value === 'string' ||
    isRemedy(value) ||
    (Array.isArray(value) && value.every((one) => typeof one === 'string' || isRemedy(one)))
  );
}
