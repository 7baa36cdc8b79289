import { Argument, type Command } from 'commander';
import {
  DEFAULT_PAGE_LIMIT,
  LARGEST_PAGE_LIMIT,
  type MessagesOptions,
} from '../../commands/messages/result.js';
import { EXIT } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { integer, moment, text, zone } from '../flags/kinds.js';
import { parseMoment } from '../flags/moment.js';
import { actor, connection } from '../flags/shared.js';
import { group, instant, readFlags, rejectEmptyWindow, type Line } from '../flags/table.js';
import { typedAgain } from '../typed-again.js';
import { presentMessages } from '../views/messages.js';

const FLAGS = group('Which messages:', {
  limit: integer(1, LARGEST_PAGE_LIMIT, 'messages on the page, 1 to 1000').default(
    String(DEFAULT_PAGE_LIMIT),
  ),
  cursor: text('cursor', 'show the page after the one with this cursor', 'a cursor'),
  since: moment('sent at or after: 2026-11-03, 36h, 2d, 3w, yesterday').alias('fromDate'),
  until: moment('sent before').alias('toDate'),
  tz: zone('time zone for dates and for times in the output'),
  connection: connection('only this connection; also distinguishes organizations'),
  as: actor(),
});

export function registerMessages(parent: Command, attach: Attach): void {
  const command = parent
    .command('messages')
    .addArgument(new Argument('<contact>', 'phone in any format, JID, LID, BSUID or lead id'));
  describe(command, {
    flags: FLAGS,
    summary: 'Show a contact’s messages, page by page from the newest.',
    details:
      'On a terminal, a page reads like a chat, oldest message first. The other formats list the ' +
      'newest first, so that consecutive pages stay in order, with a cursor for the next, older ' +
      'page. Messages that are stored in the meantime neither shift nor repeat the others. A ' +
      'cursor is valid only for its contact, time window and connection. Each page is recorded before ' +
      'it is shown: runs list --access.',
    examples: [
      ['wa-reconcile messages +5511912345678', 'the newest page, as a chat'],
      ['wa-reconcile messages 5511912345678 --since yesterday --limit 1000', 'since yesterday'],
      ['wa-reconcile messages +5511912345678 --json | jq -r .pagination.cursor', 'for a program'],
      ['wa-reconcile messages 123456789012345@lid --format csv -o chat.csv', 'as a spreadsheet'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.usage]: 'wrong usage or configuration; contact unknown or ambiguous; cursor invalid',
    },
  });
  attach(command, messages);
}

async function messages(call: Call): Promise<Outcome> {
  const [{ withContext }, { readMessages }] = await Promise.all([
    import('../session.js'),
    import('../../commands/messages/read-messages.js'),
  ]);
  const { options, timeZone, window, actor } = readOptions(call.args[0] ?? '', call);
  const { format } = call.settings;
  if (window !== undefined) call.notice(window);
  const result = await withContext(call, { command: 'messages', actor }, (ctx) =>
    readMessages(ctx, { ...options, withQuotes: format === 'table' }),
  );
  const { cursor } = result.pagination;
  const older =
    cursor === null
      ? undefined
      : typedAgain(call.argv, 'shows older messages', (words) => [
          ...withoutCursor(words),
          '--cursor',
          cursor,
        ]);
  // These formats have no place for the cursor; JSON and the chat show it themselves.
  if (older !== undefined && format !== 'json' && format !== 'table')
    call.notice(`Older messages: ${call.look.line(older)}`);
  return { presentation: presentMessages(result, timeZone, older), exitCode: EXIT.ok };
}

/**
 * Which messages; the time zone for reading and showing dates; how the window was understood, in words. Throws
 * ConfigError.
 */
function readOptions(contact: string, line: Line) {
  const reading = readFlags(FLAGS, line);
  const { limit, cursor, since, until, tz, connection: name, as: actor } = reading.values;
  rejectEmptyWindow(reading, 'since', 'until');
  const fixed = (key: 'since' | 'until'): string => fixedWords(reading.typed(key), line.io.clock(), tz);
  const options: MessagesOptions = {
    contact,
    limit,
    cursor,
    from: since,
    to: until,
    windowWords: `${fixed('since')}/${fixed('until')}`,
    connection: name,
  };
  // A cursor contains its window.
  return {
    options,
    timeZone: tz,
    actor,
    window: cursor === undefined ? describeWindow(since, until, tz) : undefined,
  };
}

/** Just over a week: relative times mean something else by then. */
const LATER = 8 * 86_400_000 + 1;

/**
 * What a cursor is bound to: the meant instant, however written; or the words, if they mean another instant tomorrow
 * (`2d`, `yesterday`).
 */
function fixedWords(text: string | undefined, now: number, timeZone: string): string {
  if (text === undefined) return '';
  const read = parseMoment(text, now, timeZone);
  const fixed = read !== undefined && read === parseMoment(text, now + LATER, timeZone);
  return fixed ? instant(read) : `${text} ${timeZone}`;
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

/** What was typed, except the page. */
function withoutCursor(words: readonly string[]): string[] {
  return words.filter(
    (word, index) => word !== '--cursor' && words[index - 1] !== '--cursor' && !word.startsWith('--cursor='),
  );
}
