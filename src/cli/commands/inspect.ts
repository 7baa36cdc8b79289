import { Argument, type Command } from 'commander';
import { EXIT, type ExitCode } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { describe } from '../describe.js';
import { nothingPiped } from '../environment.js';
import { size } from '../flags/kinds.js';
import { group, readFlags } from '../flags/table.js';
import { findLogs, passedOverInArchive } from '../log-inputs.js';
import { presentInspect } from '../views/inspect.js';

const FLAGS = group('How:', { maxEntrySize: size('skip larger entries').default('16MB') });

export function registerInspect(parent: Command, attach: Attach): void {
  const command = parent
    .command('inspect')
    .addArgument(new Argument('<path...>', 'files, directories, patterns or - (stdin)'));
  describe(command, {
    flags: FLAGS,
    summary: 'Show what a log is and holds, without a database.',
    details:
      'Per file: its form and the wrappers around the bodies, how many entries, of which ' +
      'connections, from when to when, how many messages and statuses, and what is not understood, ' +
      'with file and line. Reads each file once and stores nothing. Excerpts show keys, never ' +
      'phones, names or texts.',
    examples: [
      ['wa-reconcile inspect webhooks.ndjson.gz', 'one log'],
      ['wa-reconcile inspect /var/lib/docker/containers/', 'every log in a directory'],
      ['docker logs webhook 2>&1 | wa-reconcile inspect -', 'what a program printed'],
      [`wa-reconcile inspect logs/ --json | jq '.files[].forms'`, 'for a program'],
    ],
    exits: {
      [EXIT.ok]: 'everything in it is understood',
      [EXIT.failure]: 'it failed',
      [EXIT.usage]: 'wrong usage; no such file',
      [EXIT.partial]: 'something is not understood or cannot be read',
      [EXIT.interrupted]: 'interrupted; what was read until then is shown',
    },
  });
  attach(command, inspectCommand);
}

const EXIT_OF: Readonly<Record<'completed' | 'partial' | 'interrupted', ExitCode>> = {
  completed: EXIT.ok,
  partial: EXIT.partial,
  interrupted: EXIT.interrupted,
};

async function inspectCommand(call: Call): Promise<Outcome> {
  const { io, console, settings, look, stop, args } = call;
  const { values } = readFlags(FLAGS, call);
  if (args.includes('-') && io.stdinIsTTY) {
    throw nothingPiped('- reads a log', 'Pipe one in, such as the output of docker logs, or name a file.');
  }
  const [{ inspect }, { createProgress, progressMode }] = await Promise.all([
    import('../../commands/inspect/inspect.js'),
    import('../ui/progress.js'),
  ]);
  const inputs = await findLogs(call, args);
  stop.letEnd('reading');
  const progress = await createProgress(progressMode(settings, io), io, console, look);
  try {
    const result = await inspect({
      inputs,
      stdin: io.stdin,
      maxEntryBytes: values.maxEntrySize,
      signal: stop.signal,
      emit: progress.emit,
      onPassedOver: passedOverInArchive(call),
    });
    return { presentation: presentInspect(result, args), exitCode: EXIT_OF[result.status] };
  } finally {
    progress.close();
  }
}
