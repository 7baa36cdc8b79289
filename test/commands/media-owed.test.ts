import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { hexOf } from '../../src/commands/media/keep-file.js';
import { mediaStatus } from '../../src/commands/media/status.js';
import type { MediaFileStatus } from '../../src/commands/media/types.js';
import type { Store } from '../../src/store/store.js';
import {
  ALL_MEDIA,
  hexOfHash,
  MEDIA_STATUS_VIEW,
  readOwedMedia,
  recordMediaFile,
  type MediaFileRow,
} from '../../src/store/tables/media-files.js';
import { readConnections } from '../../src/store/tables/connections.js';
import { runCheck } from '../support/checking.js';
import { describeOnServer } from '../support/databases.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { live, T0, wamid } from '../support/webhooks.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Live images, the first `age` ms before now, the others a day apart before it. */
async function receiveImages(
  store: Store,
  now: number,
  ages: readonly number[],
  sha256 = 'aa',
): Promise<void> {
  const bodies = ages.map((age, at) =>
    live(`I${at}`, (now - age) / 1000 - T0, {
      type: 'image',
      text: undefined,
      image: { id: `900${at}`, mime_type: 'image/jpeg', sha256 },
    }),
  );
  const entries = bodies.map((payload, at) => ({
    payload,
    created_at: new Date(now - (ages[at] ?? 0)).toISOString(),
  }));
  await replayBodies(store, entries);
}

async function record(
  store: Store,
  at: number,
  state: 'fetched' | 'denied',
  now: number,
  parts: Partial<MediaFileRow> = {},
): Promise<void> {
  const [connection] = await readConnections(store.sql);
  await recordMediaFile(store.sql, {
    connectionId: connection?.id ?? '',
    mediaId: `900${at}`,
    messageId: wamid(`I${at}`),
    ...{ state, attempts: 1, firstTriedAt: now, triedAt: now },
    ...{ sha256: null, size: 7, mimeType: null, path: null, fetchedAt: null, error: null },
    ...parts,
  });
}

/** What `media status` and `verify` say of the same moment. */
async function said(store: Store, now: number) {
  const ctx = testContext(store, { clock: () => now });
  const { connections } = await mediaStatus(ctx, { files: 'all' });
  const { result, items } = await runCheck(store, 'media_owed', { now });
  const [one] = connections;
  return {
    counts: Object.fromEntries((one?.states ?? []).map(({ state, files }) => [state, files])),
    files: (one?.files ?? []).map(({ mediaId, state, expiresAt }): [string, string, string | null] => [
      mediaId,
      state,
      expiresAt,
    ]),
    status: result.status,
    summary: result.summary,
    items: items.map(({ sign, subject }) => `${sign} ${subject}`),
  };
}

