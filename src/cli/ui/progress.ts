import type { ProgressEvent } from '../../context.js';
import type { Console } from '../console.js';
import type { Io } from '../io.js';
import type { Look } from './look.js';
import {
  describeImportStep,
  describeProgress,
  IDLE,
  reduceProgress,
  type ProgressState,
} from './progress-state.js';
import { sanitize } from './sanitize.js';

/** Draws a run's progress on stderr. */
export interface ProgressDisplay {
  emit: (event: ProgressEvent) => void;
  /** Leaves the terminal clean; to be called however the run ends. */
  close: () => void;
}

export type ProgressMode = 'none' | 'events' | 'lines' | 'spinner';

const LINE_EVERY_MS = 30_000;
const DRAW_EVERY_MS = 100;
const SPINNER_WIDTH = 2;

/** `--events` for programs, nothing under `-q`, a spinner on a terminal, else a line now and then for a log file. */
export function progressMode(
  settings: { events: boolean; quiet: boolean },
  io: Pick<Io, 'stderrIsTTY' | 'stderr' | 'env'>,
): ProgressMode {
  if (settings.events) return 'events';
  if (settings.quiet) return 'none';
  // A terminal that does not know its size says 0, and the spinner would clear lines without end.
  const hasSize = !('columns' in io.stderr) || io.stderr.columns !== 0;
  return io.stderrIsTTY && hasSize && io.env.TERM !== 'dumb' ? 'spinner' : 'lines';
}

export async function createProgress(
  mode: ProgressMode,
  io: Io,
  console: Console,
  look: Look,
): Promise<ProgressDisplay> {
  switch (mode) {
    case 'none':
      return { emit: () => undefined, close: () => undefined };
    case 'events':
      return {
        emit: (event) => {
          console.line(JSON.stringify({ ...event, ts: new Date(io.clock()).toISOString() }));
        },
        close: () => undefined,
      };
    case 'lines':
      return createLines(io, console);
    case 'spinner':
      return createSpinner(io, console, look);
  }
}

/** One plain line per 30 s: enough for a log file to show that the run lives. */
function createLines(io: Io, console: Console): ProgressDisplay {
  let state: ProgressState = IDLE;
  let lastLine = io.clock();
  return {
    emit: (event) => {
      const now = io.clock();
      state = reduceProgress(state, event, now);
      if (event.event === 'notice') console.line(sanitize(event.message));
      // Few, and far apart: the reader of the log needs to see what was awaited.
      if (event.event === 'import') console.line(describeImportStep(event));
      if (event.event === 'progress' && now - lastLine >= LINE_EVERY_MS) {
        lastLine = now;
        console.line(describeProgress(state, now, Infinity));
      }
    },
    close: () => undefined,
  };
}

const STARTING: ReadonlySet<ProgressEvent['event']> = new Set(['opening', 'run_started', 'step', 'import']);

async function createSpinner(io: Io, console: Console, look: Look): Promise<ProgressDisplay> {
  const { default: ora } = await import('ora');
  let state: ProgressState = IDLE;
  const spinner = ora({
    stream: io.stderr,
    isEnabled: true,
    // Taking stdin over would swallow the log that is piped in, and Ctrl-C with it.
    discardStdin: false,
    hideCursor: false,
    color: look.color ? 'cyan' : false,
  });
  const draw = (): void => {
    spinner.text = describeProgress(state, io.clock(), look.width - SPINNER_WIDTH - 1);
  };
  const timer = setInterval(draw, DRAW_EVERY_MS);
  timer.unref();
  return {
    emit: (event) => {
      state = reduceProgress(state, event, io.clock());
      if (event.event === 'notice') console.line(look.yellow(sanitize(event.message)));
      if (STARTING.has(event.event)) {
        draw();
        spinner.start();
      }
      // Most commands show nothing more until their result.
      if (event.event === 'opened') spinner.stop();
    },
    close: () => {
      clearInterval(timer);
      spinner.stop();
    },
  };
}
