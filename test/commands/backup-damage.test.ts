import { beforeAll, describe, expect, it } from 'vitest';
import { FORMAT, HEADER_NAME, MANIFEST_NAME, DIGEST_NAME } from '../../src/archive/format.js';
import { endOfTar, frameOf } from '../../src/archive/tar.js';
import { digestOf, writeArchive } from '../../src/archive/write-archive.js';
import { checkBackup } from '../../src/commands/backup/check.js';
import { openForRestore } from '../../src/commands/backup/restore.js';
import { UserError } from '../../src/model/errors.js';
import { backUp, fillEverything, memorySource } from '../support/backups.js';
import { useBackend } from '../support/databases.js';

/** A region of the file: a part's header, content or padding, or the end. */
interface Region {
  name: string;
  kind: 'header' | 'content' | 'padding' | 'end';
  from: number;
  to: number;
}

describe('a backup that is not what was written', () => {
  const backend = useBackend('postgresql');
  let whole: Buffer = Buffer.alloc(0);
  let regions: Region[] = [];

  beforeAll(async () => {
    const store = await backend.open();
    await fillEverything(store);
    whole = (await backUp(store)).bytes;
    regions = regionsOf(whole);
  });

  const refusal = async (bytes: Buffer): Promise<UserError> => {
    const error: unknown = await openForRestore(memorySource(bytes)).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (error instanceof UserError) return error;
    throw new Error(`it was taken: ${String(error)}`);
  };

  it('is sound before anything happens to it', async () => {
    expect(await checkBackup(memorySource(whole, 11))).toMatchObject({
      command: 'backup --check',
      format: FORMAT,
    });
    expect(regions.filter(({ kind }) => kind === 'content').length).toBeGreaterThan(20);
  });

  it('is refused for one changed bit anywhere, and the part is named', async () => {
    let tried = 0;
    let before = 'the beginning';
    for (const { name, kind, from, to } of regions) {
      for (const at of placesIn(from, to)) {
        const damaged = Buffer.from(whole);
        damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
        const { message, code } = await refusal(damaged);
        const where = `byte ${at}, ${kind} of ${name}`;
        expect(['backup_damaged', 'backup_unreadable'], where).toContain(code);
        if (kind === 'content' && name === MANIFEST_NAME) expect(message, where).toContain(MANIFEST_NAME);
        else if (kind === 'header') expect(message, where).toContain(`behind ${before}`);
        else if (kind === 'end') expect(message, where).toContain('archive');
        else expect(message, where).toContain(name);
        tried += 1;
      }
      before = name;
    }
    expect(tried).toBeGreaterThan(1_000);
  }, 120_000);

  it('is refused when it is cut off anywhere', async () => {
    for (let length = 0; length < whole.length; length += 509) {
      expect((await refusal(whole.subarray(0, length))).code, `cut at ${length}`).toBe('backup_damaged');
    }
    expect((await refusal(whole.subarray(0, whole.length - 1))).code).toBe('backup_damaged');
  });

  it('is refused with anything behind its end, or a part left out, doubled or exchanged', async () => {
    expect((await refusal(Buffer.concat([whole, Buffer.from('x')]))).message).toContain('archive');
    expect((await refusal(Buffer.concat([whole, Buffer.alloc(512)]))).message).toContain('archive');
    const parts = entriesOf(regions).filter(({ name }) => name.endsWith('.gz'));
    const [first, second] = parts;
    if (first === undefined || second === undefined) throw new Error('too few parts');
    const piece = ({ from, to }: { from: number; to: number }): Buffer => whole.subarray(from, to);
    const without = Buffer.concat([whole.subarray(0, first.from), whole.subarray(first.to)]);
    expect((await refusal(without)).message).toContain(`${first.name}: it is missing`);
    const doubled = Buffer.concat([whole.subarray(0, first.to), piece(first), whole.subarray(first.to)]);
    expect((await refusal(doubled)).message).toContain(`${second.name}: it is missing`);
    const exchanged = Buffer.concat([
      whole.subarray(0, first.from),
      piece(second),
      piece(first),
      whole.subarray(second.to),
    ]);
    expect((await refusal(exchanged)).message).toContain(`${first.name}: it is missing`);
  });

  it('is refused when its numbers of rows do not add up, whatever its digests say', async () => {
    for (const [found, forged] of [
      [/"rows": (\d+)\n\}\n$/, '"rows": 77\n}\n'],
      [/"rows": (\d+),/, '"rows": 77,'],
    ] as const) {
      const manifest = entriesOf(regions).find(({ name }) => name === MANIFEST_NAME);
      if (manifest === undefined) throw new Error('no manifest');
      const content = regions.find(({ name, kind }) => name === MANIFEST_NAME && kind === 'content');
      const text = whole.toString('utf8', content?.from, content?.to);
      const changed = Buffer.from(text.replace(found, forged));
      expect(changed.toString('utf8')).not.toBe(text);
      const at = Number.parseInt(whole.toString('latin1', 136, 147), 8);
      const digest = Buffer.from(`${digestOf(changed)}  ${MANIFEST_NAME}\n`);
      const file = [
        [MANIFEST_NAME, changed],
        [DIGEST_NAME, digest],
      ] as const;
      const written = file.flatMap(([name, bytes]) => {
        const { head, tail } = frameOf(name, bytes.length, at);
        return [head, bytes, tail];
      });
      const resigned = Buffer.concat([whole.subarray(0, manifest.from), ...written, endOfTar()]);
      expect((await refusal(resigned)).message).toContain('do not add up');
    }
  });

  it('is refused when a newer version wrote it, and that version is named', async () => {
    const header = {
      format: FORMAT,
      tool: '9.9.9',
      migrations: ['x'],
      createdAt: '2026-11-30T03:15:00.000Z',
    };
    const newerFormat = await refusal(await archive({ ...header, format: FORMAT + 1 }));
    expect(newerFormat).toMatchObject({ code: 'backup_newer', exitCode: 2 });
    expect(newerFormat.message).toContain('wa-reconcile 9.9.9');
    // A build that calls itself as this one does is no help.
    expect(newerFormat.message).toContain(`format ${FORMAT + 1} of backups, which is newer`);
    expect(newerFormat.remedy).toContain('a newer version of wa-reconcile than this one');
    // Not even a tar that this version would write: the header is enough.
    const strange = Buffer.concat([
      (await archive({ ...header, format: 7 })).subarray(0, 1024),
      Buffer.alloc(777, 1),
    ]);
    expect(await refusal(strange)).toMatchObject({ code: 'backup_newer' });
    const newerTables = await refusal(
      await archive({ ...header, migrations: ['20261120000000_foundation', '2099_later'] }),
    );
    expect(newerTables).toMatchObject({ code: 'backup_newer', exitCode: 2 });
    expect(newerTables.message).toContain('2099_later');
  });
});

