import { join, resolve } from 'node:path';
import { Argument, type Command } from 'commander';
import { EXIT } from '../../model/errors.js';
import type { Attach, Call, Outcome } from '../call.js';
import { chooseDatabase, chooseHome } from '../choose-database.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { exitCodeOf } from '../exit.js';
import { integer, moment, size, text, toggle, zone } from '../flags/kinds.js';
import { dryRun, graphVersion } from '../flags/shared.js';
import { group, readFlags } from '../flags/table.js';
import { presentMediaFetch, presentMediaStatus } from '../views/media.js';
import { ORGANIZATION } from './connection-options.js';

const WHICH = {
  type: text('type', 'only files of such messages: image, video, audio, document, sticker').onlyTyped(),
  since: moment('only files of messages since then').onlyTyped(),
  until: moment('only files of messages before then').onlyTyped(),
  tz: zone('the zone of a time without one'),
  ...ORGANIZATION,
};

const FETCH_FLAGS = {
  ...group('Which files:', WHICH),
  to: text('dir', 'the directory to keep the files in', 'a directory').otherwise('media, in the home'),
  concurrency: integer(1, 16, 'how many files to fetch at a time').default('4'),
  maxBytes: size('begin no file more once so much has come').onlyTyped(),
  again: toggle('ask also for what was refused, was wrong or should be gone').onlyTyped(),
  dryRun: dryRun('count what would be fetched, and ask nobody'),
  graphVersion: graphVersion(),
};

const STATUS_FLAGS = { ...group('Which files:', WHICH) };

function connectionArgument(): Argument {
  return new Argument('[connection]', 'its name, id, phone_number_id or phone (default: all in use)');
}

export function registerMediaFetch(parent: Command, attach: Attach): void {
  const command = describe(parent.command('fetch').addArgument(connectionArgument()), {
    flags: FETCH_FLAGS,
    summary: 'Fetch the files that messages name before Meta forgets them.',
    details:
      'Meta keeps a file for 7 days after its webhook, so this is for every night. The soonest to expire come first; what is here ' +
      'already is not asked for again, and equal files are kept once, as DIR/ab/abcdef….jpg by their SHA-256, which is checked. A ' +
      'run that is stopped or killed goes on with the next one. The sizes are known only when Meta is asked. Files of WhatsApp Web ' +
      'are not fetched: where their address is over, only the phone can send them again, to a device that is connected.',
    examples: [
      ['wa-reconcile media fetch', 'every night, from cron'],
      ['wa-reconcile media fetch main --type image --since 2d --to /srv/media', 'images of two days'],
      ['wa-reconcile media fetch --dry-run', 'how many are there?'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.ok]: 'everything that Meta still has is here, or as much as --max-bytes lets',
      [EXIT.failure]: 'a connection could not be asked, or no file can be written',
      [EXIT.usage]: 'wrong usage or configuration; no such connection; the secret key is missing or another',
      [EXIT.partial]: 'Meta takes no more requests for now, or some files failed: the next run goes on',
      [EXIT.interrupted]: 'interrupted; what was fetched stays',
    },
  });
  attach(command, fetchFiles);
}

export function registerMediaStatus(parent: Command, attach: Attach): void {
  const command = describe(parent.command('status').addArgument(connectionArgument()), {
    flags: STATUS_FLAGS,
    summary: 'Show how many files are here, owed, expired or refused, and when the next one expires.',
    examples: [['wa-reconcile media status', 'all connections']],
    exits: { ...DATABASE_EXITS, [EXIT.usage]: 'wrong usage or configuration; no such connection' },
  });
  attach(command, showStatus);
}

async function fetchFiles(call: Call): Promise<Outcome> {
  const [{ withContext }, { readGraphAccess }, { fetchMedia }] = await Promise.all([
    import('../session.js'),
    import('../graph-options.js'),
    import('../../commands/media/fetch-media.js'),
  ]);
  const { values } = readFlags(FETCH_FLAGS, call);
  const { settings, environment, io } = call;
  const options = {
    connection: call.args[0],
    organization: values.organization,
    type: values.type,
    since: values.since,
    until: values.until,
    access: readGraphAccess(call, values.graphVersion),
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
  const { values } = readFlags(STATUS_FLAGS, call);
  const { organization, type, since, until } = values;
  const result = await withContext(call, { command: 'media status' }, (ctx) =>
    mediaStatus(ctx, { connection: call.args[0], organization, type, since, until }),
  );
  return { presentation: presentMediaStatus(result), exitCode: EXIT.ok };
}
