import type { ExplainResult, Remedy as ExplainRemedy } from '../../commands/explain/result.js';
import { DEDUPE_MANY_REMEDY } from '../../commands/verify/check.js';
import { namelessRemedy } from '../../audit/alert.js';
import { UNLINK_WHY } from '../../audit/claims.js';
import { ENFORCE_VALUES_REMEDY } from '../../audit/derived-rows.js';
import { importAgain, linkAgain } from '../../audit/owed-history.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import { typedAgain } from '../typed-again.js';
import { formatAmount } from '../ui/quantities.js';

/** The commands that fix the findings, the most urgent first; empty where there is nothing to do. */
export function explainSteps(result: ExplainResult, argv: readonly string[]): Remedy[] {
  const steps = result.remedies.flatMap((one) => stepsOf(one, argv));
  return [...new Map(steps.map((step) => [JSON.stringify([step.command, step.args]), step])).values()];
}

/** The result for programs: each remedy's own fields, with its first command. */
export function withCommands(result: ExplainResult, argv: readonly string[]): object {
  return { ...result, remedies: result.remedies.map((one) => ({ ...one, ...stepsOf(one, argv)[0] })) };
}

function stepsOf(advice: ExplainRemedy, argv: readonly string[]): Remedy[] {
  switch (advice.do) {
    case 'add_connection': {
      const { phoneNumberId, displayPhone, entries } = advice;
      const waiting = formatAmount(entries, 'entry', 'entries');
      const number = displayPhone?.replace(/\D/g, '') ?? '';
      return [
        remedy(
          'connection add',
          [
            ...['--name', number === '' ? (phoneNumberId ?? 'NAME') : number, '--kind', 'cloud_api'],
            ...(phoneNumberId === null ? [] : ['--phone-number-id', phoneNumberId]),
            ...(number === '' ? [] : ['--phone', `+${number}`]),
          ],
          `adds the missing connection of ${waiting}; then replay`,
        ),
        remedy(
          'replay',
          ['--register'],
          'creates every connection that pending entries name, and replays them',
        ),
      ];
    }
    case 'edit_connection':
      return [
        remedy(
          'connection edit',
          [advice.connection, '--phone-number-id', advice.phoneNumberId],
          'gives the connection back the number that its entries name',
        ),
      ];
    case 'name_connection': {
      const { session, entries } = advice;
      const waiting = formatAmount(entries, 'entry', 'entries');
      if (session !== null) {
        return [
          remedy('replay', ['--register'], `creates the connection '${session}', and replays ${waiting}`),
        ];
      }
      return [namelessRemedy(advice)];
    }
    case 'replay_pending':
      return [
        remedy(
          'replay',
          [],
          `replays what is pending, ${formatAmount(advice.entries, 'entry', 'entries')} of it about this`,
        ),
      ];
    case 'replay_contact':
      return [
        remedy('replay', ['--all', '--contact', advice.contact], 'replays everything about this contact'),
      ];
    case 'replay_all':
      return [remedy('replay', ['--all'], 'replays the whole raw log')];
    case 'replay_file':
    case 'replay_export':
      return [remedy(advice.command, advice.args, advice.why)];
    case 'acknowledge':
      return [
        remedy(
          'alerts list',
          [],
          'names the alert. A later run stored another text of the same second: if nothing is lost with this row, acknowledge it',
        ),
      ];
    case 'accept_forged':
      return [
        remedy(
          'alerts list',
          [],
          'names the alert. No command removes what such an entry brought: look at it, and acknowledge the alert',
        ),
      ];
    case 'replay_failed':
      return [
        remedy(
          'replay',
          ['--failed'],
          'applies it, if the secret was wrong: with the right --app-secret-file',
        ),
      ];
    case 'discard':
      return [
        remedy('raw discard', [advice.subject], 'plans to take it out, where it was stored by mistake'),
      ];
    case 'dedupe':
      return [
        advice.many === true ? DEDUPE_MANY_REMEDY : remedy('dedupe', ['--apply'], 'merges the duplicates'),
      ];
    case 'reconcile':
      return [
        remedy(
          'reconcile',
          ['--apply'],
          'restores it under its id, where the raw log has it, and merges the copy',
        ),
      ];
    case 'unlink':
      return [remedy('verify', ['--enforce'], UNLINK_WHY)];
    case 'enforce':
      return [ENFORCE_VALUES_REMEDY];
    case 'include':
      return [
        remedy(
          'replay',
          ['--all', '--include', advice.kind],
          'imports such chats, which are skipped by default',
        ),
      ];
    case 'link':
      return [linkAgain(advice.connection)];
    case 'import':
      return [importAgain(advice.connection, advice.contact)];
    case 'scan':
      return [typedAgain(argv, 'searches the whole raw log byte by byte', (words) => [...words, '--scan'])];
    case 'explain':
      return [remedy('explain', [advice.subject], `explains ${advice.why}`)];
  }
}
