import { z } from 'zod';
import { DEFAULT_PAGE_LIMIT, LARGEST_PAGE_LIMIT, type MessagesOptions } from '../../core/messages/options.js';
import { parseMoment } from '../values/moment.js';
import type { Environment } from './environment.js';
import { instant, readTimeZone, readWindow } from './moments.js';
import { number, word } from './parsers.js';
import { resolveSettings, type GivenFlags } from './resolve.js';

const MESSAGES = z.object({
  limit: number(1, LARGEST_PAGE_LIMIT).default(DEFAULT_PAGE_LIMIT),
  cursor: word('a cursor').optional(),
  fromDate: word('a time').optional(),
  toDate: word('a time').optional(),
  tz: word('a time zone').optional(),
  connection: word('the name of a connection').optional(),
});

export interface MessagesSettings {
  options: MessagesOptions;
  /** Dates are read in it, and times shown. */
  timeZone: string;
  /** What the window was read as, in words; undefined without one, and where a cursor says it. */
  window: string | undefined;
}

/** Resolves the settings of `messages`. `now` is in ms since 1970. Throws ConfigError for what is wrong. */
export function resolveMessagesSettings(
  contact: string,
  given: GivenFlags,
  environment: Environment,
  now: number,
): MessagesSettings {
  const { values, origin } = resolveSettings(MESSAGES, given, environment);
  const { limit, cursor, fromDate, toDate, connection } = values;
  const timeZone = readTimeZone({ value: values.tz, origin: origin('tz') });
  const { from, to } = readWindow(
    { value: fromDate, origin: origin('fromDate') },
    { value: toDate, origin: origin('toDate') },
    now,
    timeZone,
  );
  const fixed = (text: string | undefined): string => fixedWords(text, now, timeZone);
  return {
    options: {
      contact,
      limit,
      ...(cursor === undefined ? {} : { cursor }),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      windowWords: `${fixed(fromDate)}/${fixed(toDate)}`,
      ...(connection === undefined ? {} : { connection }),
    },
    timeZone,
    window: cursor === undefined ? describeWindow(from, to, timeZone) : undefined,
  };
}

/** A week and a bit: whatever is said in relation to now is another time by then. */
const LATER = 8 * 86_400_000 + 1;

/**
 * What a cursor is bound to: the instant that was meant, however it was written; or the words, for those that mean another
 * instant tomorrow (`2d`, `yesterday`).
 */
function fixedWords(text: string | undefined, now: number, timeZone: string): string {
  if (text === undefined) return '';
  const moment = parseMoment(text, now, timeZone);
  const fixed = moment !== undefined && moment === parseMoment(text, now + LATER, timeZone);
  return fixed ? instant(moment) : `${text} ${timeZone}`;
}

function describeWindow(
  from: number | undefined,
  to: number | undefined,
  timeZone: string,
): string | undefined {
  if (from === undefined && to === undefined) return undefined;
  const parts = [
    from === undefined ? '' : ` from ${instant(from)}`,
    to === undefined ? '' : ` before ${instant(to)}`,
  ];
  return `Messages${parts.join('')} (UTC; dates read in ${timeZone}).`;
}
