import { describe, expect, it } from 'vitest';
import type { CrmMessage, CrmRecord, CrmRow, HasColumn, KeptQuestion } from '../../src/crm/crm.js';
import { TICKETZ, WHATICKET } from '../../src/crm/dialects/whaticket.js';

const KEY = { remoteJid: '5511988880001@s.whatsapp.net', fromMe: false, id: '3EB0A1B2C3D4E5F60001' };

/** A row of ticketz as its database gives it. */
const TICKETZ_ROW: CrmRecord = {
  id: '3EB0A1B2C3D4E5F60001',
  body: 'Bom dia, ainda tem vaga?',
  fromMe: false,
  mediaType: null,
  ticketId: 9,
  createdAt: '2026-09-21 11:13:23.101+00',
  dataJson: JSON.stringify({
    key: KEY,
    messageTimestamp: 1_790_000_000,
    message: { conversation: 'Bom dia, ainda tem vaga?' },
  }),
  remoteJid: KEY.remoteJid,
  isDeleted: false,
  channel: 'whatsapp',
  whatsappId: '2',
  isGroup: false,
  ticketContactId: 41,
  number: '5511988880001',
  ticketChannel: 'whatsapp',
  numberLid: null,
  lid: null,
};

const FORK_ROW: CrmRecord = {
  ...TICKETZ_ROW,
  id: 501,
  wid: KEY.id,
  mediaType: 'conversation',
  isPrivate: false,
};

/** A row of whaticket-community. */
const COMMUNITY_ROW: CrmRecord = {
  id: '3EB0A1B2C3D4E5F60001',
  body: 'Bom dia',
  fromMe: true,
  mediaType: 'chat',
  ticketId: 9,
  createdAt: '2026-09-21 11:13:23.101+00',
  isDeleted: false,
  whatsappId: '2',
  isGroup: false,
  ticketContactId: 41,
  number: '5511988880001',
};

function messageOf(record: CrmRecord): CrmMessage {
  const row = TICKETZ.readRow(record);
  if (row.kind !== 'message') throw new Error(`aside: ${row.reason}`);
  return row.message;
}

function reasonOf(record: CrmRecord): string | null {
  const row: CrmRow = TICKETZ.readRow(record);
  return row.kind === 'aside' ? row.reason : row.message.aside;
}

function without(record: CrmRecord, ...names: string[]): CrmRecord {
  return Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name)));
}

function withJson(record: CrmRecord, json: unknown): CrmRecord {
  return { ...record, dataJson: JSON.stringify(json) };
}

