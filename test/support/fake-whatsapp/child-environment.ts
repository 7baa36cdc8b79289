import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { transformWithOxc } from 'vite';
import { inject } from 'vitest';
import type { FakeWhatsApp } from './server.js';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, '..', '..', '..');
const PRELOADED = ['preload', 'media-dispatcher', 'certificate'];

/**
 * What to add to the environment of a child process so that the program in it, as it is, downloads from this fake server and
 * trusts its certificates. To leave Baileys unloaded until the program loads it, pass `trust: false`: 7.0.0-rc14 accepts any
 * certificate.
 */
export async function childEnvironment(
  { httpUrl, rootPublicKey }: FakeWhatsApp,
  { trust = true }: { trust?: boolean } = {},
): Promise<Record<string, string>> {
  return {
    NODE_OPTIONS: `--import=${await compilePreload()}`,
    FAKE_WHATSAPP_HTTP: httpUrl,
    ...(trust && { FAKE_WHATSAPP_ROOT: rootPublicKey.toString('hex') }),
  };
}

let compiled: Promise<string> | undefined;

/** The preload as JavaScript, which Node 20 can run, in the directory of this run. */
function compilePreload(): Promise<string> {
  return (compiled ??= compile());
}

async function compile(): Promise<string> {
  const directory = await mkdtemp(join(inject('databases').directory, 'preload-'));
  try {
    for (const name of PRELOADED) {
      const source = join(HERE, `${name}.ts`);
      const { code } = await transformWithOxc(await readFile(source, 'utf8'), source, { target: 'es2023' });
      await writeFile(join(directory, `${name}.js`), code);
    }
    await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
    await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
    return pathToFileURL(join(directory, 'preload.js')).href;
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}
