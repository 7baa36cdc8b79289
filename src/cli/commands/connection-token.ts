import { resolve } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import type { Command } from 'commander';
import { ConfigError, EXIT } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { readTextFile } from '../environment.js';
import { property, toggle } from '../flags/kinds.js';
import { readFlags } from '../flags/table.js';
import { presentToken } from '../views/graph-token.js';
import { ORGANIZATION, referenceArgument } from './connection-options.js';

const FLAGS = {
  file: property('file', 'read the token from a file, or from standard input: -'),
  remove: toggle('forget the stored token').onlyTyped(),
  ...ORGANIZATION,
};

export function registerConnectionToken(parent: Command, attach: Attach): void {
  const command = describe(parent.command('token').addArgument(referenceArgument()), {
    flags: FLAGS,
    summary: 'Store or remove the access token of a connection for Meta’s Graph API.',
    details:
      'The token is encrypted with WA_RECONCILE_SECRET_KEY, and no command shows it. It is never taken from the command line, ' +
      'which every user of the machine can read. WA_RECONCILE_GRAPH_TOKEN is used without being stored, in the place of stored ones. ' +
      'It should be the token of a system user, with whatsapp_business_management and whatsapp_business_messaging.',
    examples: [
      ['wa-reconcile connection token main --file token.txt', 'from a file'],
      ['pass meta/token | wa-reconcile connection token main --file -', 'from another program'],
      ['wa-reconcile connection token main --remove', 'forget it'],
    ],
    exits: {
      ...DATABASE_EXITS,
      [EXIT.usage]: 'wrong usage or configuration; no such connection; the secret key is missing or another',
    },
  });
  attach(command, token);
}

async function token(call: Call): Promise<Outcome> {
  const { file, remove, organization } = readFlags(FLAGS, call).values;
  const reference = call.args[0] ?? '';
  if ((file === undefined) === !remove) {
    throw new ConfigError(
      remove ? '--file and --remove contradict each other.' : 'Where the token is was not given.',
      {
        code: remove ? 'contradiction' : 'missing_flag',
        remedy: [
          'Name the file that holds it, or - for standard input:',
          remedy('connection token', [reference, '--file', 'FILE'], 'stores the token, encrypted'),
        ],
      },
    );
  }
  const [{ withContext }, { readSecretKey }, { removeToken, storeToken }] = await Promise.all([
    import('../session.js'),
    import('../device-options.js'),
    import('../../commands/graph/token.js'),
  ]);
  const session = { command: 'connection token', lock: 'shared' } as const;
  if (file === undefined) {
    const result = await withContext(call, session, (ctx) => removeToken(ctx, reference, organization));
    return { presentation: presentToken(result), exitCode: EXIT.ok };
  }
  const typed = await readToken(call, file);
  const secretKey = readSecretKey(call.environment, call.io.cwd);
  const result = await withContext(call, session, (ctx) =>
    storeToken(ctx, reference, typed, { secretKey, organization }),
  );
  return { presentation: presentToken(result), exitCode: EXIT.ok };
}

async function readToken({ io }: Call, file: string): Promise<{ text: string; place: string }> {
  if (file !== '-') {
    const path = resolve(io.cwd, file);
    const text = readTextFile(path, '--file', {
      holds: 'the access token, as Meta shows it.',
      code: 'token_file_unreadable',
    });
    return { text, place: path };
  }
  if (io.stdinIsTTY) {
    throw new ConfigError('- reads the token from standard input, but nothing is piped into it.', {
      code: 'stdin_is_terminal',
      remedy: 'Pipe it in, or name a file.',
    });
  }
  return { text: await readAll(io.stdin), place: 'standard input' };
}
