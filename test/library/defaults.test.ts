import { PassThrough } from 'node:stream';
import { beforeEach, expect, test, vi } from 'vitest';
import * as library from '../../src/index.js';
import { importContact } from '../../src/library/devices.js';
import { runCli } from '../cli/run-cli.js';
import { addConnection } from '../support/connections.js';
import { openStore } from '../../src/store/open-store.js';
import { TEST_OPTIONS, useBackend } from '../support/databases.js';

/** What a use-case was given, instead of its result. */
class Given extends Error {
  constructor(readonly options: unknown) {
    super('given');
  }
}

const given = vi.hoisted((): { last: unknown } => ({ last: null }));

function captureOptions(_ctx: unknown, options: unknown): never {
  given.last = options;
  throw new Given(options);
}

vi.mock('../../src/commands/replay/replay.js', () => ({ replay: captureOptions }));
vi.mock('../../src/commands/dedupe/dedupe.js', () => ({ dedupe: captureOptions }));
vi.mock('../../src/commands/compare/compare.js', () => ({ compare: captureOptions }));
vi.mock('../../src/commands/prune/prune.js', () => ({ prune: captureOptions }));
vi.mock('../../src/commands/export/export-messages.js', () => ({ exportMessages: captureOptions }));
vi.mock('../../src/commands/backup/backup.js', () => ({ backup: captureOptions }));
vi.mock('../../src/commands/undo/undo.js', () => ({ undo: captureOptions }));
vi.mock('../../src/commands/verify/verify.js', () => ({ verify: captureOptions }));
vi.mock('../../src/commands/report/report.js', () => ({ report: captureOptions }));
vi.mock('../../src/commands/reconcile/reconcile.js', () => ({ reconcile: captureOptions }));
vi.mock('../../src/commands/messages/read-messages.js', () => ({ readMessages: captureOptions }));
vi.mock('../../src/commands/explain/explain.js', () => ({ explain: captureOptions }));
vi.mock('../../src/commands/runs/runs.js', () => ({ listRuns: captureOptions }));
vi.mock('../../src/commands/graph/check.js', () => ({ checkConnections: captureOptions }));
vi.mock('../../src/commands/graph/history-plan.js', () => ({ planHistory: captureOptions }));
vi.mock('../../src/commands/media/fetch-media.js', () => ({ fetchMedia: captureOptions }));
vi.mock('../../src/commands/media/status.js', () => ({ mediaStatus: captureOptions }));
vi.mock('../../src/commands/import/import-contact.js', () => ({ importContact: captureOptions }));

const backend = useBackend('postgresql');

beforeEach(() => {
  given.last = undefined;
});

type Call = (ctx: library.LibraryContext) => Promise<unknown>;

const NO_SINK = {
  begin: () => Promise.resolve(),
  messages: () => Promise.resolve(),
  end: () => Promise.resolve(),
};
const CONTACT = '+5511912345678';