describe('a message', () => {
  it('of ticketz has WhatsApp’s own time, which its data alone tells', () => {
    expect(TICKETZ.readRow(TICKETZ_ROW)).toEqual({
      kind: 'message',
      message: {
        rowId: '3EB0A1B2C3D4E5F60001/9',
        connection: '2',
        externalId: '3EB0A1B2C3D4E5F60001',
        contact: '5511988880001',
        person: { phone: '+5511988880001' },
        direction: 'INBOUND',
        at: 1_790_000_000_000,
        storedAt: Date.parse('2026-09-21T11:13:23.101Z'),
        lacks: [],
        type: 'conversation',
        kinds: [],
        body: 'Bom dia, ainda tem vaga?',
        aside: null,
      },
    });
  });

  it.each([
    ['a number', 1_790_000_000],
    ['a text', '1790000000'],
    ['a protobuf’s Long', { low: 1_790_000_000, high: 0, unsigned: true }],
  ])('has its time as %s', (_form, messageTimestamp) => {
    const record = withJson(TICKETZ_ROW, { key: KEY, messageTimestamp, message: { conversation: 'x' } });
    expect(messageOf(record).at).toBe(1_790_000_000_000);
  });

  it.each([
    null,
    '',
    'no JSON {',
    '[]',
    '"text"',
    '{"key":null,"message":[1],"messageTimestamp":{"low":"x"}}',
    '{"key":[],"messageTimestamp":-1,"message":null}',
  ])('is read without data that can be read: %s', (dataJson) => {
    const message = messageOf({ ...TICKETZ_ROW, dataJson });
    expect(message).toMatchObject({
      externalId: '3EB0A1B2C3D4E5F60001',
      contact: '5511988880001',
      direction: 'INBOUND',
      at: null,
      type: 'chat',
      body: 'Bom dia, ainda tem vaga?',
    });
  });

  it('of a fork has its id in wid, and the time of its row', () => {
    const message = messageOf({ ...FORK_ROW, dataJson: null });
    expect(message).toMatchObject({
      rowId: '501',
      externalId: KEY.id,
      at: message.storedAt,
      body: 'Bom dia, ainda tem vaga?',
    });
    expect(messageOf({ ...FORK_ROW, wid: null }).externalId).toBeNull();
    expect(messageOf({ ...FORK_ROW, wid: '' }).externalId).toBeNull();
  });

  it('of the community’s Whaticket tells only when it was stored', () => {
    expect(messageOf(COMMUNITY_ROW)).toMatchObject({
      rowId: '3EB0A1B2C3D4E5F60001',
      externalId: '3EB0A1B2C3D4E5F60001',
      direction: 'OUTBOUND',
      at: null,
      storedAt: Date.parse('2026-09-21T11:13:23.101Z'),
      type: 'chat',
      body: 'Bom dia',
    });
  });

  it('of an export has texts in all columns', () => {
    const texts = Object.fromEntries(
      Object.entries(TICKETZ_ROW).map(([name, value]) => {
        if (value === false) return [name, 'f'];
        return [name, typeof value === 'number' ? value.toFixed(0) : value];
      }),
    );
    expect(TICKETZ.readRow(texts)).toEqual(TICKETZ.readRow(TICKETZ_ROW));
    expect(messageOf({ ...texts, fromMe: 'true' }).direction).toBe('OUTBOUND');
    expect(messageOf({ ...texts, fromMe: '1' }).direction).toBe('OUTBOUND');
    expect(messageOf({ ...texts, fromMe: null }).direction).toBeNull();
  });

  it('holds nothing that no database takes', () => {
    const key = { remoteJid: '5511\0@lid', id: 'x' };
    const record = withJson(
      { ...without(TICKETZ_ROW, 'number', 'ticketContactId'), remoteJid: null, id: 'A\0', body: '\ud800' },
      { key, message: { 'a\0': {} } },
    );
    expect(JSON.stringify(messageOf(record))).not.toMatch(/\\u0000|\\ud8/);
  });

  it('is read of a row with nothing in it', () => {
    for (const columns of [TICKETZ_ROW, FORK_ROW, COMMUNITY_ROW]) {
      const empty = Object.fromEntries(Object.keys(columns).map((name) => [name, null]));
      expect(messageOf(empty)).toMatchObject({
        externalId: null,
        direction: null,
        at: null,
        person: {},
      });
    }
    expect(messageOf({})).toMatchObject({ rowId: '', connection: '', externalId: null, contact: '' });
  });
});

describe('a body', () => {
  it.each([
    ['a caption', { imageMessage: {} }, 'image'],
    ['a transcription', { audioMessage: {} }, 'audio'],
    ['a picture of a map', { locationMessage: {} }, null],
    ['a card', { contactMessage: {} }, 'contactMessage'],
    ['a reply to buttons', { buttonsResponseMessage: {} }, null],
  ])('that is %s is not compared', (_what, message, mediaType) => {
    const record = withJson({ ...TICKETZ_ROW, mediaType }, { key: KEY, message });
    expect(messageOf(record).body).toBeUndefined();
  });

  it('of a text is compared with whatever stands around it', () => {
    for (const message of [
      { conversation: 'x' },
      { messageContextInfo: {}, extendedTextMessage: { text: 'x' } },
      { senderKeyDistributionMessage: {}, conversation: 'x' },
      { ephemeralMessage: { message: { extendedTextMessage: { text: 'x' } } } },
    ]) {
      expect(messageOf(withJson({ ...TICKETZ_ROW, body: 'x' }, { key: KEY, message })).body).toBe('x');
    }
  });

  it('of a message that was deleted may be the CRM’s own words', () => {
    expect(messageOf({ ...FORK_ROW, isDeleted: true, body: '🚫 _Mensagem Apagada_' }).body).toBeUndefined();
  });
});

