import type { PairingStep } from '../../commands/devices/types.js';
import { remedy } from '../../model/remedy.js';
import type { Call } from '../call.js';
import type { Io } from '../io.js';
import type { GlobalSettings } from '../flags/global.js';
import { formatAmount } from './quantities.js';
import { drawQr, windowOf, type DrawnQr } from './qr.js';
import { sanitize } from './sanitize.js';
import { widthOf } from './width.js';

type Wait = Extract<PairingStep, { step: 'waiting' }>;

/** How often a sync that goes on is told of. */
const SYNC_LINE_EVERY_MS = 2_000;
/** How often it is looked whether a window that was too small has become large enough. */
const LOOK_MS = 300;

/** What the display needs of a call. */
export interface Screen extends Pick<Call, 'console' | 'look' | 'notice'> {
  io: Pick<Io, 'stderr' | 'stderrIsTTY' | 'clock'>;
  settings: Pick<GlobalSettings, 'events' | 'verbose' | 'debug'>;
}

export interface PairingDisplay {
  show: (step: PairingStep) => void;
  /** Ends what it does by itself. */
  close: () => void;
}

/**
 * Shows a person what to do with the phone, on stderr; with `--events` a program gets each step as JSON. What must be seen
 * is shown under `--quiet`, too.
 */
export function pairingDisplay(call: Screen, connection: string): PairingDisplay {
  const { console, io, settings, look } = call;
  if (settings.events) {
    return {
      show: (step) => {
        console.line(JSON.stringify({ event: 'link', ...step, ts: new Date(io.clock()).toISOString() }));
      },
      close: () => undefined,
    };
  }
  const name = sanitize(connection);
  const code = new QrDisplay(call, connection);
  let lastLine = 0;
  let later: NodeJS.Timeout | undefined;
  /** Says how far the sync is, at once or, when it has just been said, in a moment: the last figures are always shown. */
  const progress = (step: Extract<PairingStep, { step: 'syncing' }>): void => {
    clearTimeout(later);
    const wait = lastLine + SYNC_LINE_EVERY_MS - io.clock();
    const line = (): void => {
      lastLine = io.clock();
      call.notice(syncWords(step));
    };
    if (wait <= 0) line();
    else {
      later = setTimeout(line, wait);
      later.unref();
    }
  };
  const show = (step: PairingStep): void => {
    if (step.step !== 'qr') code.close();
    switch (step.step) {
      case 'connecting':
        call.notice('Connecting to WhatsApp …');
        break;
      case 'qr':
        code.show(step.qr);
        break;
      case 'pairing_code':
        console.line(
          `Type this code on the phone of '${name}' (WhatsApp: Settings, Linked devices, Link with phone number):\n\n` +
            `  ${look.bold(`${step.code.slice(0, 4)}-${step.code.slice(4)}`)}\n`,
        );
        break;
      case 'paired':
        call.notice('The phone is linked. Keep it online: it is sending its history.');
        break;
      case 'refused':
        call.notice('This is the wrong phone: unlinking it again.');
        break;
      case 'syncing':
        progress(step);
        break;
      case 'waiting':
        call.notice(waitWords(step));
    }
  };
  return {
    show,
    close: () => {
      clearTimeout(later);
      code.close();
    },
  };
}

/** What a window lacks, and has instead: `41 rows; this one has 24`. */
function lacking(
  window: { rows: number; columns: number },
  needed: { rows: number; columns: number },
): string {
  const lacks = (['rows', 'columns'] as const).filter((side) => window[side] < needed[side]);
  return `${lacks.map((side) => `${needed[side]} ${side}`).join(' and ')}; this one has ${lacks.map((side) => window[side]).join(' and ')}`;
}

function syncWords({ messages, received, announced, percent }: Extract<PairingStep, { step: 'syncing' }>) {
  const reached = percent === null ? '' : `, ${percent} %`;
  return `Syncing: ${received} of ${formatAmount(announced, 'chunk')} received, with ${formatAmount(messages, 'message')}${reached}`;
}

