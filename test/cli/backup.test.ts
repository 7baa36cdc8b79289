import { generateIdentity, identityToRecipient } from 'age-encryption';
import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeArchive } from '../../src/archive/write-archive.js';
import { sample } from '../support/replaying.js';
import { useEmbedded, useServer, type Run } from './database-home.js';
import { runCli, temporaryDirectory, type Seen } from './run-cli.js';

/** A key pair of age, made for these tests. */
const RECIPIENT = 'age13tuyqj43e6e3semtewcv8gyrkr6z9xrlf63cemfxt068ffs0sc4shfq7eu';

describe('backup', () => {
  const embedded = useEmbedded();
  const server = useServer();
  // A backup is one on both: the embedded database would start anew for each of the commands that write it.
  const start = async (): Promise<{ run: Run; directory: string }> => ({
    run: await server.prepare(),
    directory: await temporaryDirectory(),
  });
  const codeOf = ({ stderr }: Seen): unknown => {
    const parsed: unknown = JSON.parse(stderr);
    return typeof parsed === 'object' && parsed !== null && 'error' in parsed ? parsed.error : undefined;
  };

  it('writes a file that only its owner reads, and overwrites nothing unless told', async () => {
    const [run, directory] = [await embedded.prepare(), await temporaryDirectory()];
    const file = join(directory, 'crm.tar');
    const first = await run(['backup', file, '--json']);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(first.stdout)).toMatchObject({
      schemaVersion: 1,
      command: 'backup',
      file,
      format: 1,
      encrypted: false,
      scope: null,
      removed: [],
    });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const bytes = await readFile(file);
    const second = await run(['backup', file, '--json']);
    expect(second.code).toBe(2);
    expect(codeOf(second)).toMatchObject({ code: 'backup_exists' });
    expect((await readFile(file)).equals(bytes)).toBe(true);
    expect((await run(['backup', file, '--force', '-q'])).code).toBe(0);
    expect(await readdir(directory)).toEqual(['crm.tar']);
  });

  it('says of an armored file that it is one', async () => {
    const { run, directory } = await start();
    const file = join(directory, 'crm.age');
    await writeFile(file, '-----BEGIN AGE ENCRYPTED FILE-----\nYWdlLWVuY3J5cHRpb24=\n');
    const checked = await run(['backup', '--check', file, '--json']);
    expect(checked.code).toBe(2);
    expect(codeOf(checked)).toMatchObject({ code: 'backup_armored' });
  });

  it('--keep rotates its own names in a directory, and nothing else', async () => {
    const { run, directory } = await start();
    const others = ['wa-reconcile-notes.tar', 'wa-reconcile-20200101T000000000Z.tar.bak', 'z.tar'];
    for (const name of others) await writeFile(join(directory, name), 'mine');
    const killed = '.wa-reconcile-00000000-0000-4000-8000-000000000001.tmp';
    const working = '.wa-reconcile-00000000-0000-4000-8000-000000000002.tmp';
    for (const name of [killed, working]) await writeFile(join(directory, name), 'half');
    const long = new Date('2026-10-31T03:15:00Z');
    await utimes(join(directory, killed), long, long);
    const written = new Date('2026-11-10T03:15:00Z');
    await utimes(join(directory, working), written, written);
    others.push(working);
    const names: string[] = [];
    for (let night = 1; night <= 4; night += 1) {
      const now = Date.parse(`2026-11-0${night}T03:15:00.000Z`);
      const { stdout, code } = await run(['backup', directory, '--keep', '2', '--json'], { now });
      expect(code).toBe(0);
      const result: unknown = JSON.parse(stdout);
      expect(result).toMatchObject({
        abandoned: night === 1 ? [join(directory, killed)] : [],
        removed: names.length < 2 ? [] : [join(directory, names[night - 3] ?? '')],
      });
      names.push(`wa-reconcile-2026110${night}T031500000Z.tar`);
    }
    expect((await readdir(directory)).sort()).toEqual([...others, ...names.slice(2)].sort());
    const wrong = await run(['backup', join(directory, 'one.tar'), '--keep', '2']);
    expect(wrong).toMatchObject({ code: 2 });
    expect(wrong.stderr).toContain('--keep 2');
  });

  it('--keep never removes the file of its own run, whatever the clock says, and names later ones', async () => {
    const { run, directory } = await start();
    const nameOf = (day: string): string => `wa-reconcile-202611${day}T031500000Z.tar`;
    const others = ['20', '21', '22'].map(nameOf);
    for (const name of others) await writeFile(join(directory, name), 'of another clock');
    const back = { now: Date.parse('2026-11-01T03:15:00.000Z') };
    const first = await run(['backup', directory, '--keep', '3', '--json'], back);
    expect(JSON.parse(first.stdout)).toMatchObject({
      file: join(directory, nameOf('01')),
      removed: [join(directory, nameOf('20'))],
      later: ['20', '21', '22'].map((day) => join(directory, nameOf(day))),
    });
    expect((await readdir(directory)).sort()).toEqual(['01', '21', '22'].map(nameOf));
    const next = { now: Date.parse('2026-11-02T03:15:00.000Z') };
    const alone = await run(['backup', directory, '--keep', '1'], next);
    expect(alone.code).toBe(0);
    expect(alone.stdout).toContain('2 backups in the directory have a later time than this one');
    expect(await readdir(directory)).toEqual([nameOf('02')]);
    expect((await run(['backup', '--check', join(directory, nameOf('02')), '-q'])).code).toBe(0);
    // Without --keep, too, the clock is worth a word.
    const earlier = { now: Date.parse('2026-10-31T03:15:00.000Z') };
    const said = await run(['backup', directory, '--json'], earlier);
    expect(JSON.parse(said.stdout)).toMatchObject({ removed: [], later: [join(directory, nameOf('02'))] });
  });

  it('--keep removes nothing for a backup that may not restore', async () => {
    const run = await server.prepare();
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'wa-reconcile-20261101T031500000Z.tar'), 'a sound one');
    await server.change(run, 'alter table tickets drop constraint tickets_status_check');
    const { code, stdout } = await run(['backup', directory, '--keep', '1', '--json']);
    expect(code).toBe(4);
    expect(JSON.parse(stdout)).toMatchObject({ removed: [], lacking: ['tickets_status_check (missing)'] });
    expect(await readdir(directory)).toHaveLength(2);
  });

  it('--keep of a part counts the backups of this part, and none of a full one or another part', async () => {
    const { run, directory } = await start();
    for (const [digit, name] of ['Café Nº 1', 'café'].entries()) {
      const numbers = ['--phone', `+1555078388${digit}`, '--phone-number-id', `10000${digit}`];
      const added = await run(['connection', 'add', '--name', name, '--kind', 'cloud_api', ...numbers, '-q']);
      expect(added).toMatchObject({ code: 0, stderr: '' });
    }
    let day = 0;
    const write = async (...flags: string[]): Promise<unknown> => {
      day += 1;
      const now = Date.parse(`2026-11-${String(day).padStart(2, '0')}T03:15:00.000Z`);
      const { stdout, code, stderr } = await run(['backup', directory, '--keep', '1', ...flags, '--json'], {
        now,
      });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const result: unknown = JSON.parse(stdout);
      return result;
    };
    const rest = { removed: [], later: [] };
    expect(await write()).toMatchObject(rest);
    expect(await write('--connection', 'Café Nº 1')).toMatchObject(rest);
    expect(await write('--connection', 'café')).toMatchObject(rest);
    expect(await write('--organization', 'default')).toMatchObject(rest);
    const names = (await readdir(directory)).sort();
    expect(names.map((name) => name.replace(/-[0-9a-f]{12}-/, '-DIGEST-'))).toEqual([
      'wa-reconcile-20261101T031500000Z.tar',
      'wa-reconcile-part-cafe-DIGEST-20261103T031500000Z.tar',
      'wa-reconcile-part-cafe-no-1-DIGEST-20261102T031500000Z.tar',
      'wa-reconcile-part-default-DIGEST-20261104T031500000Z.tar',
    ]);
    const [full, cafe] = names.map((name) => join(directory, name));
    // By another of its names it is the same part.
    expect(await write('--connection', '100001')).toMatchObject({ removed: [cafe], later: [] });
    expect(await write()).toMatchObject({ removed: [full], later: [] });
    expect(await readdir(directory)).toHaveLength(4);
  });

  it('that cannot be written leaves no older one removed and no file behind', async () => {
    const { run, directory } = await start();
    await writeFile(join(directory, 'wa-reconcile-20200101T000000000Z.tar'), 'older');
    expect((await run(['backup', '/dev/full'])).stderr).toContain('the disk is full');
    expect((await run(['backup', '/dev/full'])).code).toBe(1);
    expect((await run(['backup', join(directory, 'no', 'such', 'x.tar')])).code).toBe(2);
    expect(await readdir(directory)).toEqual(['wa-reconcile-20200101T000000000Z.tar']);
    expect((await run(['backup', '-'], { terminals: ['stdout'] })).code).toBe(2);
  });

  it('encrypted opens with its key or passphrase only', async () => {
    const { run, directory } = await start();
    const at = (name: string): string => join(directory, name);
    await writeFile(at('pass'), 'correct horse\n');
    await writeFile(at('other'), 'battery staple\n');
    await writeFile(at('empty'), '\n');
    await writeFile(
      at('key'),
      `# a comment\n${(await readFile(sample('backup-by-age.key'), 'utf8')).trim()}\n`,
    );
    await writeFile(at('bad-key'), 'AGE-SECRET-KEY-1NONSENSE\n');
    expect((await run(['backup', at('p.age'), '--passphrase-file', at('pass'), '-q'])).code).toBe(0);
    expect((await run(['backup', at('k.age'), '--recipient', RECIPIENT, '-q'])).code).toBe(0);
    expect((await readFile(at('k.age'), 'latin1')).startsWith('age-encryption.org/v1\n-> X25519 ')).toBe(
      true,
    );
    const check = async (...flags: string[]): Promise<unknown> => {
      const seen = await runCli(['backup', '--check', ...flags, '--json']);
      return seen.code === 0 ? 0 : codeOf(seen);
    };
    expect(await check(at('p.age'), '--passphrase-file', at('pass'))).toBe(0);
    expect(await check(at('p.age'), '--passphrase-file', at('other'))).toMatchObject({
      code: 'backup_key_wrong',
    });
    expect(await check(at('p.age'), '--identity-file', at('key'))).toMatchObject({
      code: 'backup_key_wrong',
    });
    expect(await check(at('p.age'))).toMatchObject({ code: 'backup_encrypted' });
    expect(await check(at('k.age'), '--identity-file', at('key'))).toMatchObject({
      code: 'backup_key_wrong',
    });
    expect(await check(at('k.age'), '--identity-file', at('bad-key'))).toMatchObject({ code: 'key_invalid' });
    expect(await check(at('k.age'), '--identity-file', at('empty'))).toMatchObject({ code: 'usage' });
    const both = ['--passphrase-file', at('pass'), '--recipient', RECIPIENT];
    expect((await run(['backup', at('x.age'), ...both])).code).toBe(2);
    expect((await run(['backup', at('x.age'), '--recipient', 'age1nobody'])).code).toBe(2);
  });

  it('encrypted is refused when a bit of it was changed, or it was cut off', async () => {
    const { run, directory } = await start();
    const file = join(directory, 'k.age');
    const identity = await generateIdentity();
    await writeFile(join(directory, 'key'), identity);
    const key = ['--identity-file', join(directory, 'key')];
    const recipient = await identityToRecipient(identity);
    expect((await run(['backup', file, '--recipient', recipient, '-q'])).code).toBe(0);
    const whole = await readFile(file);
    expect((await runCli(['backup', '--check', file, ...key])).code).toBe(0);
    for (const at of [whole.length - 1, whole.length - 20_000, 300]) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      await writeFile(file, damaged);
      const seen = await runCli(['backup', '--check', file, ...key]);
      expect(seen).toMatchObject({ code: 1 });
      expect(seen.stderr).toContain('is damaged: encryption');
    }
    await writeFile(file, whole.subarray(0, whole.length - 1_000));
    expect((await runCli(['backup', '--check', file, ...key])).code).toBe(1);
  });

  it('that the program `age` has encrypted is restored', async () => {
    const run = await embedded.prepare('missing');
    const restored = await run([
      'restore',
      sample('backup-by-age.tar.age'),
      '--identity-file',
      sample('backup-by-age.key'),
      '--json',
    ]);
    expect(restored).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(restored.stdout)).toMatchObject({ command: 'restore', encrypted: true });
    expect((await run(['connection', 'list', '--json'])).stdout).toContain('shop');
  });

  it('that cannot be restored leaves no new database behind', async () => {
    const directory = await temporaryDirectory();
    const column = { name: 'score', type: 'integer', asText: false };
    const header = { format: 1, tool: '0.0.0-test', createdAt: '2026-11-30T03:15:00.000Z' };
    const lines = {
      [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: [] } as const) }),
    };
    const pieces: Uint8Array[] = [];
    for await (const bytes of writeArchive(
      { ...header, migrations: ['20261120000000_foundation'] },
      [{ name: 'leads', columns: [column], sequences: [], lines }],
      () => undefined,
    ))
      pieces.push(bytes);
    await writeFile(join(directory, 'x.tar'), Buffer.concat(pieces));
    const seen = await runCli([
      'restore',
      join(directory, 'x.tar'),
      '--home',
      join(directory, 'home'),
      '--json',
    ]);
    expect(codeOf(seen)).toMatchObject({ code: 'backup_invalid' });
    expect(await readdir(directory)).toEqual(['x.tar']);
  });

  it('restore removes what a killed one left hours ago, and nothing else', async () => {
    const directory = await temporaryDirectory();
    const leftover = (digit: number): string =>
      `.wa-reconcile-00000000-0000-4000-8000-00000000000${digit}.tmp`;
    const now = Date.parse('2026-11-30T12:00:00Z');
    const ages = [7, 5, 7, 7];
    const names = [leftover(1), leftover(2), '.wa-reconcile-notes.tmp', leftover(4)];
    for (const [at, name] of names.entries()) {
      if (at === 3) await mkdir(join(directory, name));
      else await writeFile(join(directory, name), 'a whole backup');
      const written = new Date(now - (ages[at] ?? 0) * 60 * 60 * 1000);
      await utimes(join(directory, name), written, written);
    }
    const refused = await runCli(['restore', '-', '--home', directory], {
      now,
      stdin: 'no tar',
    });
    expect(refused).toMatchObject({ code: 1 });
    expect((await readdir(directory)).sort()).toEqual(names.slice(1).sort());
  });

  it('is refused by restore for a file that is none, before a database is created', async () => {
    const directory = await temporaryDirectory();
    const home = join(directory, 'home');
    await writeFile(join(directory, 'x.tar'), 'no tar');
    await mkdir(join(directory, 'folder'));
    const restore = (name: string): Promise<Seen> =>
      runCli(['restore', join(directory, name), '--home', home]);
    expect(await restore('x.tar')).toMatchObject({ code: 1 });
    expect(await restore('gone.tar')).toMatchObject({ code: 2 });
    expect(await restore('folder')).toMatchObject({ code: 2 });
    expect((await readdir(directory)).sort()).toEqual(['folder', 'x.tar']);
  });
});
