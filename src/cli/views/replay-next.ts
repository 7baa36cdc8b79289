import { namelessRemedy } from '../../audit/alert.js';
import type { SourceProblemReason } from '../../model/raw-entry.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import type { RunResult } from '../../model/run-result.js';
import { typedAgain, withoutDryRun } from '../typed-again.js';
import { formatAmount } from '../ui/quantities.js';
import { listLeftOut } from './run-figures.js';

/** What the run was asked for, as far as the advice depends on it. */
export interface Invocation {
  /** What was typed after `wa-reconcile`. */
  argv: readonly string[];
  /** Whether entries came from files, from stdin or from the database. */
  from: 'files' | 'stdin' | 'log';
  register: boolean;
  /** What was given to read; none where entries came from the database. */
  paths?: readonly string[];
}

/** The reasons for which an entry is left pending for want of a connection (rule H1). */
const UNKNOWN_CONNECTION = 'unknown_connection';

/** The most useful commands after a run, the most pressing first; never empty. */
export function nextSteps(result: RunResult, invocation: Invocation): Remedy[] {
  if (result.dryRun && result.status === 'interrupted')
    return [typedAgain(invocation.argv, 'starts the dry run again')];
  if (result.status === 'interrupted') return [resumeStep(invocation)];
  if (result.dryRun) return [realStep(result, invocation)];
  const steps: Remedy[] = [];
  if (result.status === 'failed') steps.push(resumeStep(invocation));
  // Not the failed ones: their JSON is broken, and stays so until the log is exported again.
  if (result.entries.pending > 0) steps.push(...pendingSteps(result, invocation));
  const gap = result.connections.find(({ historySync }) => historySync.missingChunks.length > 0);
  if (gap !== undefined) {
    steps.push(remedy('connection show', [gap.name], 'lists the missing history chunks'));
  }
  if (steps.length > 0) return steps;
  const isNothingRead = result.entries.read === 0 && result.resumedFrom === undefined;
  if (isNothingRead && invocation.from === 'log') {
    return [remedy('replay', ['LOG'], 'replays a log file; without one, stored entries that are pending')];
  }
  const broken = result.problems.find(({ reason }) => !OF_INPUT.has(reason));
  if (broken !== undefined)
    return [remedy('explain', [broken.origin], 'shows the first entry with a problem, and why')];
  if (isNothingRead || result.problems.length > 0) return [inspectStep(invocation)];
  return [remedy('connection list', [], 'shows every connection and its history')];
}

/** Says what the input is, where some or all of it could not be read. */
function inspectStep({ from, paths = [] }: Invocation): Remedy {
  return paths.length === 0 || from === 'stdin'
    ? remedy('replay', ['--help'], 'lists the log formats that are read')
    : remedy('inspect', paths, 'says what is in it, and what is not understood');
}

/** Problems of what was never stored as an entry. */
const OF_INPUT: ReadonlySet<string> = new Set([
  'truncated_input',
  'changed_input',
  'entry_too_large',
  'unreadable_input',
  'not_json',
  'no_log_entries',
] satisfies SourceProblemReason[]);

/** The run itself, after its dry run; with what the dry run has shown to be missing. */
function realStep(result: RunResult, { argv, register }: Invocation): Remedy {
  return !register && namesUnknownConnection(result) && !namesNothing(result)
    ? typedAgain(argv, 'runs it, and creates the unknown connections', (words) => [
        ...withoutDryRun(words),
        '--register',
      ])
    : typedAgain(argv, 'runs it', withoutDryRun);
}

function resumeStep({ argv, from }: Invocation): Remedy {
  return typedAgain(
    argv,
    from === 'stdin'
      ? 'runs it again on the same input; stored entries are skipped'
      : 'resumes where this stopped',
  );
}

function pendingSteps(result: RunResult, invocation: Invocation): Remedy[] {
  const pending = formatAmount(result.entries.pending, 'pending entry', 'pending entries');
  // Imported for another connection before: nothing of them waits.
  const elsewhere = result.problems.find(({ reason }) => reason === 'other_connection');
  if (elsewhere !== undefined && result.entries.stored === 0)
    return [remedy('explain', [elsewhere.origin], 'shows of which connection the first such entry is')];
  if (!namesUnknownConnection(result)) return [remedy('replay', [], `replays ${pending}`)];
  const steps: Remedy[] = [];
  // What registering could not help, or what names nothing to be registered.
  const nameless = invocation.register || namesNothing(result);
  if (!nameless) {
    steps.push(
      remedy(
        'replay',
        ['--register'],
        `creates the connections that ${pending} name${result.entries.pending === 1 ? 's' : ''}, and replays ${result.entries.pending === 1 ? 'it' : 'them'}`,
      ),
    );
  }
  const step = namelessRemedy({ ...result, candidates: result.candidates ?? [] });
  if (nameless && step.command !== 'connection add') steps.push(step);
  const adds = nameless
    ? 'adds one for entries that name none; then replay --connection NAME'
    : 'adds a connection by hand instead; then replay';
  steps.push(remedy('connection add', [], adds));
  return steps;
}

/** Counted by the skips, which are complete; an entry without any item is only among the problems. */
function namesUnknownConnection(result: RunResult): boolean {
  return (
    listLeftOut(result).some(({ reason }) => reason === UNKNOWN_CONNECTION) ||
    result.problems.some(({ reason }) => reason === UNKNOWN_CONNECTION)
  );
}

/** Whether no entry waiting for a connection names one; WhatsApp Web events often do not. */
function namesNothing({ problems }: RunResult): boolean {
  const waiting = problems.filter(({ reason }) => reason === UNKNOWN_CONNECTION);
  return waiting.length > 0 && waiting.every(({ excerpt }) => excerpt === '');
}
