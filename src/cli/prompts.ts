import { ConfigError, EXIT, UserError } from '../model/errors.js';
import { remedy, type Remedy } from '../model/remedy.js';
import type { Call } from './call.js';
import { sanitize } from './ui/sanitize.js';

/** Why no one can be asked; undefined if a person can. */
export function whyNotAsk(call: Pick<Call, 'io' | 'settings'>): string | undefined {
  const { io, settings } = call;
  if (settings.noInput) return `${settings.origin('noInput').place} forbids questions`;
  // A log that is piped in must not become the answer to a question.
  if (!io.stdinIsTTY) return 'stdin is not a terminal';
  if (!io.stderrIsTTY) return 'stderr is not a terminal';
  const ci = io.env.CI;
  return ci !== undefined && ci !== '' && ci !== 'false' ? 'CI is set' : undefined;
}

/** The error for a value that is needed, was not typed, and cannot be asked for. */
export function missingFlag(flag: string, whyNot: string, example: Remedy): ConfigError {
  return new ConfigError(
    `${flag} is missing: it was not on the command line, and it was not asked for because ${whyNot}.`,
    {
      remedy: ['Give it, for example:', example],
      code: 'missing_flag',
    },
  );
}

/** The connection that was named. Throws ConfigError when none was. */
export function needConnection(
  call: Pick<Call, 'io' | 'settings'>,
  name: string | undefined,
  command: string,
): string {
  if (name !== undefined) return name;
  const example = remedy(command, ['--connection', 'main'], 'names the connection');
  throw missingFlag('--connection', whyNotAsk(call) ?? 'it says which phone to use', example);
}

export interface Question {
  message: string;
  /** Gives what is wrong with an answer, or undefined. */
  check?: (answer: string) => string | undefined;
}

/** Asks for a text. Questions go to stderr: stdout belongs to the result. */
export async function askText({ io }: Call, { message, check }: Question): Promise<string> {
  const { input } = await import('@inquirer/prompts');
  const answer = await input(
    { message, validate: (typed) => check?.(typed.trim()) ?? true },
    { input: io.stdin, output: io.stderr },
  );
  return answer.trim();
}

/** Asks for one of a few words. */
export async function askChoice<const Value extends string>(
  { io }: Call,
  message: string,
  choices: readonly { value: Value; name: string }[],
): Promise<Value> {
  const { select } = await import('@inquirer/prompts');
  return select<Value>({ message, choices: [...choices] }, { input: io.stdin, output: io.stderr });
}

/**
 * A person confirms by typing `word`; the default is never yes. Without a terminal `--yes` must be on the line. Throws
 * ConfigError if it is not, UserError if the person declines.
 */
export async function confirmByTyping(call: Call, question: string, word: string): Promise<void> {
  if (call.settings.yes) return;
  const whyNot = whyNotAsk(call);
  if (whyNot !== undefined) {
    throw new ConfigError(`--yes is required, because it cannot be confirmed here: ${whyNot}.`, {
      remedy: 'Add --yes if you mean it.',
      code: 'confirmation_required',
    });
  }
  const typed = await askText(call, { message: `${sanitize(question)} Type ${sanitize(word)} to confirm:` });
  if (typed !== word) {
    throw new UserError('Nothing was changed: not confirmed.', {
      exitCode: EXIT.failure,
      code: 'not_confirmed',
    });
  }
}
