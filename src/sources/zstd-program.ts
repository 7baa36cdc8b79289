import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ConfigError } from '../model/errors.js';
import { toBuffer } from './chunk-reader.js';
import { DamagedInputError } from './damaged-input.js';

/** Decompresses with the `zstd` program, for a Node that has no zstd of its own. Throws a ConfigError if it is not installed. */
export async function* unzstdWithProgram(
  chunks: AsyncIterable<Buffer>,
  program = 'zstd',
): AsyncGenerator<Buffer, void, undefined> {
  const child = spawn(program, ['-dcq'], { stdio: ['pipe', 'pipe', 'pipe'] });
  const started = once(child, 'spawn').catch((cause: unknown) => {
    throw new ConfigError(
      'This Node cannot read zstd-compressed files, and the program zstd was not found.',
      {
        remedy: 'Install zstd (apt install zstd, brew install zstd), or use Node 22.15 or newer.',
        cause,
      },
    );
  });
  await started;
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(0, 500);
  });
  const exited = once(child, 'exit');
  let sourceError: Error | undefined;
  const source = Readable.from(chunks, { highWaterMark: 1 });
  source.once('error', (error: Error) => {
    sourceError = error;
  });
  // Where zstd stops early, writing to it fails; its exit status says why.
  const fed = pipeline(source, child.stdin).catch(() => undefined);
  let finished = false;
  try {
    for await (const chunk of child.stdout) yield toBuffer(chunk);
    await exited;
    finished = true;
  } finally {
    if (!finished) child.kill('SIGKILL');
    source.destroy();
    await Promise.all([fed, exited]);
  }
  if (sourceError !== undefined) throw sourceError;
  if (child.exitCode !== 0) throw new DamagedInputError(describeComplaint(complaint));
}

function describeComplaint(complaint: string): string {
  if (/premature end|unexpected end/i.test(complaint)) return 'the zstd data ends early';
  const detail =
    complaint
      .replace(/^zstd: \S+ : /, '')
      .trim()
      .split('\n')[0] ?? '';
  return `the zstd data is damaged (${detail})`;
}
