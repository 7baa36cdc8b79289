import type { RunResult } from '../../model/run-result.js';
import { commandLine } from '../shell-words.js';
import { formatAmount } from './quantities.js';
import { listLeftOut } from './run-sections.js';

/** What to type next, and what it does. */
export interface NextStep {
  command: string;
  why: string;
}

/** What the run was asked for, as far as the advice depends on it. */
export interface Invocation {
  /** What was typed after `wa-reconcile`. */
  argv: readonly string[];
  /** Whether entries came from files, from stdin or from the database. */
  from: 'files' | 'stdin' | 'log';
  register: boolean;
  /** The flags that chose the database: every command that is advised has them, too. */
  databaseFlags: readonly string[];
}

/** The reasons for which an entry is left pending for want of a connection (rule H1). */
const UNKNOWN_CONNECTION = 'unknown_connection';

/** The most useful commands after a run, the most pressing first; never empty. */
export function nextSteps(result: RunResult, invocation: Invocation): NextStep[] {
  if (result.status === 'interrupted') return [resumeStep(invocation)];
  if (result.dryRun) return [realStep(result, invocation)];
  const line = (...words: string[]): string => commandLine([...words, ...invocation.databaseFlags]);
  const steps: NextStep[] = [];
  if (result.status === 'failed') steps.push(resumeStep(invocation));
  // Not what failed: its JSON is broken, and stays so until the log is exported again.
  if (result.entries.pending > 0) steps.push(...pendingSteps(result, invocation, line));
  const gap = result.connections.find(({ historySync }) => historySync.missingChunks.length > 0);
  if (gap !== undefined) {
    steps.push({
      command: line('connection', 'show', gap.name),
      why: 'shows which history chunks never came',
    });
  }
  if (steps.length > 0) return steps;
  if (result.entries.read === 0 && result.resumedFrom === undefined) {
    return [nothingReadStep(invocation, line)];
  }
  return [{ command: line('connection', 'list'), why: 'shows every connection and its history' }];
}

type Line = (...words: string[]) => string;

function nothingReadStep({ from }: Invocation, line: Line): NextStep {
  return from === 'log'
    ? { command: line('replay', 'LOG'), why: 'replays a log; without one, what is stored' }
    : { command: 'wa-reconcile replay --help', why: 'says which forms of logs it reads' };
}

/** The run itself, after its dry run; with what the dry run has shown to be missing. */
function realStep(result: RunResult, { argv, register }: Invocation): NextStep {
  const command = withoutDryRun(argv);
  return !register && namesUnknownConnection(result) && !namesNothing(result)
    ? {
        command: commandLine([...command, '--register']),
        why: 'does it, and creates the connections that are not known yet',
      }
    : { command: commandLine(command), why: 'does it' };
}

function resumeStep({ argv, from }: Invocation): NextStep {
  return from === 'stdin'
    ? { command: commandLine(argv), why: 'with the same input again: what is stored already is passed over' }
    : { command: commandLine(argv), why: 'goes on where this stopped' };
}

function pendingSteps(result: RunResult, invocation: Invocation, line: Line): NextStep[] {
  const pending = formatAmount(result.entries.pending, 'pending entry', 'pending entries');
  if (!namesUnknownConnection(result)) return [{ command: line('replay'), why: `takes up ${pending}` }];
  const steps: NextStep[] = [];
  // What registering could not help, or what names nothing to be registered.
  const nameless = invocation.register || namesNothing(result);
  if (!nameless) {
    steps.push({
      command: line('replay', '--register'),
      why: `creates the connections that ${pending} name${result.entries.pending === 1 ? 's' : ''}, and files them`,
    });
  }
  steps.push({
    command: line('connection', 'add'),
    why: nameless
      ? 'for WhatsApp Web events, which name none; then replay --connection NAME'
      : 'adds one yourself instead; then wa-reconcile replay',
  });
  return steps;
}

/** Counted by the skips, which are complete; an entry without any item is only among the problems. */
function namesUnknownConnection(result: RunResult): boolean {
  return (
    listLeftOut(result).some(({ reason }) => reason === UNKNOWN_CONNECTION) ||
    result.problems.some(({ reason }) => reason === UNKNOWN_CONNECTION)
  );
}

/** Whether no entry that waits for a connection says which; events of WhatsApp Web often do not. */
function namesNothing({ problems }: RunResult): boolean {
  const waiting = problems.filter(({ reason }) => reason === UNKNOWN_CONNECTION);
  return waiting.length > 0 && waiting.every(({ excerpt }) => excerpt === '');
}

function withoutDryRun(argv: readonly string[]): string[] {
  return argv
    .map((word) => (/^-[nqvy]{2,}$/.test(word) ? word.replace('n', '') : word))
    .filter((word) => word !== '-n' && word !== '--dry-run');
}
