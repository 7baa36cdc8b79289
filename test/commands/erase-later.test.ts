import { expect, it } from 'vitest';
import { erase, planErase } from '../../src/commands/erase/erase.js';
import type { JsonObject } from '../../src/model/json.js';
import type { Store } from '../../src/store/store.js';
import { findingsBeside } from '../support/checking.js';
import { dumpOf, tracesIn } from '../support/database-dump.js';
import { describeOnServer } from '../support/databases.js';
import { night } from '../support/nights.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { SECRET } from '../support/secret.js';
import {
  ANA,
  ANA_BSUID,
  ANA_LID,
  BRU,
  item,
  live,
  liveFrom,
  wamid,
  webEvent,
  webHistory,
  webhook,
  webLive,
  webMessage,
} from '../support/webhooks.js';

const KEYED = { secretKey: () => SECRET } as const;

const META_GROUP = 'Y2FwaV9ncm91cDoxNzA1NTU1MDEzOToxMjAzNjM0MDQ2OTQyMzM4MjAZD';
const WEB_GROUP = '120363000000000001@g.us';
const NEW_NUMBER = '5511900000777';
const ANA_PARENT = 'BR.ENT.9PARENTOFANA';
const JID = `${ANA}@s.whatsapp.net`;

const contact = (parts: JsonObject): JsonObject => ({ wa_id: ANA, ...parts });
const inGroup = (key: string, at: number, parts: JsonObject = {}): JsonObject =>
  item(key, at, { group_id: META_GROUP, text: { body: `secret of ${key}` }, ...parts });

/** What comes of her after the erasure, each body alone. Nothing of it may be stored in plain. */
const LATER: Readonly<Record<string, JsonObject>> = {
  'a message in a group of Meta': webhook('messages', {
    contacts: [contact({ profile: { name: 'Ana Nova' } })],
    messages: [inGroup('G1', 10)],
  }),
  'one with the group on the contact': webhook('messages', {
    contacts: [contact({ profile: { name: 'Ana Nova' }, group_id: META_GROUP })],
    messages: [item('G2', 11, { text: { body: 'secret of G2' } })],
  }),
  'one that tells another name of hers': webhook('messages', {
    contacts: [contact({ profile: { name: 'Ana Nova' }, user_id: ANA_BSUID })],
    messages: [inGroup('G3', 12, { from_user_id: ANA_BSUID })],
  }),
  'an edit and a revoke of it': webhook('messages', {
    messages: [
      inGroup('G4', 13, {
        type: 'edit',
        edit: {
          original_message_id: wamid('G1'),
          message: { type: 'text', text: { body: 'secret of an edit' } },
        },
      }),
      inGroup('G5', 14, { type: 'revoke', revoke: { original_message_id: wamid('G1') } }),
    ],
  }),
  'her reaction in the group': webhook('messages', {
    messages: [
      inGroup('G6', 15, { type: 'reaction', reaction: { message_id: wamid('B1', BRU), emoji: '👍' } }),
    ],
  }),
  'receipts in the group': webhook('messages', {
    statuses: [
      {
        id: 'wamid.OUT1',
        status: 'read',
        timestamp: '1758000099',
        recipient_id: META_GROUP,
        recipient_type: 'group',
        recipient_participant_id: ANA,
      },
    ],
  }),
  'members of a group': webhook('group_participants_update', {
    groups: [
      {
        timestamp: '1758000100',
        group_id: META_GROUP,
        type: 'group_participants_add',
        added_participants: [{ input: ANA, wa_id: ANA }, { wa_id: BRU }],
      },
    ],
  }),
  'a message with somebody else’s': webhook('messages', {
    contacts: [contact({ profile: { name: 'Ana Nova' } }), { profile: { name: 'Bru' }, wa_id: BRU }],
    messages: [inGroup('G7', 16), inGroup('B1', 17, { from: BRU, text: { body: 'of Bru' } })],
  }),
  'one of WhatsApp Web in a group': webLive(
    'W1',
    18,
    { pushName: 'Ana Nova', message: { conversation: 'secret of W1' } },
    { remoteJid: WEB_GROUP, participant: JID },
  ),
  'one of WhatsApp Web by both of her names': webHistory([
    webMessage(
      'W2',
      19,
      { pushName: 'Ana Nova', message: { conversation: 'secret of W2' } },
      { remoteJid: ANA_LID, remoteJidAlt: JID, fromMe: false },
    ),
  ]),
  'a change of her number': webhook('messages', {
    messages: [
      item('S1', 20, {
        type: 'system',
        text: undefined,
        system: {
          type: 'user_changed_number',
          wa_id: NEW_NUMBER,
          body: `User Ana Nova changed from ${ANA} to ${NEW_NUMBER}`,
        },
      }),
    ],
  }),
  'her preferences': webhook('user_preferences', {
    contacts: [contact({ profile: { name: 'Ana Nova', username: 'ana.nova' }, user_id: ANA_BSUID })],
    user_preferences: [
      { wa_id: ANA, category: 'marketing_messages', value: 'stop', timestamp: 1_758_000_000 },
    ],
  }),
};

