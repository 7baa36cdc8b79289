/**
 * A command of this tool that helps, as a value. It is rendered in one place, which knows the flags of the run that say
 * which database (`--home`, `--database-url-file`): advice without them would work on another database.
 */
export interface Remedy {
  /** As it is typed: `replay`, `connection add`. */
  command: string;
  /** Arguments and flags, one word each, not quoted: `['--all', '--contact', '+5511912345678']`. */
  args: readonly string[];
  /** What the command does, for people, as a continuation of the command line: `imports the missing messages`. */
  why: string;
}

/** `remedy('replay', ['--all'], 'imports the missing messages')`. */
export function remedy(command: string, args: readonly string[], why: string): Remedy {
  return { command, args, why };
}
