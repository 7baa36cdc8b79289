import { Argument, type Command } from 'commander';
import {
  EXPLAIN_KINDS,
  type ExplainKind,
  type ExplainResult,
  type Shows,
} from '../../commands/explain/result.js';
import { ConfigError, EXIT, type ExitCode } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { integer, moment, text, toggle } from '../flags/kinds.js';
import { actor, actorInEnvironment, connection, dateZone } from '../flags/shared.js';
import { group, readFlags, rejectEmptyWindow } from '../flags/table.js';
import type { Format } from '../ui/formats.js';

const HIGHEST_LIMIT = 100_000;

const FLAGS = {
  ...group('Subject:', {
    as: text(
      'kind|name',
      `what the subject is, where it could be several: ${EXPLAIN_KINDS.join(', ')}; with --bodies, any other word is who looks`,
    )
      .completes(EXPLAIN_KINDS)
      .onlyTyped(),
    connection: connection(),
  }),
  ...group('How much to read:', {
    limit: integer(1, HIGHEST_LIMIT, 'a contact’s raw entries, the newest first').default('5000'),
    scan: toggle('also search the whole raw log byte by byte'),
    since: moment('search only entries received at or after'),
    until: moment('search only entries received before'),
    tz: dateZone(),
    bodies: toggle('show the first words of message texts'),
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
    summary: 'Explain where a message came from, or why it is missing.',
    details:
      'Reads the raw log again and shows the entry with its file and line, the history chunk, the run that imported ' +
      'it, every fact in the order in which it was applied and what it changed, merges, and why something was ' +
      'skipped, rejected or is pending. Changes nothing. An id that is in no index is searched for in the whole raw ' +
      'log. Message texts are hidden without --bodies; with it, the access is recorded (runs list --access) under ' +
      '--as or WA_RECONCILE_AS, if given.',
    examples: [
      ['wa-reconcile explain +5511912345678', 'where is this conversation?'],
      ['wa-reconcile explain wamid.HBgN…', 'where did this message come from, and what changed it?'],
      ['wa-reconcile explain webhooks.ndjson:120', 'what became of this line of the log?'],
      ['wa-reconcile explain 3EB0C767D097B7C7C030 --json', 'a WhatsApp Web message, for a program'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'data was found, and nothing is missing',
      [EXIT.usage]:
        'wrong usage or configuration; not an id or a contact; ambiguous (the matches are listed)',
      [EXIT.findings]: 'something is missing, different, rejected or pending; or no data was found',
      [EXIT.interrupted]: 'interrupted; the output shows what was found so far',
    },
  });
  attach(command, explainCommand);
}

async function explainCommand(call: Call): Promise<Outcome> {
  const [{ withContext }, { explain }, { presentExplanation }] = await Promise.all([
    import('../session.js'),
    import('../../commands/explain/explain.js'),
    import('../views/explain.js'),
  ]);
  const reading = readFlags(FLAGS, call);
  rejectEmptyWindow(reading, 'since', 'until');
  const { as, ...values } = reading.values;
  const { kind, name } = readAs(as, values.bodies);
  const options = { subject: call.args[0] ?? '', ...values, as: kind, shows: showsIn(call.settings.format) };
  const { result, interrupted } = await withContext(
    call,
    { command: 'explain', interruptible: 'reading', actor: name ?? actorInEnvironment(call) },
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

/**
 * `--as` was the kind of the subject here before it was, in every command that shows messages, the name of who looks: a kind stays one.
 * Throws ConfigError.
 */
function readAs(
  typed: string | undefined,
  bodies: boolean,
): { kind?: ExplainKind | undefined; name?: string | undefined } {
  if (typed === undefined) return {};
  const kind = EXPLAIN_KINDS.find((one) => one === typed);
  if (kind !== undefined) return { kind };
  if (bodies) return { name: actor().value(typed, { place: '--as', now: 0, timeZone: 'UTC' }) };
  throw new ConfigError(`--as: '${typed}' is not one of ${EXPLAIN_KINDS.join(', ')}.`, {
    remedy: 'Give one of them. The name of who looks belongs to --bodies, which shows texts.',
  });
}

/** What of a result its form shows. */
function showsIn(format: Format): Shows {
  switch (format) {
    case 'json':
      return 'result';
    case 'ndjson':
    case 'csv':
      return 'facts';
    default:
      return 'document';
  }
}

function exitCodeOf({ findings }: ExplainResult): ExitCode {
  return findings.length === 0 ? EXIT.ok : EXIT.findings;
}
