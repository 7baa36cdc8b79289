import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plan } from './measure-target.js';
import type { Target } from './target.js';

const REPLAY = fileURLToPath(new URL('profile-replay.js', import.meta.url));
const SUMMARY = fileURLToPath(new URL('summarize-profile.js', import.meta.url));

/** Prints where the time of a replay goes: what each statement took, and which functions. The target is empty. */
export async function profile(target: Target, { log, directory, say }: Plan): Promise<void> {
  const { DATABASE_URL: url = '', WA_RECONCILE_HOME: home = '' } = target.env;
  const profiles = await mkdtemp(join(directory, 'profile-'));
  say(`${target.title}: replay, profiled`);
  process.stdout.write(`\n${target.title}\n`);
  await print([
    '--cpu-prof',
    `--cpu-prof-dir=${profiles}`,
    REPLAY,
    log,
    url === '' ? join(home, 'database') : url,
  ]);
  for (const file of await readdir(profiles)) await print([SUMMARY, join(profiles, file), '25']);
}

async function print(argv: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'inherit', 'inherit'] });
  await once(child, 'exit');
  if (child.exitCode !== 0) throw new Error(`${argv.join(' ')} ended with ${child.exitCode}`);
}
