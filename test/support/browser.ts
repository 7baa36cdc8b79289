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

/** Starts Chromium: WA_TEST_CHROMIUM, else the system's, else the one that npm brought. The caller closes it. */
export async function startBrowser(): Promise<Browser> {
  const named = process.env.WA_TEST_CHROMIUM;
  const installed =
    named !== undefined && named !== '' ? named : existsSync(INSTALLED) ? INSTALLED : undefined;
  if (installed !== undefined) return chromium.launch({ executablePath: installed, args: ARGUMENTS });
  // It unpacks the libraries that it needs, which a bare machine lacks, for this platform's sake only.
  process.env.AWS_LAMBDA_JS_RUNTIME ??= 'nodejs20.x';
  const { default: packed } = await import('@sparticuz/chromium');
  return chromium.launch({
    executablePath: await packed.executablePath(),
    args: [...packed.args, ...ARGUMENTS],
  });
}
