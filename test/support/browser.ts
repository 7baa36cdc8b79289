import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

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
  // It unpacks the libraries that it needs, which a bare machine lacks, for this platform's sake only.
  process.env.AWS_LAMBDA_JS_RUNTIME ??= 'nodejs20.x';
  const { default: packed } = await import('@sparticuz/chromium');
  return chromium.launch({
    executablePath: await packed.executablePath(),
    // In one process the whole browser ends with the first context that is closed.
    args: [...packed.args.filter((argument) => argument !== '--single-process'), ...ARGUMENTS],
  });
}
