import type { ExplainResult, Remedy } from '../../core/explain/result.js';
import { commandLine } from '../shell-words.js';
import type { NextStep } from './next-step.js';
import { formatAmount } from './quantities.js';

/** What was typed, as far as the advice depends on it. */
export interface Asked {
  argv: readonly string[];
  /** The flags that chose the database: every command that is advised has them, too. */
  databaseFlags: readonly string[];
}

/** What to type about the findings, the most pressing first; empty where there is nothing to do. */
export function explainSteps(result: ExplainResult, asked: Asked): NextStep[] {
  const steps = result.remedies.flatMap((remedy) => stepsOf(remedy, asked));
  return [...new Map(steps.map((step) => [step.command, step])).values()];
}

function stepsOf(remedy: Remedy, { argv, databaseFlags }: Asked): NextStep[] {
  const line = (...words: string[]): string => commandLine([...words, ...databaseFlags]);
  switch (remedy.do) {
    case 'add_connection': {
      const { phoneNumberId, displayPhone, entries } = remedy;
      const waiting = formatAmount(entries, 'entry', 'entries');
      const number = displayPhone?.replace(/\D/g, '') ?? '';
      const words = [
        ...['connection', 'add', '--name', number === '' ? (phoneNumberId ?? 'NAME') : number],
        ...['--kind', 'cloud_api'],
        ...(phoneNumberId === null ? [] : ['--phone-number-id', phoneNumberId]),
        ...(number === '' ? [] : ['--phone', `+${number}`]),
      ];
      return [
        {
          command: line(...words),
          why: `adds the connection that ${waiting} ${entries === 1 ? 'waits' : 'wait'} for; then wa-reconcile replay files ${entries === 1 ? 'it' : 'them'}`,
        },
        {
          command: line('replay', '--register'),
          why: 'creates all connections that waiting entries name, and files them',
        },
      ];
    }
    case 'name_connection': {
      const { session, entries } = remedy;
      const waiting = formatAmount(entries, 'entry', 'entries');
      if (session !== null) {
        return [
          {
            command: line('replay', '--register'),
            why: `creates the connection '${session}', and files ${waiting}`,
          },
        ];
      }
      return [
        {
          command: line('connection', 'list'),
          why: `shows the connections; ${waiting} of WhatsApp Web name none`,
        },
        {
          command: line('replay', '--connection', 'NAME'),
          why: 'files them under the one that they belong to',
        },
      ];
    }
    case 'replay_pending':
      return [
        {
          command: line('replay'),
          why: `takes up what waits, ${formatAmount(remedy.entries, 'entry', 'entries')} of it about this`,
        },
      ];
    case 'replay_contact':
      return [
        {
          command: line('replay', '--all', '--contact', remedy.contact),
          why: 'replays what the raw log holds about them',
        },
      ];
    case 'include':
      return [
        {
          command: line('replay', '--all', '--include', remedy.kind),
          why: 'brings such chats in; they are left out unless asked for',
        },
      ];
    case 'scan':
      return [{ command: commandLine([...argv, '--scan']), why: 'searches the bytes of the whole raw log' }];
    case 'explain':
      return [{ command: line('explain', remedy.subject), why: `explains ${remedy.why}` }];
  }
}
