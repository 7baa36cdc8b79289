/**
 * A command of this tool that helps, as a value. Rendered in one place, which knows the run's database flags (`--home`,
 * `--database-url-file`): without them, advice would work on another database.
 */
export interface Remedy {
  /** As it is typed: `replay`, `connection add`. */
  command: string;
  /** Arguments and flags, one word each, not quoted: `['--all', '--contact', '+5511912345678']`. */
  args: readonly string[];
  /** What the command does, for people, as a continuation of the command line: `imports the missing messages`. */
  why: string;
}

/** What to do: a command of this tool, or a sentence if none helps. */
export type Advice = string | Remedy;

/** Advice in an error or a finding: one piece, or several in the order to try. */
export type Advices = Advice | readonly Advice[];

/** `remedy('replay', ['--all'], 'imports the missing messages')`. */
export function remedy(command: string, args: readonly string[], why: string): Remedy {
  return { command, args, why };
}

/** Recognizes a remedy among the other values of a result. */
export function isRemedy(value: unknown): value is Remedy {
  return (
    typeof value === 'object' &&
    value !== null &&
    'command' in value &&
    typeof value.command === 'string' &&
    'args' in value &&
    Array.isArray(value.args) &&
    'why' in value &&
    typeof value.why === 'string'
  );
}

/** The pieces of advice, one or many, as a list. */
export function adviceList(advices: Advices | null | undefined): readonly Advice[] {
  if (advices === null || advices === undefined) return [];
  return typeof advices === 'string' || isRemedy(advices) ? [advices] : advices;
}
