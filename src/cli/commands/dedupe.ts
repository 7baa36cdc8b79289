import type { Command } from 'commander';
import type { DedupeOptions } from '../../commands/dedupe/options.js';
import { DUPLICATE_CLASSES, type DedupeResult } from '../../commands/dedupe/result.js';
import { ConfigError, EXIT, type ExitCode } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { exitCodeOf } from '../exit.js';
import { names, toggle } from '../flags/kinds.js';
import { batchSize, connection, dryRun, applyAndDryRun } from '../flags/shared.js';
import { contradiction, group, readFlags, type Line } from '../flags/table.js';
import { confirmByTyping, whyNotAsk } from '../prompts.js';
import { presentDedupe } from '../views/dedupe.js';
import { typedAgain } from '../typed-again.js';

const FLAGS = {
  ...group('What:', {
    class: names('classes', DUPLICATE_CLASSES, {
      noun: 'class',
      help: 'only these: lead, conversation, same_id, same_message, no_id',
    }),
    connection: connection(),
  }),
  ...group('How:', {
    apply: toggle('merge; without it, only say what would be merged'),
    dryRun: dryRun('what it does without --apply'),
    force: toggle('even if more than 5 % of a connection’s messages would go'),
    batchSize: batchSize('rows'),
  }),
};

export function registerDedupe(parent: Command, attach: Attach): void {
  const command = parent.command('dedupe');
  describe(command, {
    flags: FLAGS,
    summary: 'Find what is stored twice; with --apply, merge it.',
    details:
      'Without --apply it changes nothing and prints the plan. Merged are rows of one id, a message stored ' +
      'under a wamid and under its WhatsApp Web key id, copies without an id, two conversations or open tickets of one ' +
      'contact, two contacts that are one person. The row with the best evidence stays and takes all that the ' +
      'others know. Messages that only look alike are listed, never merged. Every change is journaled: ' +
      '`undo RUN` puts it back. A run that was stopped goes on when the same command is typed again.',
    examples: [
      ['wa-reconcile dedupe', 'what is stored twice, and what proves it'],
      ['wa-reconcile dedupe --apply', 'merge it, in batches of 1000 rows'],
      ['wa-reconcile dedupe --class same_id,same_message --connection shop', 'two classes, one number'],
      ['wa-reconcile dedupe --json | jq ".classes[] | {class, rows}"', 'for a program'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'nothing is stored twice; with --apply: all was merged',
      [EXIT.usage]: 'wrong usage or configuration; more than 5 % of a connection would go, and no --force',
      [EXIT.findings]: 'without --apply: there is something to merge',
      [EXIT.partial]: 'merged; entries of the raw log became due again, and wait for replay',
      [EXIT.interrupted]: 'interrupted; the same command goes on',
    },
  });
  attach(command, dedupeCommand);
}

async function dedupeCommand(call: Call): Promise<Outcome> {
  const settings = readOptions(call);
  const result = await run(call, settings, settings.force).catch(async (error: unknown) => {
    const question = questionOf(error);
    // Where nobody can be asked, the error says what to do. --yes is no answer: the number is to be read, and a line must not
    // remove more on a terminal than it does in cron.
    if (question === undefined || call.settings.yes || whyNotAsk(call) !== undefined) throw error;
    // Asked between two sessions: an open question must not keep others out of the database.
    await confirmByTyping(call, question.text, question.word);
    return run(call, settings, true);
  });
  return {
    presentation: presentDedupe(result, { argv: call.argv }),
    exitCode: exitCodeFor(result),
  };
}

/** Throws ConfigError for what is wrong or contradictory. */
function readOptions(line: Line): DedupeOptions {
  const { values, origin, recorded } = readFlags(FLAGS, line);
  const { class: classes, dryRun: isDry, ...rest } = values;
  if (isDry && rest.apply) throw applyAndDryRun(origin, '--apply merges duplicates');
  if (rest.force && !rest.apply && origin('force').from === 'flag') {
    throw contradiction(
      `${origin('force').place} means nothing without --apply: a plan changes nothing.`,
      'Add --apply, or leave --force out.',
    );
  }
  return { ...rest, classes, recordedOptions: recorded };
}

async function run(call: Call, settings: DedupeOptions, force: boolean): Promise<DedupeResult> {
  const [{ withContext }, { dedupe }] = await Promise.all([
    import('../session.js'),
    import('../../commands/dedupe/dedupe.js'),
  ]);
  const { apply } = settings;
  return withContext(
    call,
    {
      command: 'dedupe',
      interruptible: apply ? 'batches' : 'reading',
      lock: apply ? 'exclusive' : undefined,
    },
    async (ctx) => {
      try {
        return await dedupe(ctx, { ...settings, force });
      } catch (error) {
        if (apply && !(error instanceof ConfigError)) {
          const again = call.look.line(typedAgain(call.argv, 'goes on'));
          call.notice(`What was merged until now is stored; this goes on: ${again}`);
        }
        throw error;
      }
    },
  );
}

/** What to ask when the run refused because too much would go: the number of rows has to be typed. */
function questionOf(error: unknown): { text: string; word: string } | undefined {
  if (!(error instanceof ConfigError) || error.code !== 'too_many_duplicates') return undefined;
  const rows = 'rows' in error && typeof error.rows === 'number' ? error.rows : undefined;
  return rows === undefined ? undefined : { text: error.message, word: String(rows) };
}

function exitCodeFor(result: DedupeResult): ExitCode {
  if (result.status !== 'completed' || result.applied) return exitCodeOf(result.status);
  return result.classes.some(({ groups }) => groups > 0) ? EXIT.findings : EXIT.ok;
}
