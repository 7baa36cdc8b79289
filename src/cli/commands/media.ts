import { join, resolve } from 'node:path';
import { Argument, type Command } from 'commander';
import { LISTED_STATES, MEDIA_TYPES, type MediaSelection } from '../../commands/media/types.js';
import { EXIT } from '../../model/errors.js';
import type { JsonObject } from '../../model/json.js';
import type { Attach, Call, Outcome } from '../call.js';
import { chooseDatabase, chooseHome } from '../choose-database.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { exitCodeOf } from '../exit.js';
import { choice, integer, moment, size, text, toggle, zone } from '../flags/kinds.js';
import { dryRun, graphVersion } from '../flags/shared.js';
import {
  contradiction,
  group,
  readFlags,
  rejectEmptyWindow,
  type Reading,
  type Values,
} from '../flags/table.js';
import { presentMediaFetch, presentMediaStatus } from '../views/media.js';
import { ORGANIZATION } from './connection-options.js';

const WHICH = {
  contact: text(
    'contact',
    'only files of this contact: phone, JID, LID, BSUID, lead id',
    'a contact',
  ).onlyTyped(),
  type: choice('type', MEDIA_TYPES, `only files of such messages: ${MEDIA_TYPES.join(', ')}`).onlyTyped(),
  since: moment('only files of messages since then').onlyTyped(),
  until: moment('only files of messages before then').onlyTyped(),
  tz: zone('the zone of a time without one'),
  minSize: size('only files of this size or larger').onlyTyped(),
  maxSize: size('only files of this size or smaller; files of unknown size are requested').onlyTyped(),
};

/** Only the flags of its own under the heading: the organization's is every command's. */
const SELECTION = { ...group('Which files:', WHICH), ...ORGANIZATION };

const FETCH_FLAGS = {
  ...SELECTION,
  to: text('dir', 'the directory to keep the files in', 'a directory').otherwise('media, in the home'),
  concurrency: integer(1, 16, 'how many files to fetch at a time').default('4'),
  maxBytes: size('start no more downloads after this many bytes').onlyTyped(),
  again: toggle('ask also for what was refused, wrong or should be gone; read the kept files').onlyTyped(),
  dryRun: dryRun('count what would be fetched, without requests'),
  graphVersion: graphVersion(),
};

const STATUS_FLAGS = {
  ...SELECTION,
  files: choice(
    'files',
    LISTED_STATES,
    `list each file, and when it expires; those in one state, or all: ${LISTED_STATES.join(', ')}`,
  ).onlyTyped(),
};

function connectionArgument(): Argument {
  return new Argument('[connection]', 'its name, id, phone_number_id or phone (default: all in use)');
}

