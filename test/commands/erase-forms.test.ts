import { expect, it } from 'vitest';
import { erase } from '../../src/commands/erase/erase.js';
import type { JsonObject, JsonValue } from '../../src/model/json.js';
import type { Store } from '../../src/store/store.js';
import { findingsBeside } from '../support/checking.js';
import { describeOnServer } from '../support/databases.js';
import { tracesIn } from '../support/database-dump.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { SECRET } from '../support/secret.js';
import { value } from '../support/shown.js';
import { evolution, gupshup, waha } from '../support/vendor-bodies.js';
import {
  addressBook,
  ANA,
  ANA_BSUID,
  ANA_LID,
  BRU,
  CAR,
  history,
  item,
  live,
  liveFrom,
  old,
  status,
  wamid,
  webEvent,
  webhook,
  webHistory,
  webLive,
  webMessage,
} from '../support/webhooks.js';

const KEYED = { secretKey: () => SECRET } as const;
const GROUP = '120363000000000001@g.us';
const JID = `${ANA}@s.whatsapp.net`;
const BRUS = `${BRU}@s.whatsapp.net`;
const inGroup = (key: string, participant: string): JsonObject => ({
  remoteJid: GROUP,
  fromMe: false,
  id: key,
  participant,
});
const member = (id: string): JsonObject => ({ id, lid: ANA_LID, admin: null, notify: 'Ana Maria' });
const receipt = (userJid: string): JsonObject => ({
  key: { remoteJid: GROUP, fromMe: true, id: 'OWN1' },
  receipt: { userJid, readTimestamp: 1_758_000_050 },
});