async function archive(header: Parameters<typeof writeArchive>[0]): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const bytes of writeArchive(header, [], () => undefined)) pieces.push(bytes);
  return Buffer.concat(pieces);
}

/** Every byte of a small region; of a large one its ends, and places in between. */
function placesIn(from: number, to: number): number[] {
  const places = new Set<number>();
  for (let at = from; at < to; at += Math.max(1, Math.floor((to - from) / 24))) places.add(at);
  for (const at of [from, from + 1, from + 2, to - 2, to - 1]) if (at >= from && at < to) places.add(at);
  return [...places];
}

function regionsOf(tar: Buffer): Region[] {
  const regions: Region[] = [];
  let at = 0;
  while (tar[at] !== 0) {
    const name = tar.toString('latin1', at, at + 100).split('\0', 1)[0] ?? '';
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 135), 8);
    const end = at + 512 + size;
    const next = at + 512 + Math.ceil(size / 512) * 512;
    regions.push(
      { name, kind: 'header', from: at, to: at + 512 },
      { name, kind: 'content', from: at + 512, to: end },
    );
    if (next > end) regions.push({ name, kind: 'padding', from: end, to: next });
    at = next;
  }
  regions.push({ name: 'archive', kind: 'end', from: at, to: tar.length });
  expect(regions[0]?.name).toBe(HEADER_NAME);
  expect(regions.some(({ name }) => name === DIGEST_NAME)).toBe(true);
  return regions;
}

function entriesOf(regions: readonly Region[]): { name: string; from: number; to: number }[] {
  return [...new Set(regions.map(({ name }) => name))].map((name) => {
    const own = regions.filter((region) => region.name === name);
    return { name, from: own[0]?.from ?? 0, to: own.at(-1)?.to ?? 0 };
  });
}
