import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { main } from '../../src/cli/main.js';
import type { Remedy } from '../../src/model/remedy.js';

/** Words that stand for a file in advice; they exist where it is tried. */
const FILES = ['LOG', 'FILE'];

/** A server that nobody runs: whoever gets as far as asking it has understood the whole line. */
const NOWHERE = 'postgresql://nobody@127.0.0.1:9/nothing';

/** How a line ends that was understood: at the database, at a file that is not here, or at a question nobody answers. */
const UNDERSTOOD = /^(database_\w+|secret_key_\w+|missing_flag|confirmation_required)$/;
const NO_FILE =
  /^(There is no file or directory|No file matches|\S+: .* cannot be read \(ENOENT\)|--from-file \S+ cannot be read \(ENOENT\))/;

class Text extends Writable {
  text = '';

  override _write(chunk: Buffer | string, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/**
 * Tries each command with the tool's own command line, up to the moment at which it would ask a database. Gives what is wrong
 * with them: a command or a flag that does not exist, a value that no schema takes, arguments that contradict each other.
 */
export async function complaintsAbout(remedies: readonly Remedy[]): Promise<string[]> {
  const cwd = await mkdtemp(join(tmpdir(), 'wa-reconcile-remedies-'));
  try {
    for (const name of FILES) await writeFile(join(cwd, name), '+5511912345678\n');
    const complaints: string[] = [];
    for (const remedy of remedies) {
      const complaint = await complaintAbout(remedy, cwd);
      if (complaint !== undefined) complaints.push(complaint);
    }
    return complaints;
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

async function complaintAbout({ command, args, why }: Remedy, cwd: string): Promise<string | undefined> {
  const argv = [...command.split(' '), ...args];
  const line = argv.join(' ');
  if (why === '') return `${line}: does not say why`;
  const stderr = new Text();
  const code = await main([...withJson(argv)], {
    stdin: Readable.from([]),
    stdout: new Text(),
    stderr,
    stdinIsTTY: false,
    stdoutIsTTY: false,
    stderrIsTTY: false,
    columns: undefined,
    env: { DATABASE_URL: NOWHERE, WA_RECONCILE_SECRET_KEY: Buffer.alloc(32, 1).toString('base64') },
    cwd,
    homeDirectory: cwd,
    user: 'tester',
    host: 'test-host',
    pid: process.pid,
    startedAt: 0,
    clock: Date.now,
    onSignal: () => () => undefined,
    quit: () => undefined,
  });
  // The doctor finds things wrong with this place, inspect with the file, and they say so as their result.
  if (code === 0 || (command === 'doctor' && code === 1) || (command === 'inspect' && code === 4))
    return undefined;
  const { error } = parseError(stderr.text);
  if (UNDERSTOOD.test(error.code) || NO_FILE.test(error.message)) return undefined;
  return `${line}: ${error.message}`;
}

/** Errors as JSON, unless the line says otherwise how it wants its result. */
function withJson(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--');
  if (argv.some((word) => word === '--json' || word.startsWith('--format'))) return argv;
  return end === -1 ? [...argv, '--json'] : [...argv.slice(0, end), '--json', ...argv.slice(end)];
}

function parseError(text: string): { error: { code: string; message: string } } {
  const [line = ''] = text.trim().split('\n').slice(-1);
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed === 'object' && parsed !== null && 'error' in parsed) {
      const { error } = parsed;
      if (typeof error === 'object' && error !== null && 'code' in error && 'message' in error) {
        return { error: { code: String(error.code), message: String(error.message) } };
      }
    }
  } catch {
    // Said in words, as under --format csv.
  }
  const code = text.includes('No PostgreSQL answers') ? 'database_unreachable' : 'unknown';
  return { error: { code, message: text } };
}