describe('a row that is no message', () => {
  it.each([
    ['quoted_stub', withJson({ ...TICKETZ_ROW, id: `${KEY.id}-9` }, { conversation: 'x' })],
    ['quoted_stub', { ...TICKETZ_ROW, id: `${KEY.id}-9`, dataJson: null }],
    ['private_note', { ...FORK_ROW, wid: 'PVT12' }],
    ['private_note', { ...FORK_ROW, isPrivate: true }],
    ['other_channel', { ...FORK_ROW, ticketChannel: 'facebook' }],
    ['other_channel', { ...FORK_ROW, channel: 'instagram' }],
    ['call', { ...TICKETZ_ROW, mediaType: 'call_log' }],
    ['reaction', { ...TICKETZ_ROW, mediaType: 'reactionMessage' }],
    [
      'reaction',
      withJson(TICKETZ_ROW, { key: KEY, message: { messageContextInfo: {}, reactionMessage: {} } }),
    ],
    ['protocol', withJson(TICKETZ_ROW, { key: KEY, message: { protocolMessage: { type: 3 } } })],
    ['poll_vote', withJson(TICKETZ_ROW, { key: KEY, message: { pollUpdateMessage: {} } })],
    ['activity', { ...COMMUNITY_ROW, mediaType: 'event' }],
    ['group', { ...TICKETZ_ROW, isGroup: true }],
    ['group', { ...TICKETZ_ROW, remoteJid: '120363000000000001@g.us' }],
    ['status_broadcast', { ...TICKETZ_ROW, remoteJid: 'status@broadcast' }],
    ['newsletter', { ...TICKETZ_ROW, remoteJid: '120363000000000001@newsletter' }],
  ])('is %s', (reason, record) => {
    expect(reasonOf(record)).toBe(reason);
  });

  it('is not one whose id merely ends like a stub’s', () => {
    const id = 'false_5511988880001-9';
    expect(
      reasonOf(withJson({ ...TICKETZ_ROW, id }, { key: { ...KEY, id }, message: { conversation: 'x' } })),
    ).toBeNull();
    expect(reasonOf({ ...TICKETZ_ROW, id: `${KEY.id}-8`, dataJson: null })).toBeNull();
  });
});

describe('a contact', () => {
  it('is who the CRM says, not who the message’s key names', () => {
    const { contact, person } = messageOf({ ...TICKETZ_ROW, number: '5521977770002' });
    expect(contact).toBe('5521977770002');
    expect(person.phone).toBe('+5521977770002');
  });

  it('has a LID of its own, or in the map of LIDs', () => {
    const lid = '271828182845904@lid';
    expect(messageOf({ ...TICKETZ_ROW, number: lid })).toMatchObject({ contact: lid, person: { lid } });
    expect(messageOf({ ...TICKETZ_ROW, lid }).person).toMatchObject({ phone: '+5511988880001', lid });
    expect(messageOf({ ...COMMUNITY_ROW, numberLid: '271828182845904' }).person).toMatchObject({
      phone: '+5511988880001',
      lid,
    });
    expect(messageOf({ ...COMMUNITY_ROW, number: null, numberLid: '271828182845904' })).toMatchObject({
      contact: lid,
      person: { lid },
    });
  });

  it('whose number is the digits of a LID is that LID where the CRM knows it, and else nobody, but no phone', () => {
    const number = '271828182845904';
    const lid = `${number}@lid`;
    expect(messageOf({ ...COMMUNITY_ROW, number, numberLid: number })).toMatchObject({
      contact: lid,
      person: { lid },
    });
    expect(messageOf({ ...COMMUNITY_ROW, number }).contact).toBe(lid);
    expect(messageOf({ ...COMMUNITY_ROW, number }).person).toEqual({});
    expect(
      messageOf({ ...TICKETZ_ROW, number: '12345678901234', remoteJid: '12345678901234@lid' }).contact,
    ).toBe('12345678901234@lid');
  });

  it('is a group by its mark', () => {
    const record = { ...COMMUNITY_ROW, number: '120363000000000001', isGroup: true };
    expect(messageOf(record)).toMatchObject({
      contact: '120363000000000001@g.us',
      person: { waId: '120363000000000001@g.us' },
      aside: 'group',
    });
  });

  it('is WhatsApp’s address where an export has no contacts', () => {
    const alone = without(TICKETZ_ROW, 'number', 'ticketContactId');
    expect(messageOf(alone)).toMatchObject({ contact: KEY.remoteJid, person: { phone: '+5511988880001' } });
    const key = { ...KEY, remoteJid: '271828182845904@lid' };
    for (const name of ['remoteJidAlt', 'senderPn', 'sender_pn', 'peer_recipient_pn']) {
      const record = withJson(
        { ...alone, remoteJid: null },
        { key: { ...key, [name]: KEY.remoteJid }, message: { conversation: 'x' } },
      );
      expect(messageOf(record).person).toMatchObject({ lid: key.remoteJid, phone: '+5511988880001' });
    }
  });
});

describe('a connection', () => {
  it('has its number in a column, or in WhatsApp Web’s session', () => {
    const session =
      '{"creds":{"noiseKey":{},"me":{"id":"5511900000099:12@s.whatsapp.net","name":"Loja"}},"keys":{}}';
    const row = { id: 2, name: 'Loja', status: 'CONNECTED' };
    expect(TICKETZ.readConnection({ ...row, session })).toEqual({
      key: '2',
      name: 'Loja',
      phoneNumberId: null,
      phone: '+5511900000099',
      isCloudApi: false,
    });
    expect(TICKETZ.readConnection({ ...row, number: '5511900000099' }).phone).toBe('+5511900000099');
    expect(TICKETZ.readConnection({ ...row, me: '5511900000099' }).phone).toBe('+5511900000099');
    expect(TICKETZ.readConnection({ ...row, session: '{}' }).phone).toBeNull();
    expect(TICKETZ.readConnection({}).name).toBe('');
  });
});

