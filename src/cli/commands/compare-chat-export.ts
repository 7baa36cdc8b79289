import { Argument, type Command } from 'commander';
import type { CompareChatOptions, CompareChatResult } from '../../commands/compare-chat/types.js';
import { EXIT, type ExitCode } from '../../model/errors.js';
import { isTimeZone } from '../../model/time.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { choice, flag, text, toggle } from '../flags/kinds.js';
import { actor, connection, dryRun } from '../flags/shared.js';
import { contradiction, group, readFlags, rejectSamePlace } from '../flags/table.js';

const FLAGS = {
  ...group('Whose chat:', {
    contact: text(
      'contact',
      'phone, JID, LID or lead id; not needed where the file’s name or the chat has the number',
      'a contact',
    ),
    me: text('name', 'the name of the business in the chat, where it is not clear', 'a name'),
    connection: connection('the connection, where the contact has conversations on several'),
  }),
  ...group('How to read it:', {
    tz: flag('zone', 'the zone of the phone’s clock', 'a time zone', (raw) =>
      typeof raw === 'string' && isTimeZone(raw.trim()) ? raw.trim() : undefined,
    ).otherwise('found by texts that both sides have'),
    dateOrder: choice(
      'order',
      ['dmy', 'mdy', 'ymd', 'ydm'],
      'how the phone writes dates, where they can be read in two ways',
    ),
  }),
  ...group('What to show:', {
    items: text(
      'file',
      'list every line: = both sides, + missing in the database, - only there, ! unclear',
      'a file name',
    ),
    bodies: toggle('show the first words of message texts'),
    as: actor(),
  }),
  ...group('Repair:', {
    adopt: toggle(
      'store the messages that only the phone has; one that comes later with its own id replaces them, undo takes them back',
    ),
    dryRun: dryRun('with --adopt: count what it would store, and store nothing'),
  }),
};

export function registerCompareChatExport(parent: Command, attach: Attach): void {
  const command = parent
    .command('chat-export')
    .addArgument(new Argument('<file>', 'the .zip or .txt that the phone has exported'));
  describe(command, {
    flags: FLAGS,
    summary: 'Compare a phone’s chat export with the database.',
    details:
      'Shows which messages the phone has and the database lacks. An exported chat has no message ids: lines ' +
      'are matched by direction, text or kind of file, time and order. A line counts as lost only if every way ' +
      'to match leaves it, or one just like it, without a message. Anything uncertain is listed as ambiguous and ' +
      'never counts as lost. Reads one snapshot and, without --adopt, changes nothing. Message texts are hidden without --bodies.',
    examples: [
      [
        'wa-reconcile compare chat-export "WhatsApp Chat with Ana.zip" --contact +5511912345678',
        'one contact',
      ],
      [
        'wa-reconcile compare chat-export _chat.txt --contact +5511912345678 --me Shop --items lines.tsv',
        'list every line',
      ],
      [
        'wa-reconcile compare chat-export chat.txt --contact +5511912345678 --adopt',
        'store what only the phone has',
      ],
      [
        'wa-reconcile compare chat-export chat.txt --contact +5511912345678 --json | jq .lost',
        'for a program',
      ],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'the database has every message of the chat; ambiguous lines do not count',
      [EXIT.usage]:
        'wrong usage or configuration; no chat; contact, connection, side, zone or date order unclear',
      [EXIT.findings]: 'the phone has messages that the database lacks, also after --adopt',
      [EXIT.partial]: 'no line could be matched for certain: nothing is compared',
      [EXIT.interrupted]: 'interrupted; what --adopt had stored by then stays',
    },
  });
  attach(command, compareChatExport);
}

async function compareChatExport(call: Call): Promise<Outcome> {
  const [{ openItemsFile }, { chatItemLine, presentCompareChat }, { withContext }, { compareChat }] =
    await Promise.all([
      import('../items-file.js'),
      import('../views/compare-chat.js'),
      import('../session.js'),
      import('../../commands/compare-chat/compare-chat.js'),
    ]);
  const { options, items, actor: looker } = readOptions(call);
  const list = items === undefined ? undefined : await openItemsFile('--items', items, call.io);
  try {
    const session = {
      command: 'compare chat-export',
      actor: looker,
      interruptible: options.adopt === undefined ? null : 'batches',
      lock: options.adopt === undefined ? undefined : 'shared',
    } as const;
    const result = await withContext(call, session, (ctx) =>
      compareChat(ctx, { ...options, onItem: list && ((item) => list.line(chatItemLine(item))) }),
    );
    await list?.finish();
    return { presentation: presentCompareChat(result, call.argv), exitCode: exitCodeFor(result) };
  } finally {
    await list?.discard();
  }
}

function readOptions(call: Call): {
  options: CompareChatOptions;
  items: string | undefined;
  actor: string | undefined;
} {
  const { values, origin } = readFlags(FLAGS, call);
  const { items, tz, adopt, dryRun: isDry, as: looker, ...options } = values;
  if (isDry && !adopt) {
    throw contradiction(
      `${origin('dryRun').place} needs --adopt.`,
      'Without --adopt, compare stores nothing anyway.',
    );
  }
  rejectSamePlace(items, call.settings.output, origin('items'));
  return {
    options: {
      ...options,
      adopt: adopt ? { dryRun: isDry } : undefined,
      timeZone: tz,
      file: call.args[0] ?? '',
      cwd: call.io.cwd,
    },
    items,
    actor: looker,
  };
}

function exitCodeFor({ severity, status }: CompareChatResult): ExitCode {
  if (status === 'interrupted') return EXIT.interrupted;
  if (severity !== null) return EXIT.findings;
  return status === 'partial' ? EXIT.partial : EXIT.ok;
}