export function registerMediaFetch(parent: Command, attach: Attach): void {
  const command = describe(parent.command('fetch').addArgument(connectionArgument()), {
    flags: FETCH_FLAGS,
    summary: 'Fetch the files that messages name before Meta forgets them.',
    details:
      'Meta keeps a file for 7 days after its webhook, so run this every night. The soonest to expire come first; what is here ' +
      'already is not asked for again, and equal files are kept once, as DIR/ab/abcdef….jpg by their SHA-256, which is checked. A ' +
      'run that is stopped or killed goes on with the next one. A kept file that is gone from DIR, or has another size, is owed again; ' +
      'with --again its SHA-256 is compared, too. The sizes are known only when Meta is asked. Files of WhatsApp Web ' +
      'come from WhatsApp’s own host with the keys that their messages hold, without a token or a linked device. WhatsApp keeps ' +
      'them for some weeks and does not say how long; after that, only the phone may still have it. HTTPS_PROXY and NO_PROXY ' +
      'are honored.',
    examples: [
      ['wa-reconcile media fetch', 'every night, from cron'],
      ['wa-reconcile media fetch main --type image --since 2d --to /srv/media', 'images of two days'],
      [
        'wa-reconcile media fetch --contact +5511912345678 --max-size 20MB',
        'of one person, without long videos',
      ],
      ['wa-reconcile media fetch --dry-run', 'how many are there?'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'everything that Meta still has is here, or as much as --max-bytes allows',
      [EXIT.failure]: 'a connection could not be asked, or no file can be written',
      [EXIT.usage]:
        'wrong usage or configuration; no such connection or contact; the secret key is missing or another',
      [EXIT.partial]: 'Meta limits requests for now, or some files failed: the next run continues',
      [EXIT.interrupted]: 'interrupted; what was fetched stays',
    },
  });
  attach(command, fetchFiles);
}

export function registerMediaStatus(parent: Command, attach: Attach): void {
  const command = describe(parent.command('status').addArgument(connectionArgument()), {
    flags: STATUS_FLAGS,
    summary: 'Show how many files are here, owed, expired or refused, and when the next one expires.',
    details:
      'A database tool finds the same, file by file, in the view media_status: connection_id, media_id, message_id, state, expires_at, …',
    examples: [
      ['wa-reconcile media status', 'all connections'],
      ['wa-reconcile media status --files owed', 'each file that is to be fetched, soonest to expire first'],
      ['wa-reconcile media status --files all -o media.csv', 'every file, for a spreadsheet'],
    ],
    exits: { ...DATABASE_EXITS, [EXIT.usage]: 'wrong usage or configuration; no such connection or contact' },
  });
  attach(command, showStatus);
}

async function fetchFiles(call: Call): Promise<Outcome> {
  const [{ withContext }, { readGraphAccess }, { fetchMedia }, { webFiles }] = await Promise.all([
    import('../session.js'),
    import('../graph-options.js'),
    import('../../commands/media/fetch-media.js'),
    import('../../commands/media/web-files.js'),
  ]);
  const reading = readFlags(FETCH_FLAGS, call);
  rejectEmptyChoice(reading);
  const { values, recorded } = reading;
  const { settings, environment, io } = call;
  const [connection] = call.args;
  const access = readGraphAccess(call, values.graphVersion);
  const options = {
    ...selectionOf(call, values),
    access,
    web: webFiles(access.place.proxy),
    database: chooseDatabase(settings, environment, io).config,
    lockWaitMs: settings.lockWait,
    to:
      values.to === undefined
        ? join(chooseHome(settings, environment, io).path, 'media')
        : resolve(io.cwd, values.to),
    concurrency: values.concurrency,
    maxBytes: values.maxBytes,
    again: values.again,
    dryRun: values.dryRun,
    recordedOptions: { ...withoutContact(recorded), ...(connection === undefined ? {} : { connection }) },
  };
  const session = { command: 'media fetch', lock: 'shared', interruptible: 'batches' } as const;
  const result = await withContext(call, session, (ctx) => fetchMedia(ctx, options));
  return {
    presentation: presentMediaFetch(result),
    exitCode: result.status === 'planned' ? EXIT.ok : exitCodeOf(result.status),
  };
}

async function showStatus(call: Call): Promise<Outcome> {
  const [{ withContext }, { mediaStatus }] = await Promise.all([
    import('../session.js'),
    import('../../commands/media/status.js'),
  ]);
  const reading = readFlags(STATUS_FLAGS, call);
  rejectEmptyChoice(reading);
  const result = await withContext(call, { command: 'media status' }, (ctx) =>
    mediaStatus(ctx, { ...selectionOf(call, reading.values), files: reading.values.files }),
  );
  return { presentation: presentMediaStatus(result), exitCode: EXIT.ok };
}

function selectionOf(call: Call, values: Values<typeof SELECTION>): MediaSelection {
  const { contact, organization, type, since, until, minSize, maxSize } = values;
  return { connection: call.args[0], contact, organization, type, since, until, minSize, maxSize };
}

/** Throws ConfigError if no file can match. */
function rejectEmptyChoice(reading: Reading<typeof SELECTION>): void {
  rejectEmptyWindow(reading, 'since', 'until');
  const { minSize, maxSize } = reading.values;
  if (minSize === undefined || maxSize === undefined || minSize <= maxSize) return;
  throw contradiction('--min-size is more than --max-size: no file would be meant.', 'Exchange them.');
}

/** A number is private: the run records the lead's id instead. */
function withoutContact(recorded: Reading<typeof FETCH_FLAGS>['recorded']): JsonObject {
  return Object.fromEntries(Object.entries(recorded).filter(([key]) => key !== 'contact'));
}