describe('the files of other tables', () => {
  const tables = new Map([
    [
      'Tickets',
      new Map<string, CrmRecord>([
        ['9', { id: '9', contactId: '41', whatsappId: '2', isGroup: 'f', channel: 'whatsapp' }],
        ['10', { id: '10', contactId: null, whatsappId: null }],
      ]),
    ],
    [
      'Contacts',
      new Map<string, CrmRecord>([['41', { id: '41', number: '5511988880001', numberLid: null }]]),
    ],
    [
      'WhatsappLidMaps',
      new Map<string, CrmRecord>([
        ['1', { id: '1', contactId: '41', lid: '2@lid' }],
        ['2', { id: '2', contactId: '41', lid: '1@lid' }],
      ]),
    ],
  ]);
  const bare = without(
    TICKETZ_ROW,
    'whatsappId',
    'ticketContactId',
    'number',
    'lid',
    'ticketChannel',
    'isGroup',
  );

  it('give a message what the query’s joins give', () => {
    const joined = TICKETZ.join?.(tables)(bare) ?? {};
    expect(TICKETZ.readRow(joined)).toEqual(TICKETZ.readRow({ ...TICKETZ_ROW, lid: '1@lid' }));
  });

  it('may lack its ticket or its contact', () => {
    const join = TICKETZ.join?.(tables);
    expect(join?.({ ...bare, ticketId: '11' })).not.toHaveProperty('whatsappId');
    expect(messageOf(join?.({ ...bare, ticketId: '10' }) ?? {})).toMatchObject({
      connection: 'none',
      contact: KEY.remoteJid,
    });
    expect(
      messageOf(TICKETZ.join?.(new Map([['Tickets', tables.get('Tickets') ?? new Map()]]))(bare) ?? {}),
    ).toMatchObject({
      contact: 'contact 41',
      person: { phone: '+5511988880001' },
    });
  });
});

describe('what is never stored', () => {
  const question: KeptQuestion = {
    type: 'text',
    direction: 'OUTBOUND',
    source: 'live',
    body: null,
    isGroup: false,
    isRevoked: false,
    hasErrors: false,
    isBeforeCrm: false,
    isBeforeSource: false,
    isCloudApi: false,
  };
  const fork = TICKETZ.version?.(() => true) ?? TICKETZ;

  it.each([
    ['ticketz', TICKETZ, { contacts: 'without_media', location: 'without_media', image: null, text: null }],
    ['a fork', fork, { contacts: null, location: 'without_media', sticker: null }],
    ['the community', WHATICKET, { contacts: null, location: null, poll: 'without_media' }],
  ])('of the business’s own messages by %s', (_name, dialect, reasons) => {
    for (const [type, reason] of Object.entries(reasons)) {
      expect([type, dialect.notKept({ ...question, type })]).toEqual([type, reason]);
    }
  });

  it.each<[string | null, Partial<KeptQuestion>]>([
    [null, {}],
    ['automatic', { body: '\u200eBem-vindo!' }],
    [null, { body: '\u200eBem-vindo!', direction: 'INBOUND' }],
    ['group', { isGroup: true }],
    ['history', { source: 'history', isBeforeCrm: true }],
    [null, { source: 'history' }],
    [null, { isBeforeCrm: true }],
    [null, { direction: 'INBOUND', type: 'location' }],
    ['type', { direction: 'INBOUND', type: 'poll' }],
  ])('%s: %j', (reason, asked) => {
    expect(WHATICKET.notKept({ ...question, ...asked })).toBe(reason);
  });
});

describe('the query', () => {
  const has =
    (...columns: string[]): HasColumn =>
    (table, column) =>
      columns.includes(`${table}.${column}`);

  it('names only columns that are there', () => {
    const plain = WHATICKET.messagesQuery(has());
    for (const name of ['dataJson', 'wid', 'numberLid"\n', 'WhatsappLidMaps', 't.channel'])
      expect(plain).not.toContain(name);
    const whole = TICKETZ.messagesQuery(
      has(
        'Messages.wid',
        'Messages.dataJson',
        'Contacts.numberLid',
        'WhatsappLidMaps.lid',
        'Tickets.channel',
      ),
    );
    for (const name of ['m."dataJson"', 'm."wid"', 'c."numberLid"', '"WhatsappLidMaps"', 't.channel']) {
      expect(whole).toContain(name);
    }
  });

  it('takes no session out of the database', () => {
    expect(TICKETZ.connectionsQuery(has())).not.toMatch(/w\.session\s*(?:,|as|\n)/);
  });
});
