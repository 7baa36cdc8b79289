import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, it, onTestFinished } from 'vitest';
import { EVOLUTION } from '../../src/crm/dialects/evolution.js';
import { openCrmFiles } from '../../src/crm/open-files.js';
import { UserError } from '../../src/model/errors.js';

async function refusalOf(bytes: Buffer): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'crm-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, 'export.csv');
  await writeFile(path, bytes);
  const input = { kind: 'file', path: 'export.csv', absolutePath: path, size: bytes.length } as const;
  const error: unknown = await openCrmFiles([input], EVOLUTION, { stdin: Readable.from([]) }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof UserError)) throw new Error('not refused', { cause: error });
  return `${error.message} ${JSON.stringify(error.remedy)}`;
}

it('a file that is no table of the CRM is not printed back: names are cut, and none holds a control character', async () => {
  const names = ['\u001b]0;owned\u0007', 'a\u009b31m', '\u202eb', 'c\u2028d', 'e\u007f', 'x'.repeat(100_000)];
  const said = await refusalOf(Buffer.from(`${names.join(',')}\n1,2,3,4,5,6\n`));
  expect(said).toContain('export.csv is none of the tables of');
  expect(said).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|\\u00|x{41}/u);
  const noise = Buffer.from(
    Array.from({ length: 4096 }, (_, at) => (at * 167 + 13) % 256).filter((byte) => byte !== 34),
  );
  expect(await refusalOf(noise)).not.toMatch(/[\p{Cc}\p{Cf}]|\\u00/u);
});