/** Whatever may name a person, in every place; in a body of its own, and beside somebody else's items. */
const FORMS: Readonly<Record<string, JsonValue>> = {
  'a message': liveFrom('Ana Maria', 'A0', 0, { text: { body: 'secret of hers' } }),
  'her ids': webhook('messages', {
    contacts: [{ profile: { name: 'Ana Maria' }, wa_id: ANA, user_id: ANA_BSUID }],
    messages: [item('A1', 1, { from_user_id: ANA_BSUID })],
  }),
  'the pair of number and LID': webEvent('lid-mapping.update', { lid: ANA_LID, pn: JID }),
  'the address book': addressBook('add', { full_name: 'Ana da Loja', phone_number: ANA }, 30),
  'a status': status('A0', 'read', 5),
  'a status of a message that never came': status('NEVER', 'read', 5, { recipient_user_id: ANA_BSUID }),
  'a chunk with her thread and another': webhook('history', {
    history: [
      {
        metadata: { phase: 0, chunk_order: 1, progress: 100 },
        threads: [
          { id: ANA, messages: [old('AH', -900)] },
          { id: BRU, messages: [old('BH', -800, { from: BRU })] },
        ],
      },
    ],
  }),
  'a chunk with her as a name': history(
    [old('AH2', -901)],
    { order: 2 },
    { id: ANA, context: { username: 'ana.m' } },
  ),
  preferences: webhook('user_preferences', {
    contacts: [{ profile: { name: 'Ana Maria' }, wa_id: ANA }],
    user_preferences: [{ wa_id: ANA, category: 'marketing_messages', value: 'stop', timestamp: 1 }],
  }),
  'preferences alone': webhook('user_preferences', {
    user_preferences: [{ wa_id: ANA, category: 'marketing_messages', value: 'stop', timestamp: 1 }],
  }),
  'a call of Meta': webhook('calls', { calls: [{ id: 'wacid.1', from: ANA, to: BRU, event: 'connect' }] }),
  'a group of Meta': webhook('group_participants_update', {
    groups: [{ group_id: 'R1', added_participants: [{ wa_id: ANA, input: ANA }, { wa_id: BRU }] }],
  }),
  receipts: webEvent('message-receipt.update', [receipt(JID), receipt(BRUS)]),
  'receipts by LID': webEvent('message-receipt.update', [
    { ...receipt(ANA_LID), key: { remoteJid: GROUP, id: 'OWN1', participantAlt: JID } },
    { key: { remoteJid: BRUS, fromMe: true, id: 'OWN2' }, receipt: { readTimestamp: 1_758_000_051 } },
  ]),
  'who has read a message': webLive(
    'U1',
    40,
    {
      userReceipt: [
        { userJid: JID, readTimestamp: '1758000041' },
        { userJid: BRUS, readTimestamp: '1758000042' },
      ],
    },
    { remoteJid: BRUS, fromMe: true },
  ),
  'who has reacted': webEvent('messages.reaction', [
    { key: inGroup('G1', BRUS), reaction: { key: inGroup('R1', JID), text: '👍' } },
  ]),
  members: webEvent('group-participants.update', { id: GROUP, participants: [JID, BRUS], action: 'add' }),
  'members as objects': webEvent('group-participants.update', {
    id: GROUP,
    author: ANA_LID,
    participants: [member(JID), member(BRUS)],
    action: 'add',
  }),
  'a group': webEvent('groups.upsert', [
    { id: GROUP, owner: JID, subject: 'A', participants: [member(JID)] },
  ]),
  'what a group says of itself': webLive(
    'S1',
    41,
    { messageStubType: 27, messageStubParameters: [JID], message: null },
    { remoteJid: GROUP, participant: BRUS },
  ),
  presence: webEvent('presence.update', {
    id: JID,
    presences: { [JID]: { lastKnownPresence: 'composing' } },
  }),
  'presence in a group': webEvent('presence.update', {
    id: GROUP,
    presences: { [ANA_LID]: { lastKnownPresence: 'composing' } },
  }),
  'a call': webEvent('call', [{ id: 'C1', from: JID, chatId: JID, status: 'offer' }]),
  'a label': webEvent('labels.association', { association: { chatId: JID, labelId: '1' }, type: 'add' }),
  'a block list': webEvent('blocklist.update', { blocklist: [JID, BRUS], type: 'add' }),
  'push names': webEvent('contacts.update', [
    { id: JID, notify: 'Ana Maria' },
    { id: BRUS, notify: 'Bru' },
  ]),
  'lists of a history': webHistory([webMessage('WB', -100, {}, { remoteJid: BRUS })], {
    chats: [
      { id: JID, unreadCount: 0 },
      { id: BRUS, unreadCount: 0 },
      { id: GROUP, participant: [{ userJid: JID, rank: 0 }] },
    ],
    contacts: [{ id: JID, notify: 'Ana Maria' }],
    pushnames: [{ id: JID, pushname: 'Ana Maria' }],
    lidPnMappings: [{ lid: ANA_LID, pn: JID }],
  }),
  'a message of hers in a group': webLive(
    'G2',
    42,
    { message: { conversation: 'secret of hers' } },
    inGroup('G2', JID),
  ),
  'a group of WAHA': waha('group.v2.participants', {
    group: { id: GROUP },
    type: 'join',
    participants: [{ id: `${ANA}@c.us`, role: 'participant' }],
  }),
  'a reaction of WAHA': waha('message.reaction', {
    id: `false_${GROUP}_K3_${ANA}@c.us`,
    timestamp: 1_758_000_060,
    participant: `${ANA}@c.us`,
    reaction: { text: '👍', messageId: `true_${GROUP}_K2` },
  }),
  'a call of Evolution': evolution('call', { id: 'C1', from: JID, status: 'offer' }),
  'a label of Evolution': evolution('labels.association', { type: 'add', chatId: JID, labelId: '1' }),
  'an opt-in of Gupshup': gupshup('user-event', { phone: ANA, type: 'opted-in' }),
  'around somebody else': { peer: ANA, pushName: 'x', body: JSON.stringify(live('B8', 70, { from: BRU })) },
  'a line around somebody else': `2025-09-16T05:20:00Z INFO from=${ANA} webhook ${JSON.stringify(live('B9', 71, { from: BRU }))}`,
  'something unknown': { event: 'something.new', sessionId: 'loja', data: { who: JID } },
  'something broken': `{"broken": "${ANA}"`,
};

