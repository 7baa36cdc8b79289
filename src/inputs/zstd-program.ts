import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ConfigError } from '../model/errors.js';
import { notingError, toBuffer } from './chunk-reader.js';
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
  const note: { error?: Error } = {};
  const source = Readable.from(notingError(chunks, note), { highWaterMark: 1 });
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
  if (note.error !== undefined) throw note.error;
  if (child.exitCode !== 0) throw describeComplaint(complaint);
}

function describeComplaint(complaint: string): DamagedInputError {
  if (/premature end|unexpected end/i.test(complaint)) {
    return new DamagedInputError('the zstd data ends early', true);
  }
  const [detail = ''] = complaint
    .replace(/^zstd: |\/\*stdin\*\\? ?: /g, '')
    .trim()
    .split('\n');
  return new DamagedInputError(`the zstd data is damaged (${detail})`, false);
}
