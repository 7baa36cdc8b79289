import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { inject } from 'vitest';

/** Nothing of the browser's own may go to the network while a page is watched for requests. */
const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const INSTALLED = '/usr/bin/chromium';

/**
 * Starts Chromium: WA_TEST_CHROMIUM (a path, or `npm`), else the system's, else the one that npm brought. The caller closes it.
 */
export async function startBrowser(): Promise<Browser> {
  const named = process.env.WA_TEST_CHROMIUM ?? (existsSync(INSTALLED) ? INSTALLED : 'npm');
  const installed = named === 'npm' ? undefined : named;
  if (installed !== undefined) return chromium.launch({ executablePath: installed, args: ARGUMENTS });
  const { args, path } = await unpack();
  return chromium.launch({
    executablePath: path,
    // In one process the whole browser ends with the first context that is closed.
    args: [...args.filter((argument) => argument !== '--single-process'), ...ARGUMENTS],
  });
}

/**
 * Unpacks the browser, and the libraries that a bare machine lacks, into the directory of this run, which goes with the run. In
 * the temporary directory of all runs 190 MB would stay for good, often in memory, and one run would start what another still
 * writes.
 */
async function unpack(): Promise<{ args: string[]; path: string }> {
  // It brings libraries for this platform's sake only.
  process.env.AWS_LAMBDA_JS_RUNTIME ??= 'nodejs20.x';
  const before = process.env.TMPDIR;
  process.env.TMPDIR = inject('databases').directory;
  try {
    const { default: packed } = await import('@sparticuz/chromium');
    const unpacked = { args: packed.args, path: await packed.executablePath() };
    await findFonts(path.join(process.env.TMPDIR, 'fonts'));
    return unpacked;
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
}

/** Its list of fonts names only the usual temporary directory: without any font, a page crashes. */
async function findFonts(directory: string): Promise<void> {
  const list = path.join(directory, 'fonts.conf');
  const known = await readFile(list, 'utf8');
  await writeFile(list, known.replaceAll('/tmp/fonts', directory));
}