/** What others write stays theirs (F3). */
const WRITTEN: Readonly<Record<string, JsonObject>> = {
  'her number in a text': live('T1', 80, { from: BRU, text: { body: `call ${ANA}` } }),
  'a quote': live('T2', 81, { from: BRU, context: { from: ANA, id: wamid('A0') } }),
  'her card': live('T3', 82, {
    from: BRU,
    type: 'contacts',
    text: undefined,
    contacts: [{ name: { formatted_name: 'Ana Maria' }, phones: [{ phone: `+${ANA}`, wa_id: ANA }] }],
  }),
  'her card as text': webLive(
    'T4',
    83,
    {
      message: {
        contactMessage: { displayName: 'x', vcard: `BEGIN:VCARD\nTEL;waid=${ANA}:+${ANA}\nEND:VCARD` },
      },
    },
    { remoteJid: BRUS },
  ),
  'a mention': webLive(
    'T5',
    84,
    { message: { extendedTextMessage: { text: '@x', contextInfo: { mentionedJid: [JID] } } } },
    { remoteJid: BRUS },
  ),
};

/** Whatever the person may be recognized by; their number also as it was before the ninth digit, and as it is written at home. */
const HERS = [
  ANA,
  ANA.slice(2),
  '551190000001',
  '1190000001',
  ANA_LID.split('@')[0] ?? '',
  ANA_BSUID,
  'Ana Maria',
  'Ana da Loja',
  'ana.m',
  'secret of hers',
];

const traces = (store: Store): Promise<string[]> => tracesIn(store, HERS, ANA);

const findings = (store: Store): Promise<string[]> => findingsBeside(store, ['rejects', 'raw_log']);

const others = (store: Store): Promise<unknown> =>
  value(
    store,
    `select json_agg(array[external_id, body, status] order by external_id) from messages
     where lead_id in (select id from leads where phone_number in ('+${BRU}', '+${CAR}'))`,
  );

const eraseAna = (store: Store) =>
  erase(testContext(store, KEYED), { contact: `+${ANA}`, secretKey: SECRET, batchSize: 100 });

describeOnServer('every place that may name a person', (backend) => {
  it.each([[[]], [['group']]] as const)(
    'has nothing of one who was erased (chats included: %s)',
    async (include) => {
      const store = await backend.open();
      const log = [...Object.values(FORMS), live('C1', 90, { from: CAR })];
      await replayBodies(store, log, { ...KEYED, include: new Set(include) });
      const before = await others(store);
      const told = await findings(store);
      await eraseAna(store);
      const leftIn = await bodiesThatName(store);
      expect(leftIn).toEqual([]);
      expect(await traces(store)).toEqual([]);
      expect(await others(store)).toEqual(before);
      expect(await findings(store)).toEqual(told);

      // From outside, in other bytes, in the other order.
      const again = log
        .map((body) => (typeof body === 'string' ? ` ${body}` : { at: 1, ...present(body) }))
        .reverse();
      await replayBodies(store, again, { ...KEYED, include: new Set(include) });
      expect(await bodiesThatName(store)).toEqual([]);
      await replayLog(store, { which: 'all' });
      expect(await traces(store)).toEqual([]);
      expect(await others(store)).toEqual(before);
      expect(await findings(store)).toEqual(told);
    },
  );

  it('keeps what other people wrote about the person', async () => {
    const store = await backend.open();
    await replayBodies(store, [...Object.values(FORMS).slice(0, 3), ...Object.values(WRITTEN)]);
    await eraseAna(store);
    const kept = await store.sql.query(
      `select convert_from(raw_body, 'UTF8') as body from webhook_log where body_state is null`,
    );
    const bodies = kept.map(({ body }) => JSON.parse(String(body)) as unknown);
    expect(bodies).toHaveLength(Object.keys(WRITTEN).length);
    expect(bodies).toEqual(expect.arrayContaining(Object.values(WRITTEN)));
    expect(await findings(store)).toEqual([]);
  });
});

/** A body with another member beside its own. */
function present(body: JsonValue): JsonObject {
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? body : { body };
}

/** Bodies in which a name of hers is left. */
async function bodiesThatName(store: Store): Promise<string[]> {
  const rows = await store.sql.query(
    `select convert_from(raw_body, 'UTF8') as body from webhook_log
     where convert_from(raw_body, 'UTF8') ~ $1`,
    [HERS.map((word) => word.replaceAll('.', '\\.')).join('|')],
  );
  return rows.map(({ body }) => String(body));
}
