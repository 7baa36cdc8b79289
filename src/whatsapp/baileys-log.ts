import type { ILogger } from './baileys.js';

/** Takes a line for the log. */
export type LogLine = (message: string) => void;

/** The complete list of Baileys 7.0.0-rc14's log lines when it cannot download or read what a message announces. */
const MESSAGE_FAILED = 'error in handling message';

/**
 * Baileys' log, of which only the words are kept: the objects beside them hold keys, numbers and texts. `level` is Baileys'
 * switch for costly lines that would not be shown.
 */
export function createBaileysLogger(write: LogLine, onMessageFailed?: () => void): ILogger {
  const skip = (): void => undefined;
  const logger: ILogger = {
    level: 'warn',
    child: () => logger,
    trace: skip,
    debug: skip,
    info: skip,
    warn: (context, message) => {
      write(describe(context, message));
    },
    error: (context, message) => {
      write(describe(context, message));
      if (message === MESSAGE_FAILED) onMessageFailed?.();
    },
  };
  return logger;
}

/** A phone or a LID: some of Baileys' own sentences have them inside. */
const NUMBERS = /\d{6,}/g;

function describe(context: unknown, message: string | undefined): string {
  const words = message ?? (typeof context === 'string' ? context : 'something went wrong');
  return `baileys: ${words.replace(NUMBERS, '…')}`;
}

/** How the lines begin that libsignal 6.0.0 writes on the console, sessions with their keys included. */
const BEGINNINGS = [
  'Closing session:',
  'Opening session:',
  'Removing old closed session:',
  'Session already closed',
  'Session already open',
  'Migrating session to:',
  'Closing open session in favor of incoming prekey bundle',
  'Failed to decrypt message with any known session',
  'Session error:',
  'Decrypted message with closed session',
  'V1 session storage migration error',
  'Unhandled bucket type',
  'WARNING: Expected pubkey of length 33',
];

let quiet = false;

/**
 * Keeps libsignal from printing private keys on standard output, where the result belongs; other output passes through.
 */
export function quietLibsignal(log: LogLine): void {
  if (quiet) return;
  quiet = true;
  const output = globalThis.console;
  for (const level of ['log', 'info', 'warn', 'error'] as const) {
    const write = output[level].bind(output);
    output[level] = (...values: unknown[]): void => {
      const [first] = values;
      const known =
        typeof first === 'string' ? BEGINNINGS.find((start) => first.startsWith(start)) : undefined;
      if (known === undefined) write(...values);
      else log(`libsignal: ${known}`);
    };
  }
}
