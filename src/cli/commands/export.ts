import { stat } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { Argument, type Command } from 'commander';
import { ConfigError, EXIT } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { moment, toggle, zone } from '../flags/kinds.js';
import { actor, connection } from '../flags/shared.js';
import { contradiction, group, readFlags, rejectEmptyWindow, type Reading } from '../flags/table.js';
import type { Form, FormWriter, IndexWriter } from '../transcript/form.js';
import type { Target } from '../transcript/files.js';
import { exportVerdict, presentExport, type ExportResult } from '../views/export.js';

const FLAGS = {
  ...group('Which messages:', {
    all: toggle(
      'everybody’s: a directory with a file for each conversation, or one ndjson or csv',
    ).onlyTyped(),
    since: moment('sent at or after: 2026-11-03, 36h, 2d, 3w, yesterday'),
    until: moment('sent before'),
    connection: connection('only this connection; also distinguishes organizations'),
  }),
  ...group('How to write them:', {
    tz: zone('time zone for dates and for times in txt and html'),
    media: toggle('copy the files that media fetch has kept beside it').onlyTyped(),
    force: toggle('replace the file if it exists').onlyTyped(),
    as: actor(),
  }),
};

export function registerExport(parent: Command, attach: Attach): void {
  const command = parent
    .command('export')
    .addArgument(new Argument('[contact]', 'phone in any format, JID, LID, BSUID or lead id'));
  describe(command, {
    flags: FLAGS,
    summary: 'Write a contact’s messages, or everybody’s, to a file or a directory.',
    details:
      '--format html (one page for a browser or a printer), txt, csv or ndjson; else the ending of -o says it. txt and html are ' +
      'for people: by day, with edits and their earlier versions, revoked messages with what they said as far as it is known, ' +
      'replies, reactions, and the zone of each time. ndjson and csv have every field that is stored. All messages, oldest ' +
      'first, of one moment, whatever is stored meanwhile. What strangers wrote is harmless in every format: in csv all fields that hold something are quoted, and an apostrophe stands before each =, +, - ' +
      'and @ that would start a formula in a spreadsheet, whatever its separator: at the beginning of a cell and after white ' +
      'space, a comma, ; or |, with quotes and apostrophes in between; the same applies to the index.txt of a directory. ndjson has the exact text. -o FILE for one ' +
      'contact, -o DIR (new or empty) for several conversations; without -o, to stdout as txt. It appears whole or not at all, ' +
      'and only you can read it. The access is recorded first: runs list --access.',
    examples: [
      ['wa-reconcile export +5511912345678 -o ana.html', 'a transcript to read or print'],
      ['wa-reconcile export +5511912345678 -o ana.html --media', 'with its files in ana-media'],
      ['wa-reconcile export 123456789012345@lid --format ndjson | jq .body', 'as data'],
      ['wa-reconcile export --all --since 2026-01-01 --format html -o conversations/', 'everybody’s'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.usage]: 'wrong usage or configuration; contact unknown or ambiguous; the place is taken',
      [EXIT.partial]: 'all messages are exported, but some files are not here (--media)',
      [EXIT.interrupted]: 'interrupted; nothing was written',
    },
  });
  attach(command, exportCommand, { makes: ['page', 'text'], writesItself: true });
}

async function exportCommand(call: Call): Promise<Outcome> {
  const [{ withContext }, { exportMessages }, { openTranscript }] = await Promise.all([
    import('../session.js'),
    import('../../commands/export/export-messages.js'),
    import('../transcript/files.js'),
  ]);
  const reading = readFlags(FLAGS, call);
  const { values } = reading;
  const { contact, target, form } = await readPlace(call, reading);
  const isDirectory = target.kind === 'directory';
  const transcript = await openTranscript(
    {
      target,
      form,
      media: values.media,
      ...(await writersOf(form, {
        timeZone: values.tz,
        media: values.media,
        madeAt: new Date(call.io.clock()).toISOString(),
      })),
    },
    call.io,
  );
  try {
    const session = { command: 'export', interruptible: 'reading', actor: values.as } as const;
    const summary = await withContext(call, session, (ctx) =>
      exportMessages(
        ctx,
        {
          contact,
          connection: values.connection,
          from: values.since,
          to: values.until,
          separate: isDirectory,
        },
        transcript,
      ),
    );
    await transcript.finish();
    const result: ExportResult = {
      schemaVersion: 1,
      command: 'export',
      output: target.kind === 'stdout' ? null : resolve(call.io.cwd, target.path),
      form,
      ...summary,
      media: values.media ? transcript.files : null,
    };
    // There the export itself is the result.
    if (target.kind === 'stdout') call.notice(`${exportVerdict(result).text}.`);
    return {
      presentation: presentExport(result),
      isDelivered: target.kind === 'stdout',
      exitCode: transcript.files.missing > 0 ? EXIT.partial : EXIT.ok,
    };
  } finally {
    await transcript.discard();
  }
}

