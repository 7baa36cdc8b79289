import { Argument, type Command } from 'commander';
import type { EraseResult } from '../../commands/erase/types.js';
import { ConfigError, EXIT, UserError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { exitCodeOf } from '../exit.js';
import { integer, property, toggle } from '../flags/kinds.js';
import { applyAndDryRun, dryRun } from '../flags/shared.js';
import { contradiction, group, readFlags } from '../flags/table.js';
import { askText, confirmByTyping, whyNotAsk } from '../prompts.js';
import { typedAgain, withoutDryRun } from '../typed-again.js';
import { presentErase } from '../views/erase.js';

const FLAGS = {
  ...group('Instead of erasing:', {
    allow: property('contact', 'forget that this contact was erased, because they write again and agree'),
    allowAll: toggle('lift every erasure; for a lost secret key').onlyTyped(),
  }),
  ...group('How:', {
    apply: toggle('erase; without it, only show what there is of the person').onlyTyped(),
    dryRun: dryRun('same as without --apply'),
    confirm: property('contact', 'repeat the contact, for scripts'),
    batchSize: integer(1, 100_000, 'messages per transaction').default('1000'),
    vacuum: toggle(
      'take deleted rows out of the tables’ files: rewrites our tables, each of which is locked meanwhile',
    ),
  }),
};

export function registerErase(parent: Command, attach: Attach): void {
  const command = parent
    .command('erase')
    .addArgument(new Argument('[contact]', 'phone in any format, JID, LID, BSUID or lead id'));
  describe(command, {
    flags: FLAGS,
    summary: 'Erase a person, for good; with --apply.',
    details:
      'Without --apply it changes nothing and shows, table by table, what there is of the person, by which identities, and what ' +
      'no command reaches; it does the work and rolls it back, so it needs the right to write. With it, the contact has to be typed, or given with --confirm; --yes does not confirm it. Everything of ' +
      'the person goes: messages, tickets, lead, journal, files, and their part of the raw log; everybody else’s rows and items stay. ' +
      'Only keyed hashes of the names remain, under the secret key (WA_RECONCILE_SECRET_KEY): what arrives later about the ' +
      'person, from a log, a CRM or a phone, is skipped, and counted (erased). Nothing brings it back. If it is stopped or killed, the ' +
      'same command finishes it. The database keeps deleted rows in its files until it overwrites them; with --vacuum they leave the ' +
      'files of the tables and indexes, once the person is erased. What remains then is in the write-ahead log, in backups and on ' +
      'other servers, and what an older transaction still sees. A role that does not own the tables cannot do it, and the result says so.',
    examples: [
      ['wa-reconcile erase "+55 11 91234-5678"', 'what there is of the person'],
      ['wa-reconcile erase "+55 11 91234-5678" --apply', 'asks for the contact once more, and erases'],
      ['wa-reconcile erase +5511912345678 --apply --confirm +5511912345678', 'in a script'],
      [
        'wa-reconcile erase +5511912345678 --apply --vacuum',
        'and takes the deleted rows out of the tables’ files; also later',
      ],
      ['wa-reconcile erase --allow +5511912345678', 'the person writes again, and agrees'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'erased, planned or allowed',
      [EXIT.failure]: 'failure, or not confirmed',
      [EXIT.usage]: 'wrong usage or configuration; contact unknown; no secret key',
      [EXIT.interrupted]: 'interrupted; run the same command again to finish',
    },
  });
  attach(command, eraseCommand);
}

async function eraseCommand(call: Call): Promise<Outcome> {
  const [{ withContext }, { readSecretKey }, { allowErased, erase, planErase }] = await Promise.all([
    import('../session.js'),
    import('../device-options.js'),
    import('../../commands/erase/erase.js'),
  ]);
  const { values, origin } = readFlags(FLAGS, call);
  const [contact] = call.args;
  const { allow, allowAll, apply, confirm, dryRun: isDry, batchSize, vacuum } = values;
  const exclusive = { command: 'erase', lock: 'exclusive' } as const;
  if ([contact, allow, allowAll ? '' : undefined].filter((one) => one !== undefined).length !== 1)
    throw whom();
  if (vacuum && !apply && origin('vacuum').from === 'flag') {
    throw contradiction(
      `${origin('vacuum').place} has no effect without --apply: nothing else deletes rows.`,
      'Add --apply, or leave --vacuum out.',
    );
  }
  if (allow !== undefined || allowAll) {
    if (apply) throw contradiction('--apply erases, and --allow lifts it.', 'Leave one of them out.');
    if (allowAll) await confirmByTyping(call, 'All people who were erased may come back.', 'all');
    const result = await withContext(call, exclusive, (ctx) => allowErased(ctx, allow ?? null));
    return outcomeOf(call, result);
  }
  if (contact === undefined) throw whom();
  if (isDry && apply) throw applyAndDryRun(origin, '--apply erases');
  if (!apply) {
    const plan = { command: 'erase', interruptible: 'reading' } as const;
    return outcomeOf(call, await withContext(call, plan, (ctx) => planErase(ctx, contact)));
  }
  // Asked before a session: an open question must not lock others out of the embedded database.
  await confirmContact(call, contact, confirm);
  const secretKey = readSecretKey(call.environment, call.io.cwd);
  const result = await withContext(call, { ...exclusive, interruptible: 'batches' }, (ctx) =>
    erase(ctx, { contact, secretKey, batchSize, vacuum }),
  );
  if (vacuum && result.status === 'completed' && !result.vacuumed) call.notice(NOT_VACUUMED);
  return outcomeOf(call, result);
}

const NOT_VACUUMED =
  'The tables’ files still have the deleted rows: this role does not own all of the tables, and the server left them as they are.';

function whom(): ConfigError {
  return new ConfigError('Name one contact to erase, or to allow.', {
    code: 'usage',
    remedy: remedy('erase', ['+5511912345678'], 'shows what there is of the person'),
  });
}

/** The person who erases types the contact once more; `--yes` is not enough for what nothing brings back. */
async function confirmContact(call: Call, contact: string, given: string | undefined): Promise<void> {
  const expected = contact.trim();
  const whyNot = given === undefined ? whyNotAsk(call) : undefined;
  if (whyNot !== undefined) {
    throw new ConfigError(`--confirm CONTACT is required, because it cannot be asked for here: ${whyNot}.`, {
      code: 'confirmation_required',
      remedy:
        'Add --confirm with the contact as it was typed, if you mean it. --yes does not confirm an erasure.',
    });
  }
  const typed =
    given ??
    (await askText(call, { message: 'Nothing brings it back. Type the contact once more to erase:' }));
  if (typed.trim() === expected) return;
  throw new UserError('Nothing was erased: not confirmed.', {
    exitCode: EXIT.failure,
    code: 'not_confirmed',
    remedy: 'Type the contact exactly as in the command, with the same spaces and signs.',
  });
}

function outcomeOf(call: Call, result: EraseResult): Outcome {
  const apply = typedAgain(call.argv, 'asks for the contact once more, and erases', (words) => [
    ...withoutDryRun(words),
    '--apply',
  ]);
  return { presentation: presentErase(result, apply), exitCode: exitCodeOf(result.status) };
}
