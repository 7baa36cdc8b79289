import { expect, it } from 'vitest';
import { erase, planErase } from '../../src/commands/erase/erase.js';
import { openDirectory } from '../../src/commands/replay/open-directory.js';
import { applyEntries } from '../../src/ingest/apply/execute-batch.js';
import { prepareEntry } from '../../src/ingest/batch/prepare-entry.js';
import type { JsonObject } from '../../src/model/json.js';
import type { Store } from '../../src/store/store.js';
import { createIdGenerator } from '../../src/store/uuid.js';
import { findingsBeside } from '../support/checking.js';
import { dumpOf, tracesIn } from '../support/database-dump.js';
import { describeOnBackends, describeOnServer } from '../support/databases.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { SECRET } from '../support/secret.js';
import { value } from '../support/shown.js';
import {
  ANA,
  ANA_BSUID,
  ANA_LID,
  BRU,
  SECOND,
  item,
  live,
  liveFrom,
  webEvent,
  webHistory,
  webLive,
  webMessage,
  webhook,
} from '../support/webhooks.js';

const KEYED = { secretKey: () => SECRET } as const;
const UNFINISHED = 'raw_bodies: 1 erasure is unfinished, and the same command ends it';
/** What these bodies lose by themselves. */
const BESIDE = ['history_ledger', 'raw_log', 'raw_entry', 'rejects'] as const;
const JID = `${ANA}@s.whatsapp.net`;
const WEB_GROUP = '120363000000000001@g.us';
const LID = ANA_LID.split('@')[0] ?? '';

const HERS = [ANA, 'Ana Maria', ANA_BSUID, LID, 'secret of'];

/** Tells that the BSUID is hers, and the LID. */
const LINKS: readonly JsonObject[] = [
  webhook('messages', {
    contacts: [{ wa_id: ANA, user_id: ANA_BSUID }],
    messages: [item('L1', 10, { from_user_id: ANA_BSUID, text: { body: 'secret of L1' } })],
  }),
  webHistory([
    webMessage(
      'L2',
      19,
      { message: { conversation: 'secret of L2' } },
      { remoteJid: ANA_LID, remoteJidAlt: JID, fromMe: false },
    ),
  ]),
];

const underBsuid = (key: string, parts: JsonObject = {}): JsonObject =>
  item(key, 30, {
    from: undefined,
    from_user_id: ANA_BSUID,
    id: `wamid.${key}`,
    text: { body: `secret of ${key}` },
    ...parts,
  });

/** What came before, under one of these names alone, and is in no row of lead_identities. */
const EARLY: Readonly<Record<string, { body: unknown; register?: false; isFinished?: true }>> = {
  'a message that waits for its connection': {
    body: webhook('messages', { messages: [underBsuid('E1')] }, SECOND),
    register: false,
  },
  'a status': {
    body: webhook('messages', {
      statuses: [{ id: 'wamid.OUT1', status: 'read', timestamp: '1758000040', recipient_user_id: ANA_BSUID }],
    }),
  },
  'an item that is rejected': {
    body: webhook('messages', { messages: [underBsuid('E2', { id: 7 })] }),
  },
  'a line that was cut': {
    body: JSON.stringify(webhook('messages', { messages: [underBsuid('E3')] })).slice(0, -8),
  },
  'a row of a program nobody knows': { body: { sender: ANA_BSUID, msg: 'secret of a row' } },
  'a field that nobody knows': {
    body: webhook('novelty', { who: { user_id: ANA_BSUID }, note: 'secret of a field' }),
  },
  'a message in a group': {
    body: webEvent('messages.upsert', {
      type: 'notify',
      messages: [
        webMessage(
          'E4',
          33,
          { message: { conversation: 'secret of E4' } },
          { remoteJid: WEB_GROUP, participant: ANA_LID },
        ),
      ],
    }),
  },
  'a presence': {
    body: webEvent('presence.update', {
      id: ANA_LID,
      presences: { [ANA_LID]: { lastKnownPresence: 'available' } },
    }),
  },
};

const endedAt = (store: Store): Promise<unknown> => value(store, `select completed_at::text from erasures`);

const eraseAgain = (store: Store, contact = `+${ANA}`) =>
  erase(testContext(store, KEYED), { contact, secretKey: SECRET, batchSize: 9 });