function waitWords({ for: what, chunks, atMostMs }: Wait): string {
  const upTo = `Waiting up to ${Math.ceil(atMostMs / 1000)} s`;
  switch (what) {
    case 'files':
      return `${upTo} for ${formatAmount(chunks.length, 'file')} of history that did not arrive: ${chunks.map(chunkWords).join(', ')}`;
    case 'history':
      return `${upTo} for the rest of the history: the phone has not sent its end. Keep WhatsApp open on it.`;
    case 'settings':
      return `${upTo} for the phone’s contacts and settings.`;
  }
}

const CHUNK_TYPES: Readonly<Record<string, string>> = {
  initial_bootstrap: 'the first chats',
  recent: 'the recent messages',
  full: 'the full history',
  push_name: 'the contacts’ names',
  non_blocking_data: 'other data',
  on_demand: 'a requested answer',
};

/** A chunk of history, by what is in it and its number. */
export function chunkWords({ type, chunk }: { type: string | null; chunk: number | null }): string {
  const what = type === null ? 'the history' : (CHUNK_TYPES[type] ?? type.replaceAll('_', ' '));
  return chunk === null ? `a chunk of ${what}` : `chunk ${chunk} of ${what}`;
}

/**
 * The QR code on stderr. A renewed one is drawn over the one before; in a window that is too small for it, the size that it
 * needs is said instead, and the code is drawn as soon as the window has that size.
 */
class QrDisplay {
  private readonly head: string[];
  private readonly foot = 'It is renewed until it is scanned; Ctrl-C cancels.';
  /** Rows on the screen that the last drawing takes; null when something else may stand under it. */
  private drawnRows: number | null = null;
  private timer: NodeJS.Timeout | undefined;
  /** The window that was said to be too small: said once, a terminal that cannot redraw would scroll without end. */
  private tooSmall: { rows: number; columns: number } | null = null;
  /** The newest code: drawing takes a moment, and a code that was renewed meanwhile must not appear. */
  private newest = '';

  constructor(
    private readonly call: Screen,
    private readonly connection: string,
  ) {
    this.head = [
      `Scan this with the phone of '${sanitize(connection)}'`,
      '(WhatsApp: Settings, Linked devices, Link a device):',
    ];
  }

  show(text: string): void {
    this.newest = text;
    void drawQr(text, this.call.look.color).then((qr) => {
      if (this.newest === text) this.place(qr);
    });
  }

  close(): void {
    this.newest = '';
    this.drawnRows = null;
    clearTimeout(this.timer);
  }

  private place(qr: DrawnQr): void {
    clearTimeout(this.timer);
    const { look, io } = this.call;
    const window = io.stderrIsTTY ? windowOf(io.stderr) : undefined;
    const rows = qr.rows + this.head.length + 2;
    if (window !== undefined && (window.rows <= rows || window.columns < qr.columns)) {
      const other = remedy(
        'link',
        ['--connection', this.connection, '--pairing-code'],
        'shows a code to type',
      );
      const { tooSmall } = this;
      if (tooSmall?.rows !== window.rows || tooSmall.columns !== window.columns) {
        if (tooSmall !== null) this.drawnRows = null;
        this.draw([
          `The QR code needs a window of ${lacking(window, { rows: rows + 1, columns: qr.columns })}.`,
          'Enlarge it, or make the letters smaller: the code appears by itself.',
          `Or link with a code to type: ${look.cyan(look.line(other))}`,
        ]);
        this.tooSmall = window;
      }
      this.timer = setTimeout(() => {
        this.place(qr);
      }, LOOK_MS);
      this.timer.unref();
      return;
    }
    if (this.tooSmall !== null) this.drawnRows = null;
    this.tooSmall = null;
    this.draw([...this.head, '', ...qr.lines, look.dim(this.foot)]);
  }

  /** Draws over the last drawing where the terminal can do so, and nothing else was written since. */
  private draw(lines: readonly string[]): void {
    const { console, io, settings, look } = this.call;
    const window = io.stderrIsTTY ? windowOf(io.stderr) : undefined;
    // Log lines would be drawn over.
    const canRedraw = window !== undefined && look.color && settings.verbose === 0 && !settings.debug;
    const back = canRedraw && this.drawnRows !== null ? `\u001b[${this.drawnRows}A\u001b[0J` : '';
    console.line(back + lines.join('\n'));
    this.drawnRows =
      window === undefined
        ? null
        : lines.reduce(
            (sum, line) => sum + Math.max(1, Math.ceil(widthOf(sanitize(line)) / window.columns)),
            0,
          );
  }
}
