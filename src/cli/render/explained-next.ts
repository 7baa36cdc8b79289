import type { ExplainResult, Remedy as ExplainRemedy } from '../../core/explain/result.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import { typedAgain } from '../typed-again.js';
import { formatAmount } from './quantities.js';

/** What to type about the findings, the most pressing first; empty where there is nothing to do. */
export function explainSteps(result: ExplainResult, argv: readonly string[]): Remedy[] {
  const steps = result.remedies.flatMap((one) => stepsOf(one, argv));
  return [...new Map(steps.map((step) => [JSON.stringify([step.command, step.args]), step])).values()];
}

/** The result for programs: a remedy's own fields, and with them the first command that it comes to. */
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
          `adds the connection that ${waiting} ${entries === 1 ? 'waits' : 'wait'} for; a replay then files ${entries === 1 ? 'it' : 'them'}`,
        ),
        remedy('replay', ['--register'], 'creates all connections that waiting entries name, and files them'),
      ];
    }
    case 'name_connection': {
      const { session, entries } = advice;
      const waiting = formatAmount(entries, 'entry', 'entries');
      if (session !== null) {
        return [
          remedy('replay', ['--register'], `creates the connection '${session}', and files ${waiting}`),
        ];
      }
      return [
        remedy('connection list', [], `shows the connections; ${waiting} of WhatsApp Web name none`),
        remedy('replay', ['--connection', 'NAME'], 'files them under the one that they belong to'),
      ];
    }
    case 'replay_pending':
      return [
        remedy(
          'replay',
          [],
          `takes up what waits, ${formatAmount(advice.entries, 'entry', 'entries')} of it about this`,
        ),
      ];
    case 'replay_contact':
      return [
        remedy('replay', ['--all', '--contact', advice.contact], 'replays what the raw log holds about them'),
      ];
    case 'replay_all':
      return [remedy('replay', ['--all'], 'replays all that the raw log holds')];
    case 'replay_file': {
      const path = advice.file ?? 'FILE';
      return [
        remedy(
          'replay',
          path.startsWith('-') ? ['--', path] : [path],
          'stores the lost entries again and links their messages to them',
        ),
      ];
    }
    case 'dedupe':
      return [remedy('dedupe', ['--apply'], 'merges the copies')];
    case 'include':
      return [
        remedy(
          'replay',
          ['--all', '--include', advice.kind],
          'brings such chats in; they are left out unless asked for',
        ),
      ];
    case 'scan':
      return [typedAgain(argv, 'searches the bytes of the whole raw log', (words) => [...words, '--scan'])];
    case 'explain':
      return [remedy('explain', [advice.subject], `explains ${advice.why}`)];
  }
}
