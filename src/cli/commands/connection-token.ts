import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { Argument, type Command } from 'commander';
import { ConfigError, EXIT } from '../../model/errors.js';
import { holdsToken } from '../../model/hidden-tokens.js';
import { remedy } from '../../model/remedy.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { nothingPiped, readTextFile } from '../environment.js';
import { property, toggle } from '../flags/kinds.js';
import { readFlags } from '../flags/table.js';
import { TOKEN_TYPED, TOKEN_WAS_TYPED } from '../typed-token.js';
import { presentRekey, presentToken } from '../views/graph-token.js';
import { ORGANIZATION } from './connection-options.js';

const FLAGS = {
  file: property('file', 'read the token from a file, or from standard input: -'),
  remove: toggle('forget the stored token').onlyTyped(),
  rekey: property('file', 're-encrypt everything with the new secret key in a file, or from -'),
  ...ORGANIZATION,
};

export function registerConnectionToken(parent: Command, attach: Attach): void {
  const command = describe(
    parent
      .command('token')
      .addArgument(new Argument('[connection]', 'its name, id, phone_number_id or phone; none with --rekey')),
    {
      flags: FLAGS,
      summary: 'Store or remove the access token of a connection for Meta’s Graph API.',
      details:
        'The token is encrypted with WA_RECONCILE_SECRET_KEY, and no command shows it. It is never taken from the command line, ' +
        'which every user of the machine can read. WA_RECONCILE_GRAPH_TOKEN is used without being stored, in the place of stored ones. ' +
        '--rekey takes tokens, linked devices and saved URLs over to another secret key: WA_RECONCILE_SECRET_KEY is then still the old one. ' +
        'It should be the token of a system user, with whatsapp_business_management and whatsapp_business_messaging.',
      examples: [
        ['wa-reconcile connection token main --file token.txt', 'from a file'],
        ['pass meta/token | wa-reconcile connection token main --file -', 'from another program'],
        ['wa-reconcile connection token main --remove', 'forget it'],
        ['wa-reconcile connection token --rekey new-key.txt', 'a new secret key for everything'],
      ],
      exits: {
        ...DATABASE_EXITS,
        [EXIT.usage]:
          'wrong usage or configuration; no such connection; the secret key is missing or another',
      },
    },
  );
  attach(command, token);
}

async function token(call: Call): Promise<Outcome> {
  const { file, remove, organization, rekey } = readFlags(FLAGS, call).values;
  const [reference] = call.args;
  if (rekey !== undefined) {
    if (reference === undefined && file === undefined && !remove) return changeKey(call, rekey);
    throw new ConfigError(
      '--rekey is about everything that is encrypted: it takes no connection, --file or --remove.',
      {
        code: 'contradiction',
        remedy: 'Give it alone.',
      },
    );
  }
  if (reference === undefined) {
    throw new ConfigError('The connection is missing.', {
      code: 'usage',
      remedy: remedy('connection list', [], 'lists them'),
    });
  }
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
  const typed = await readSecret(call, file, '--file', 'the access token, as Meta shows it.');
  const secretKey = readSecretKey(call.environment, call.io.cwd);
  const result = await withContext(call, session, (ctx) =>
    storeToken(ctx, reference, typed, { secretKey, organization }),
  );
  return { presentation: presentToken(result), exitCode: EXIT.ok };
}

/** Re-encrypts everything with another secret key. */
async function changeKey(call: Call, file: string): Promise<Outcome> {
  const [{ withContext }, { readSecretKey }, { missingSecretKey, SecretKey }, { rekey }] = await Promise.all([
    import('../session.js'),
    import('../device-options.js'),
    import('../../commands/devices/secret-key.js'),
    import('../../commands/rekey/rekey.js'),
  ]);
  const { text, place } = await readSecret(call, file, '--rekey', '32 bytes in base64.');
  const to = SecretKey.parse(text, place);
  const from = readSecretKey(call.environment, call.io.cwd);
  if (from === null) throw missingSecretKey('what is to be taken over');
  if (from.equals(to)) {
    throw new ConfigError('The new secret key is the old one.', {
      code: 'usage',
      remedy:
        'Create another with `openssl rand -base64 32`; WA_RECONCILE_SECRET_KEY is the old one until this has ended.',
    });
  }
  const result = await withContext(call, { command: 'connection token', lock: 'exclusive' }, (ctx) =>
    rekey(ctx, from, to),
  );
  return { presentation: presentRekey(result), exitCode: EXIT.ok };
}

/** The content of a file, or of a pipe. `flag` names it; `holds` describes the expected content. */
async function readSecret(
  { io }: Call,
  file: string,
  flag: string,
  holds: string,
): Promise<{ text: string; place: string }> {
  if (holdsToken(file) && !existsSync(resolve(io.cwd, file))) {
    throw new ConfigError(`${flag} takes the name of a file, and an access token was given.`, {
      code: TOKEN_TYPED,
      remedy: [TOKEN_WAS_TYPED],
    });
  }
  if (file !== '-') {
    const path = resolve(io.cwd, file);
    return { text: readTextFile(path, flag, { holds, code: 'token_file_unreadable' }), place: path };
  }
  if (io.stdinIsTTY) {
    throw nothingPiped(`${flag} - reads`, 'Pipe it in, or name a file.');
  }
  return { text: await readAll(io.stdin), place: 'standard input' };
}