/** Whose messages, where to, and in which form. Throws ConfigError for what does not fit together. */
async function readPlace(
  call: Call,
  reading: Reading<typeof FLAGS>,
): Promise<{ contact: string | undefined; target: Target; form: Form }> {
  const { values, origin } = reading;
  const [contact] = call.args;
  rejectEmptyWindow(reading, 'since', 'until');
  if (values.all && contact !== undefined) {
    throw contradiction(`${origin('all').place} and a contact are given.`, 'Give one of them.');
  }
  if (!values.all && contact === undefined) {
    throw new ConfigError('Whose messages?', { remedy: 'Name a contact, or give --all.' });
  }
  const { output } = call.settings;
  const form = formOf(call, { isAll: values.all });
  const target = await targetOf(call, { output, isAll: values.all, force: values.force });
  if (target.kind !== 'directory' && values.all && (form === 'html' || form === 'txt')) {
    throw new ConfigError(`As ${form}, each conversation is a file of its own.`, {
      remedy: 'Name a new directory: -o DIR; or give --format ndjson or csv.',
    });
  }
  if (target.kind === 'stdout' && values.media) {
    throw contradiction(
      `${origin('media').place} puts files beside the export, which goes to stdout.`,
      'Name a file or a directory with -o.',
    );
  }
  return { contact, target, form };
}

const BY_ENDING: Readonly<Record<string, Form>> = {
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.csv': 'csv',
  '.txt': 'txt',
  '.html': 'html',
  '.htm': 'html',
};

/** As programs name files: not the end of `ana.2026-11-30`. */
const ENDING = /^\.[a-z]\w{0,4}$/i;

/**
 * `--format`, else the ending of `-o`; for a directory a page, for a terminal text. Throws ConfigError for any other format: a page in
 * a file `x.pdf` or `x.json` opens in no program.
 */
function formOf({ settings }: Call, { isAll }: { isAll: boolean }): Form {
  const { format, page, plain, output, origin } = settings;
  if (page) return 'html';
  if (plain) return 'txt';
  const ending = output === undefined ? '' : extname(output);
  const isNamed = ENDING.test(ending) && BY_ENDING[ending.toLowerCase()] === undefined && !isAll;
  if (isNamed && format !== 'ndjson' && format !== 'csv') {
    throw new ConfigError(`-o ${output ?? ''}: an export has no form that ends in ${ending}.`, {
      code: 'output_form',
      remedy: 'Name the file .html, .txt, .csv or .ndjson; or say with --format which of them it is.',
    });
  }
  switch (format) {
    case 'ndjson':
    case 'csv':
      return format;
    // As JSON, the result says what was exported; the file's name says its form.
    case 'json':
    case 'table': {
      const implied = output === undefined ? undefined : BY_ENDING[extname(output).toLowerCase()];
      if (format === 'table' && origin('format').from !== 'default') break;
      if (format === 'json' && (output === undefined || output === '-')) break;
      return implied ?? (output === undefined || output === '-' ? 'txt' : 'html');
    }
    case 'markdown':
    case 'openmetrics':
      break;
  }
  throw new ConfigError(`${origin('format').place} ${format}: an export has another form.`, {
    remedy: 'Give ndjson, csv, txt or html; with -o FILE, json says what was exported.',
  });
}

/** A directory where the name is one: it is there, ends with a slash, or has no ending. Throws ConfigError for a file that is there. */
async function targetOf(
  { io }: Call,
  { output, isAll, force }: { output: string | undefined; isAll: boolean; force: boolean },
): Promise<Target> {
  if (output === undefined || output === '-') return { kind: 'stdout' };
  const there = await stat(resolve(io.cwd, output)).catch(() => undefined);
  if (there?.isFile() === true && !force) {
    throw new ConfigError(`-o ${output}: this file exists.`, {
      code: 'output_exists',
      remedy: 'Name another file, or give --force to replace it.',
    });
  }
  const isDirectory =
    there?.isDirectory() ??
    (/[/\\]$/.test(output) || (isAll && BY_ENDING[extname(output).toLowerCase()] === undefined));
  return { kind: isDirectory ? 'directory' : 'file', path: output };
}

interface WriterOptions {
  timeZone: string;
  media: boolean;
  madeAt: string;
}

async function writersOf(
  form: Form,
  options: WriterOptions,
): Promise<{ writer: () => FormWriter; index: () => IndexWriter }> {
  switch (form) {
    case 'html': {
      const { htmlIndex, htmlWriter } = await import('../transcript/html.js');
      return { writer: () => htmlWriter(options), index: () => htmlIndex(options) };
    }
    case 'txt': {
      const [{ textIndex, textWriter }, { csvText }] = await Promise.all([
        import('../transcript/text.js'),
        import('../ui/csv.js'),
      ]);
      return { writer: () => textWriter(options), index: () => textIndex(csvText) };
    }
    case 'csv': {
      const [{ csvIndex, csvWriter }, { csvText }] = await Promise.all([
        import('../transcript/data.js'),
        import('../ui/csv.js'),
      ]);
      return { writer: () => csvWriter(csvText), index: () => csvIndex(csvText) };
    }
    case 'ndjson': {
      const { ndjsonIndex, ndjsonWriter } = await import('../transcript/data.js');
      return { writer: ndjsonWriter, index: ndjsonIndex };
    }
  }
}
