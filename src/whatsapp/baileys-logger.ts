import type { ILogger } from '@whiskeysockets/baileys/lib/Utils/logger.js';

/** Takes a line for the log. */
export type LogLine = (message: string) => void;

/**
 * Baileys' log, of which only the words are kept: the objects beside them hold keys, numbers and texts. `level` is Baileys'
 * switch for costly lines that nobody would see.
 */
export function createBaileysLogger(write: LogLine): ILogger {
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