test.each<[command: string, argv: string[], call: Call]>([
  ['replay', ['replay'], (ctx) => library.replay(ctx)],
  ['replay --failed', ['replay', '--failed'], (ctx) => library.replay(ctx, { failed: true })],
  [
    'replay of a window',
    ['replay', '--since', '2026-11-03T00:00:00Z', '--field', 'messages', '--connection', 'shop'],
    (ctx) => library.replay(ctx, { since: '2026-11-03T00:00:00Z', field: 'messages', connection: 'shop' }),
  ],
  ['dedupe', ['dedupe'], (ctx) => library.dedupe(ctx)],
  [
    'dedupe --apply',
    ['dedupe', '--apply', '--class', 'same_id', '--batch-size', '500'],
    (ctx) => library.dedupe(ctx, { apply: true, classes: ['same_id'], batchSize: 500 }),
  ],
  [
    'prune',
    ['prune', '--older-than', '2d', '--apply'],
    (ctx) => library.prune(ctx, { olderThanMs: 172_800_000, apply: true }),
  ],
  [
    'prune --no-keep-alerts',
    ['prune', '--older-than', '2d', '--class', 'processed', '--no-keep-alerts'],
    (ctx) => library.prune(ctx, { olderThanMs: 172_800_000, classes: ['processed'], keepAlerts: false }),
  ],
  [
    'export',
    ['export', CONTACT, '--since', '2026-11-03T00:00:00Z'],
    (ctx) => library.exportMessages(ctx, { contact: CONTACT, since: '2026-11-03T00:00:00Z', sink: NO_SINK }),
  ],
  [
    'backup',
    ['backup', '-', '--connection', 'shop'],
    (ctx) => library.backup(ctx, { to: new PassThrough(), connection: 'shop' }),
  ],
  ['undo', ['undo', '0199f2a4', '--force'], (ctx) => library.undo(ctx, { run: '0199f2a4', force: true })],
  [
    'compare',
    [
      'compare',
      'evolution',
      '--crm-url',
      'postgresql://crm/evolution',
      '--map',
      'shop=loja',
      '--contact',
      CONTACT,
    ],
    (ctx) =>
      library.compare(ctx, {
        crm: 'evolution',
        crmUrl: 'postgresql://crm/evolution',
        map: [{ connection: 'shop', crm: 'loja' }],
        contact: CONTACT,
      }),
  ],
  ['verify', ['verify'], (ctx) => library.verify(ctx)],
  [
    'verify --check',
    ['verify', '--check', 'duplicate_ids', '--enforce'],
    (ctx) => library.verify(ctx, { checks: ['duplicate_ids'], enforce: true }),
  ],
  ['report', ['report'], (ctx) => library.report(ctx)],
  [
    'report with limits',
    ['report', '--silent-after', '2h', '--history-after', '30m', '--no-audit', '--tz', 'UTC'],
    (ctx) =>
      library.report(ctx, {
        silentAfterMs: 7_200_000,
        historyAfterMs: 1_800_000,
        audit: false,
        timeZone: 'UTC',
      }),
  ],
  ['reconcile', ['reconcile'], (ctx) => library.reconcile(ctx)],
  [
    'reconcile --apply',
    ['reconcile', '--apply', '--full', '--register', '--include', 'group', '--tickets', 'none'],
    (ctx) =>
      library.reconcile(ctx, {
        apply: true,
        full: true,
        register: true,
        include: ['group'],
        tickets: 'none',
      }),
  ],
  ['messages', ['messages', CONTACT], (ctx) => library.readMessages(ctx, { contact: CONTACT })],
  ['explain', ['explain', CONTACT, '--json'], (ctx) => library.explain(ctx, { subject: CONTACT })],
  ['runs list', ['runs', 'list'], (ctx) => library.listRuns(ctx)],
  ['connection check', ['connection', 'check'], (ctx) => library.checkConnections(ctx)],
  [
    'history request',
    ['history', 'request', 'main', '--onboarded', '2026-01-01T00:00:00Z', '--confirm', CONTACT],
    (ctx) =>
      library.requestHistory(ctx, {
        connection: 'main',
        onboardedAt: '2026-01-01T00:00:00Z',
        confirm: CONTACT,
      }),
  ],
  [
    'media status',
    ['media', 'status', '--contact', CONTACT, '--max-size', '1KB'],
    (ctx) => library.mediaStatus(ctx, { contact: CONTACT, maxSize: 1024 }),
  ],
  [
    'media fetch',
    ['media', 'fetch', 'main', '--to', '/srv/media', '--since', '2026-01-01T00:00:00Z', '--again'],
    (ctx) =>
      library.fetchMedia(ctx, {
        connection: 'main',
        to: '/srv/media',
        since: '2026-01-01T00:00:00Z',
        again: true,
      }),
  ],
  ['import', ['import', CONTACT], (ctx) => importContact(ctx, { contact: CONTACT })],
  [
    'import --until',
    ['import', CONTACT, '--until', '2026-01-01T00:00:00Z'],
    (ctx) => importContact(ctx, { contact: CONTACT, until: '2026-01-01T00:00:00Z' }),
  ],
])('%s means the same from the command line and from the library', async (_title, argv, call) => {
  const config = await backend.config();
  if (config.kind !== 'postgresql') throw new Error('the server has a URL');
  // A backup of a part is called after what is stored of the connection.
  const store = await openStore(config, TEST_OPTIONS);
  await addConnection(store, { name: 'shop' }).finally(() => store.close());
  await runCli(argv, { env: { DATABASE_URL: config.url } });
  const typed = comparable(given.last);
  given.last = undefined;
  const ctx = await library.createContext({ databaseUrl: config.url });
  try {
    await expect(call(ctx)).rejects.toThrow(Given);
  } finally {
    await ctx.close();
  }
  expect(comparable(given.last)).toEqual(typed);
});

/** Options without what only the command line has: the file of items, the words of a window, quotes for the chat, its own name. */
function comparable(options: unknown): Record<string, unknown> {
  if (typeof options !== 'object' || options === null) throw new Error('the use-case was not called');
  const leftOut = ['target', 'onItem', 'windowWords', 'withQuotes', 'tz', 'web'];
  const kept = Object.entries(options).filter(
    ([key, value]) => value !== undefined && !leftOut.includes(key),
  );
  return Object.fromEntries(kept.map(([key, value]) => [key, key === 'access' ? placeOf(value) : value]));
}

/** Where the Graph API is asked, and which version, without who asks. */
function placeOf(access: unknown): unknown {
  const { place, ...rest } = access as { place: Record<string, unknown> };
  return { ...rest, place: { ...place, userAgent: '' } };
}
