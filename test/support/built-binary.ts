import { chmod, copyFile, mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build as bundle } from 'rolldown';
import { inject } from 'vitest';
import { codeOf } from '../../rolldown.config.js';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const TIMEOUT_MS = 120_000;

/**
 * The command as `npm run build` makes it, laid out as in the installed package: the path of its bin file. Compiled anew
 * once per run of the tests, by whichever file asks first: a `dist/` that is older than the sources, or that somebody
 * rebuilds meanwhile, would be a test of something else.
 */
export function builtBinary(): Promise<string> {
  return (built ??= build(join(inject('databases').directory, 'built')));
}

let built: Promise<string> | undefined;

async function build(target: string): Promise<string> {
  const part = `${target}.part`;
  const binary = join(target, 'dist', 'bin', 'wa-reconcile.js');
  if (!(await isFirst(`${target}.claim`))) return waitFor(target, binary);
  try {
    await mkdir(part);
    await bundle(codeOf(join(part, 'dist')));
    await symlink(join(ROOT, 'node_modules'), join(part, 'node_modules'));
    await symlink(join(ROOT, 'prisma'), join(part, 'prisma'));
    await copyFile(join(ROOT, 'package.json'), join(part, 'package.json'));
    await chmod(join(part, 'dist', 'bin', 'wa-reconcile.js'), 0o755);
    await rename(part, target);
    return binary;
  } catch (error) {
    await writeFile(`${target}.error`, String(error));
    throw error;
  }
}

/** Of several workers one makes the directory, which stays. */
async function isFirst(directory: string): Promise<boolean> {
  return mkdir(directory).then(
    () => true,
    () => false,
  );
}

async function waitFor(target: string, binary: string): Promise<string> {
  const deadline = Date.now() + TIMEOUT_MS;
  for (;;) {
    if ((await readFile(binary).catch(() => undefined)) !== undefined) return binary;
    const failure = await readFile(`${target}.error`, 'utf8').catch(() => undefined);
    if (failure !== undefined) throw new Error(failure);
    if (Date.now() > deadline) throw new Error('the command was not built within two minutes');
    await delay(100);
  }
}