describeOnServer('the files that messages name', (backend) => {
  const now = Math.floor(Date.now() / 1000) * 1000;
  const end = (age: number): string => new Date(now - age + 7 * DAY).toISOString();

  it('are the same for media status and verify: before the first fetch, after a part, and after their end', async () => {
    const store = await backend.open();
    await receiveImages(store, now, [0, DAY, 9 * DAY]);
    expect(await said(store, now)).toEqual({
      counts: { owed: 2, expired: 1 },
      files: [
        ['9002', 'expired', end(9 * DAY)],
        ['9001', 'owed', end(DAY)],
        ['9000', 'owed', end(0)],
      ],
      status: 'note',
      summary: 'Media outstanding: 2 files to fetch; 1 file expired before this tool was told to fetch it',
      items: ['= 1 file', '! ' + wamid('I1'), '! ' + wamid('I0')],
    });
    // Nobody fetches them, and nobody is alarmed.
    expect(await said(store, now + 10 * DAY)).toMatchObject({
      counts: { expired: 3 },
      status: 'ok',
      summary: 'No media outstanding; 3 files expired before this tool was told to fetch them',
    });
    await record(store, 1, 'fetched', now + HOUR);
    expect(await said(store, now + HOUR)).toMatchObject({
      counts: { owed: 1, fetched: 1, expired: 1 },
      status: 'note',
      summary: 'Media outstanding: 1 file to fetch; 1 file expired before this tool was told to fetch it',
    });
    expect(await said(store, now + 7 * DAY)).toMatchObject({
      counts: { fetched: 1, expired: 2 },
      status: 'findings',
      summary:
        'Media outstanding: 1 file expired before it was fetched; 1 file expired before this tool was told to fetch it',
    });
    await record(store, 0, 'denied', now + HOUR);
    expect(await said(store, now + HOUR)).toMatchObject({
      counts: { fetched: 1, expired: 1, denied: 1 },
      status: 'findings',
    });
  });

  it('are owed while they live, although another program wrote that they expired', async () => {
    const store = await backend.open();
    await receiveImages(store, now, [0]);
    await record(store, 0, 'denied', now);
    await store.sql.execute(`update media_files set state = 'expired'`);
    expect(await said(store, now + HOUR)).toMatchObject({ counts: { owed: 1 }, status: 'note' });
    const [connection] = await readConnections(store.sql);
    const choice = { ...ALL_MEDIA, connectionId: connection?.id ?? '' };
    const owed = await readOwedMedia(store.sql, choice, {
      ...{ route: 'meta', now: now + HOUR, notSince: now + HOUR, again: false, limit: 9 },
    });
    expect(owed.map(({ mediaId }) => mediaId)).toEqual(['9000']);
    expect(await said(store, now + 8 * DAY)).toMatchObject({ counts: { expired: 1 } });
  });

  it('are not expected of an archived connection', async () => {
    const store = await backend.open();
    await receiveImages(store, now, [0]);
    await store.sql.execute('update connections set archived_at = now()');
    expect(await said(store, now)).toMatchObject({
      counts: {},
      status: 'ok',
      summary: 'No media outstanding',
    });
  });

  it('are listed by state, soonest to expire first', async () => {
    const store = await backend.open();
    await receiveImages(store, now, [0, DAY, 2 * DAY]);
    await record(store, 1, 'fetched', now);
    const { connections } = await mediaStatus(testContext(store, { clock: () => now }), { files: 'owed' });
    expect(connections[0]?.files?.map(({ mediaId }: MediaFileStatus) => mediaId)).toEqual(['9002', '9000']);
    expect(connections[0]?.files?.[0]).toMatchObject({ messageId: wamid('I2'), type: 'image', size: null });
  });

  it('are in a view for whoever reads the database by SQL', async () => {
    const store = await backend.open();
    await receiveImages(store, now, [0, DAY, 9 * DAY]);
    await record(store, 1, 'fetched', now);
    const rows = await store.sql.query(
      'select media_id, state, expires_at from media_status order by expires_at, media_id',
    );
    expect(
      rows.map(({ media_id: id, state, expires_at: at }) => [
        id,
        state,
        at instanceof Date && at.toISOString(),
      ]),
    ).toEqual((await said(store, now)).files);
  });

  it.each<[damage: string, fault: string | null]>([
    [`sha256 = repeat('0', 64)`, 'another SHA-256'],
    [`sha256 = null`, 'without a SHA-256'],
    [`path = '/etc/passwd'`, 'none of a kept file'],
    [`path = replace(path, '/srv/media/', '/srv/../')`, 'none of a kept file'],
    [`path = substr(path, 2)`, 'none of a kept file'],
    [`path = null`, 'without a path'],
    [`state = 'expired'`, 'Meta has it still'],
    [`path = replace(path, '/srv/media/', 'C:\\media\\')`, null],
    [`size = 8`, null],
  ])(
    'are told by verify where another program changed what is on record of them: %s',
    async (damage, fault) => {
      const store = await backend.open();
      const hash = createHash('sha256').update('file').digest();
      await receiveImages(store, now, [0], hash.toString('base64'));
      const hex = hash.toString('hex');
      await record(store, 0, 'fetched', now, {
        sha256: hex,
        path: `/srv/media/${hex.slice(0, 2)}/${hex}.jpg`,
      });
      expect((await runCheck(store, 'media_files', { now })).result.status).toBe('ok');
      await store.sql.execute(`update media_files set ${damage}`);
      const { result, items } = await runCheck(store, 'media_files', { now });
      if (fault === null) {
        expect(result.status).toBe('ok');
        return;
      }
      expect(result).toMatchObject({
        status: 'findings',
        severity: 'degraded',
        found: 1,
        remedy: expect.stringContaining('wa-reconcile media fetch --again') as string,
      });
      expect(items[0]).toMatchObject({
        sign: '*',
        subject: wamid('I0'),
        detail: expect.stringContaining(fault) as string,
      });
    },
  );

  it('are compared by SQL as a fetch compares them', async () => {
    const store = await backend.open();
    const hash = createHash('sha256').update('ÿ?>').digest();
    const hashes = [
      ...[
        hash.toString('hex'),
        hash.toString('hex').toUpperCase(),
        hash.toString('base64'),
        hash.toString('base64url'),
      ],
      ...[
        hash.toString('base64').replace('=', ''),
        'aa',
        '',
        'x'.repeat(64),
        hash.toString('base64').slice(2),
      ],
    ];
    for (const text of hashes) {
      const [row] = await store.sql.query(
        `select ${hexOfHash('h.hash')} as hex from (select $1::text as hash) h`,
        [text],
      );
      expect([text, row?.['hex']]).toEqual([text, hexOf(text)]);
    }
  });

  it('are in that view by the rule that the commands have', async () => {
    const folder = new URL('../../prisma/migrations/', import.meta.url);
    const names = (await readdir(folder)).filter((name) => !name.includes('.')).sort();
    const texts = await Promise.all(
      names.map((name) => readFile(new URL(`${name}/migration.sql`, folder), 'utf8')),
    );
    const newest = texts.findLast((text) => text.includes('view media_status'));
    expect(newest).toContain(MEDIA_STATUS_VIEW);
  });
});