describeOnBackends('names of an erased person that become known later', (backend) => {
  async function erased(): Promise<Store> {
    const store = await backend.open();
    await replayBodies(store, [liveFrom('Ana Maria', 'A0', -10), live('B0', 0, { from: BRU })]);
    await eraseAgain(store);
    return store;
  }

  it.each(backend.onServer(Object.entries(EARLY)))(
    'open the erasure for what came before: %s',
    async (_, { body, register }) => {
      const store = await erased();
      await replayBodies(store, [body], { ...KEYED, ...(register === undefined ? {} : { register }) });
      expect(await tracesIn(store, HERS, ANA)).not.toEqual([]);
      await replayBodies(store, LINKS, KEYED);
      expect(await findingsBeside(store, [...BESIDE])).toContain(UNFINISHED);
      await eraseAgain(store);
      expect(await tracesIn(store, HERS, ANA)).toEqual([]);
      await replayLog(store, { which: 'pending' });
      expect(await tracesIn(store, HERS, ANA)).toEqual([]);
      expect(await findingsBeside(store, [...BESIDE])).not.toContain(UNFINISHED);
    },
  );

  backend.once('leave it ended where nothing came before, or others only mention her', async () => {
    const store = await erased();
    const mention = live('B1', 1, { from: BRU, text: { body: `ask ${LID} or ${ANA_BSUID}` } });
    await replayBodies(store, [mention], KEYED);
    const before = await endedAt(store);
    expect(before).not.toBeNull();
    await replayBodies(store, LINKS, KEYED);
    expect(await endedAt(store)).toBe(before);
    expect(await value(store, `select count(*)::int from erased_identities`)).toBeGreaterThan(2);
    expect(await findingsBeside(store, ['history_ledger'])).toEqual([]);
    expect(await dumpOf(store)).toContain(`ask ${LID}`);
  });

  it.each(
    backend.onServer([
      ['its key', { participant: ANA_LID, participantAlt: JID }],
      ['an older key', { participant: JID, participantLid: ANA_LID }],
    ]),
  )('are learned from a message in a group as well: %s', async (_, key) => {
    const store = await erased();
    const bodies = [
      webEvent('messages.upsert', {
        type: 'notify',
        messages: [
          webMessage(
            'G8',
            33,
            { pushName: 'Ana Maria', message: { conversation: 'secret of G8' } },
            { remoteJid: WEB_GROUP, ...key },
          ),
        ],
      }),
      webLive('U2', 35, { message: { conversation: 'secret of U2' } }, { remoteJid: ANA_LID }),
    ];
    for (const body of bodies) await replayBodies(store, [body], KEYED);
    expect(await tracesIn(store, HERS, ANA)).toEqual([]);
    expect(await findingsBeside(store, ['history_ledger'])).toEqual([]);
  });

  backend.once('leave it open if the run dies before it has looked', async () => {
    const store = await erased();
    await replayBodies(
      store,
      [webLive('U2', 31, { message: { conversation: 'secret of U2' } }, { remoteJid: ANA_LID })],
      KEYED,
    );
    const stop = new AbortController();
    const dying = {
      ...testContext(store, { ...KEYED, signal: stop.signal }),
      emit: ({ event }: { event: string }) => {
        if (event === 'notice') throw new Error('killed');
      },
    };
    await expect(replayBodies(store, LINKS, { ...KEYED, onEvent: dying.emit })).rejects.toThrow('killed');
    expect(await findingsBeside(store, [...BESIDE])).toContain(UNFINISHED);
    await eraseAgain(store);
    expect(await tracesIn(store, HERS, ANA)).toEqual([]);
  });

  it('are noticed by a run that was loaded before another one learned them', async () => {
    const store = await erased();
    const ctx = testContext(store, KEYED);
    const newId = createIdGenerator(Date.now);
    const directory = await openDirectory(store.sql, { register: true }, newId, ctx);
    const prepared = (body: JsonObject) =>
      prepareEntry(
        { bytes: Buffer.from(JSON.stringify(body)), origin: { kind: 'file', path: 'x', line: 1 } },
        null,
        directory,
        new Set(),
      );
    const apply = (body: ReturnType<typeof prepared>) =>
      applyEntries(
        ctx,
        { runId, newId, batchSize: 10, target: { sql: store.sql, dryRun: false } },
        { settings: { tickets: 'none', syncSource: 'webhook' }, directory, claim: null },
        [body],
      );
    const runId = String(await value(store, `select id from sync_runs limit 1`));
    const mine = prepared(webhook('messages', { messages: [underBsuid('E1')] }));
    await replayBodies(store, LINKS, KEYED);
    expect(await findingsBeside(store, ['history_ledger'])).toEqual([]);
    await apply(mine);
    expect(await findingsBeside(store, ['history_ledger'])).toEqual([UNFINISHED]);
    // From now on this one knows them as well.
    await apply(prepared(webhook('messages', { messages: [underBsuid('E5')] })));
    expect(await dumpOf(store)).not.toContain('secret of E5');
    await eraseAgain(store, ANA_BSUID);
    expect(await tracesIn(store, HERS, ANA)).toEqual([]);
    expect(await findingsBeside(store, ['history_ledger'])).toEqual([]);
  });
});

describeOnServer('names of a person in entries that wait for their connection', (backend) => {
  it('belong to the person whom an erasure is about', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      liveFrom('Ana Maria', 'A0', -10),
      live('B0', 0, { from: BRU }),
      webhook('messages', { messages: [underBsuid('E1')] }),
    ]);
    const link = webhook(
      'messages',
      {
        contacts: [{ wa_id: ANA, user_id: ANA_BSUID }],
        messages: [item('L1', 10, { from_user_id: ANA_BSUID, text: { body: 'secret of L1' } })],
      },
      SECOND,
    );
    await replayBodies(store, [link], { register: false });
    const plan = await planErase(testContext(store, KEYED), `+${ANA}`);
    expect(plan.identities.map(({ value }) => value).sort()).toEqual([`+${ANA}`, ANA_BSUID]);
    expect(plan.tables.find(({ table }) => table === 'messages')?.rows).toBe(2);
    await eraseAgain(store);
    expect(await tracesIn(store, HERS, ANA)).toEqual([]);
    await replayBodies(store, [link, webhook('messages', { messages: [underBsuid('E6')] })], KEYED);
    expect(await tracesIn(store, HERS, ANA)).toEqual([]);
    expect(await findingsBeside(store, ['history_ledger'])).toEqual([]);
  });
});