/** What comes under names that only those bodies tie to her. */
const UNDER_OTHERS: readonly JsonObject[] = [
  webhook('messages', {
    contacts: [{ profile: { name: 'Ana Nova' }, user_id: ANA_BSUID }],
    messages: [
      item('U1', 30, {
        from: undefined,
        from_user_id: ANA_BSUID,
        id: 'wamid.U1',
        text: { body: 'secret of U1' },
      }),
    ],
  }),
  webLive('U2', 31, { message: { conversation: 'secret of U2' } }, { remoteJid: ANA_LID }),
  live('U3', 32, { from: NEW_NUMBER, id: wamid('U3', NEW_NUMBER), text: { body: 'secret of U3' } }),
  webEvent('messages.upsert', {
    type: 'notify',
    messages: [
      webMessage(
        'U4',
        33,
        { message: { conversation: 'secret of U4' } },
        { remoteJid: WEB_GROUP, participant: ANA_LID },
      ),
    ],
  }),
];

const HERS = [
  ANA,
  'Ana Maria',
  'Ana Nova',
  'ana.nova',
  ANA_BSUID,
  ANA_LID.split('@')[0] ?? '',
  NEW_NUMBER,
  'secret of',
];

describeOnServer('what comes of a person after the erasure', (backend) => {
  async function erased(): Promise<Store> {
    const store = await backend.open();
    await replayBodies(store, [liveFrom('Ana Maria', 'A0', -10), live('B0', 0, { from: BRU })]);
    await erase(testContext(store, KEYED), { contact: `+${ANA}`, secretKey: SECRET, batchSize: 9 });
    expect(await tracesIn(store, HERS, ANA)).toEqual([]);
    return store;
  }

  const readings = [
    ['as it is', KEYED],
    ['with groups', { ...KEYED, include: new Set(['group'] as const) }],
  ] as const;

  const cases = Object.keys(LATER).flatMap((what) =>
    readings.map(([how, options]) => [what, how, options] as const),
  );
  it.each(cases)('is not stored in plain: %s, %s', async (what, _, options) => {
    const store = await erased();
    await replayBodies(store, [LATER[what]], options);
    expect(await tracesIn(store, HERS, ANA)).toEqual([]);
    await night(store, { full: true, apply: true });
    expect(await tracesIn(store, HERS, ANA)).toEqual([]);
    expect(await findingsBeside(store, ['history_ledger'])).toEqual([]);
  });

  it.each(readings)(
    'teaches her other names, under which nothing is stored in plain either, in later runs: %s',
    async (_, options) => {
      const store = await erased();
      await replayBodies(store, Object.values(LATER), options);
      for (const body of UNDER_OTHERS) await replayBodies(store, [body], options);
      expect(await tracesIn(store, HERS, ANA)).toEqual([]);
      // The whole of it once more, backwards, in other wrappers.
      const again = [...UNDER_OTHERS, ...Object.values(LATER)].reverse().map((body) => ({ body, n: 1 }));
      await replayBodies(store, again, options);
      expect(await tracesIn(store, HERS, ANA)).toEqual([]);
      expect(await dumpOf(store)).toContain('of Bru');
      expect(await findingsBeside(store, ['history_ledger'])).toEqual([]);
    },
  );

  it.each([
    ['in a row of a program nobody knows', { sender: ANA, msg: 'secret of a row', who: 'Ana Nova' }],
    [
      'under a name that a later item of the body ties to her',
      webhook('messages', {
        messages: [
          item('P1', 40, { from: undefined, from_user_id: ANA_BSUID, from_parent_user_id: ANA_PARENT }),
          item('P2', 41, { from_user_id: ANA_BSUID }),
        ],
      }),
    ],
  ])('leaves nothing %s', async (_, body) => {
    const store = await erased();
    await replayBodies(store, [body], KEYED);
    const parent = webhook('messages', {
      messages: [
        item('P3', 42, {
          from: undefined,
          from_parent_user_id: ANA_PARENT,
          id: 'wamid.P3',
          text: { body: 'secret of P3' },
        }),
      ],
    });
    if ('entry' in body) await replayBodies(store, [parent], KEYED);
    expect(await tracesIn(store, [...HERS, ANA_PARENT], ANA)).toEqual([]);
  });

  const links = Object.values(LATER);
  const early = UNDER_OTHERS.slice(0, 3);
  it.each([
    ['in runs of their own', [...early, ...links].map((body) => [body])],
    ['in one run', [[...early, ...links]]],
  ])('that came before anything told that it is hers goes with the same contact: %s', async (_, runs) => {
    const store = await erased();
    for (const bodies of runs) await replayBodies(store, bodies, KEYED);
    expect(await tracesIn(store, HERS, ANA)).not.toEqual([]);
    expect(await findingsBeside(store, ['history_ledger'])).toEqual([
      'raw_bodies: 1 erasure is unfinished, and the same command ends it',
    ]);
    const plan = await planErase(testContext(store, KEYED), `+${ANA}`);
    expect(plan.tables.find(({ table }) => table === 'messages')?.rows).toBeGreaterThan(0);
    await erase(testContext(store, KEYED), { contact: `+${ANA}`, secretKey: SECRET, batchSize: 9 });
    expect(await tracesIn(store, HERS, ANA)).toEqual([]);
    expect(await findingsBeside(store, ['history_ledger'])).toEqual([]);
    for (const bodies of runs) await replayBodies(store, [...bodies].reverse(), KEYED);
    expect(await tracesIn(store, HERS, ANA)).toEqual([]);
    expect(await findingsBeside(store, ['history_ledger'])).toEqual([]);
  });

  it('teaches them within one batch as well', async () => {
    const store = await erased();
    await replayBodies(store, [...Object.values(LATER), ...UNDER_OTHERS], KEYED);
    expect(await tracesIn(store, HERS, ANA)).toEqual([]);
  });
});
