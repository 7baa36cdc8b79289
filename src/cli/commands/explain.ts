import { Argument, type Command } from 'commander';
import { EXPLAIN_KINDS, type ExplainResult } from '../../commands/explain/result.js';
import { EXIT, type ExitCode } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { choice, integer, moment, toggle } from '../flags/kinds.js';
import { connection, dateZone } from '../flags/shared.js';
import { group, readFlags } from '../flags/table.js';
import { presentExplanation } from '../views/explain.js';

const HIGHEST_LIMIT = 100_000;

const FLAGS = {
  ...group('What is meant:', {
    as: choice('kind', EXPLAIN_KINDS, `where it could be several things: ${EXPLAIN_KINDS.join(', ')}`),
    connection: connection(),
  }),
  ...group('How much is read:', {
    limit: integer(1, HIGHEST_LIMIT, 'a contact’s raw entries, the newest first').default('5000'),
    scan: toggle('search the bytes of the whole raw log, too'),
    since: moment('such a search leaves out what was received before'),
    tz: dateZone(),
    bodies: toggle('show the first words of texts'),
  }),
};

export function registerExplain(parent: Command, attach: Attach): void {
  const command = parent
    .command('explain')
    .addArgument(
      new Argument(
        '<subject>',
        'a message id, a contact (phone, JID, LID, BSUID, lead id), log:<entry id>, file:line or a run id',
      ),
    );
  describe(command, {
    flags: FLAGS,
    summary: 'Say where a message or a conversation came from, and where a missing one went.',
    details:
      'Reads what the raw log says about it once more: the entry, its file and line, the history chunk and the ' +
      'run that brought it, every fact in the order in which it was applied and what it changed, merges, and why ' +
      'something was skipped, rejected or still waits. Changes nothing. An id that no index knows is searched for ' +
      'in the bytes of the whole raw log. Texts stay hidden without --bodies.',
    examples: [
      ['wa-reconcile explain +5511912345678', 'where did this conversation go?'],
      ['wa-reconcile explain wamid.HBgN…', 'where did this message come from, and what changed it?'],
      ['wa-reconcile explain webhooks.ndjson:120', 'what became of this line of the log?'],
      ['wa-reconcile explain 3EB0C767D097B7C7C030 --json', 'a message of WhatsApp Web, for a program'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'it is known, and nothing about it is missing',
      [EXIT.usage]:
        'wrong usage or configuration; not an id or a contact; several are meant (they are listed)',
      [EXIT.findings]: 'something about it is missing, rejected or waits; or nothing is known about it',
      [EXIT.interrupted]: 'interrupted; what was found until then is shown',
    },
  });
  attach(command, explainCommand);
}

async function explainCommand(call: Call): Promise<Outcome> {
  const [{ withContext }, { explain }] = await Promise.all([
    import('../session.js'),
    import('../../commands/explain/explain.js'),
  ]);
  const options = { subject: call.args[0] ?? '', ...readFlags(FLAGS, call).values };
  const { result, interrupted } = await withContext(
    call,
    { command: 'explain', interruptible: 'reading' },
    async (ctx) => {
      const found = await explain(ctx, options);
      return { result: found, interrupted: ctx.signal.aborted };
    },
  );
  return {
    presentation: presentExplanation(result, call.argv),
    exitCode: interrupted ? EXIT.interrupted : exitCodeOf(result),
  };
}

function exitCodeOf({ findings }: ExplainResult): ExitCode {
  return findings.length === 0 ? EXIT.ok : EXIT.findings;
}
