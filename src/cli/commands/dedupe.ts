import type { Command } from 'commander';
import { DUPLICATE_CLASSES, type DedupeOptions, type DedupeResult } from '../../commands/dedupe/result.js';
import { ConfigError, EXIT, type ExitCode } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { exitCodeOf } from '../exit.js';
import { names, toggle } from '../flags/kinds.js';
import { batchSize, connection, dryRun, applyAndDryRun } from '../flags/shared.js';
import { contradiction, group, readFlags, type Line } from '../flags/table.js';
import { confirmByTyping, whyNotAsk } from '../prompts.js';
import { hasNothing, presentDedupe } from '../views/dedupe.js';
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
    apply: toggle('merge the duplicates; without it, only list them'),
    dryRun: dryRun('same as without --apply'),
    force: toggle('even if it deletes more than 5 % of a connection’s messages'),
    batchSize: batchSize('rows'),
  }),
};

export function registerDedupe(parent: Command, attach: Attach): void {
  const command = parent.command('dedupe');
  describe(command, {
    flags: FLAGS,
    summary: 'Find duplicates; with --apply, merge them.',
    details:
      'Without --apply it changes nothing and prints the plan. Duplicates are: rows with one id, a message stored ' +
      'under its wamid and under its WhatsApp Web key id, copies without an id, two conversations or open tickets of ' +
      'one contact, and two contacts that are one person. Merging keeps the row with the best evidence and adds what ' +
      'only the others have. Messages that only look alike are listed, never merged. Every change is journaled: ' +
      '`undo RUN` restores it. To resume a run that was stopped, run the same command again.',
    examples: [
      ['wa-reconcile dedupe', 'list the duplicates, and what proves them'],
      ['wa-reconcile dedupe --apply', 'merge them, in batches of 1000 rows'],
      ['wa-reconcile dedupe --class same_id,same_message --connection shop', 'two classes on one connection'],
      ['wa-reconcile dedupe --json | jq ".classes[] | {class, rows}"', 'for a program'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'no duplicates; with --apply: all were merged',
      [EXIT.usage]:
        'wrong usage or configuration; there is no connection; it would delete more than 5 %, and no --force',
      [EXIT.findings]: 'without --apply: duplicates were found',
      [EXIT.partial]: 'merged; some raw log entries are pending again and need a replay',
      [EXIT.interrupted]: 'interrupted; run the same command again to resume',
    },
  });
  attach(command, dedupeCommand);
}

async function dedupeCommand(call: Call): Promise<Outcome> {
  const settings = readOptions(call);
  const result = await run(call, settings, settings.force).catch(async (error: unknown) => {
    const question = questionOf(error);
    // Without a terminal, the error gives the next step. --yes does not count: a person must read the number, and a
    // command line must not delete more on a terminal than in cron.
    if (question === undefined || call.settings.yes || whyNotAsk(call) !== undefined) throw error;
    // Asked between two sessions: an open question must not lock others out of the database.
    await confirmByTyping(call, question.text, question.word);
    return run(call, settings, true);
  });
  return {
    presentation: presentDedupe(result, { argv: call.argv }),
    exitCode: exitCodeFor(result),
  };
}

/** Throws ConfigError for invalid or contradictory options. */
function readOptions(line: Line): DedupeOptions {
  const { values, origin, recorded } = readFlags(FLAGS, line);
  const { class: classes, dryRun: isDry, ...rest } = values;
  if (isDry && rest.apply) throw applyAndDryRun(origin, '--apply merges duplicates');
  if (rest.force && !rest.apply && origin('force').from === 'flag') {
    throw contradiction(
      `${origin('force').place} has no effect without --apply: a plan changes nothing.`,
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
          const again = call.look.line(typedAgain(call.argv, 'resumes it'));
          call.notice(`The batches merged so far are stored. To resume: ${again}`);
        }
        throw error;
      }
    },
  );
}

/** What to ask if the run refused to delete so much: the user must type the number of rows. */
function questionOf(error: unknown): { text: string; word: string } | undefined {
  if (!(error instanceof ConfigError) || error.code !== 'too_many_duplicates') return undefined;
  const rows = 'rows' in error && typeof error.rows === 'number' ? error.rows : undefined;
  return rows === undefined ? undefined : { text: error.message, word: String(rows) };
}

function exitCodeFor(result: DedupeResult): ExitCode {
  if (hasNothing(result)) return EXIT.usage;
  if (result.status !== 'completed' || result.applied) return exitCodeOf(result.status);
  return result.classes.some(({ groups }) => groups > 0) ? EXIT.findings : EXIT.ok;
}
