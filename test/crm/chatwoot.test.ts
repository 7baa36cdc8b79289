import { describe, expect, it } from 'vitest';
import type { CrmMessage, CrmRecord, CrmTables, KeptQuestion } from '../../src/crm/crm.js';
import { CHATWOOT } from '../../src/crm/dialects/chatwoot.js';
import { encodeWamid, WAMID_MARKERS } from '../../src/identity/wamid.js';

const WAMID = encodeWamid('5511988880001', '3EB0A1B2C3D4E5F60001', WAMID_MARKERS.customer);

/** A row of an inbox of the Cloud API, as the query gives it. */
const OWN: CrmRecord = {
  id: 501,
  content: 'Bom dia, ainda tem vaga?',
  inbox_id: 3,
  conversation_id: 77,
  message_type: 0,
  private: false,
  source_id: WAMID,
  created_at: '2026-09-21 11:13:22.123456',
  status: 0,
  content_type: 0,
  content_attributes: {},
  sender_type: 'Contact',
  channel_type: 'Channel::Whatsapp',
  contact_id: '41',
  phone_number: '+5511988880001',
  identifier: null,
  contact_source_id: '5511988880001',
  file_type: null,
};

/** A row of an API inbox behind Evolution API. */
const HANDED_ON: CrmRecord = {
  ...OWN,
  id: 504,
  inbox_id: 4,
  source_id: 'WAID:3EB0A1B2C3D4E5F60003',
  channel_type: 'Channel::Api',
  identifier: '5511988880001@s.whatsapp.net',
  contact_source_id: '0b2f2a3c-5c1c-4a5e-9a53-0d3a6f0f8a11',
};

function messageOf(record: CrmRecord): CrmMessage {
  const row = CHATWOOT.readRow(record);
  if (row.kind === 'aside') throw new Error(`aside: ${row.reason}`);
  return row.message;
}

function reasonOf(record: CrmRecord): string | null {
  const row = CHATWOOT.readRow(record);
  return row.kind === 'aside' ? row.reason : row.message.aside;
}

describe('a message of Chatwoot', () => {
  it('is read with its words, its person and the time of its processing', () => {
    expect(messageOf(OWN)).toEqual({
      rowId: '501',
      connection: '3',
      externalId: WAMID,
      contact: '+5511988880001',
      person: { phone: '+5511988880001' },
      direction: 'INBOUND',
      at: null,
      storedAt: Date.UTC(2026, 8, 21, 11, 13, 22, 123),
      lacks: [],
      type: 'text',
      kinds: [],
      body: 'Bom dia, ainda tem vaga?',
      aside: null,
    });
  });

  it.each([
    [WAMID, WAMID],
    ['WAID:3EB0A1B2C3D4E5F60003', '3EB0A1B2C3D4E5F60003'],
    ['3EB0A1B2C3D4E5F60003', '3EB0A1B2C3D4E5F60003'],
    ['false_5511988880001@c.us_3EB0A1B2C3D4E5F60003', '3EB0A1B2C3D4E5F60003'],
    ['false_120363000000000001@g.us_3EB0A1_5511988880001@c.us', '3EB0A1'],
    ['WAID:', null],
    [' ', null],
    [null, null],
  ])('has the id %j without what hands it on: %j', (source, id) => {
    expect(messageOf({ ...OWN, source_id: source }).externalId).toBe(id);
  });

  it.each([
    [0, 'INBOUND'],
    ['0', 'INBOUND'],
    ['incoming', 'INBOUND'],
    [1, 'OUTBOUND'],
    ['outgoing', 'OUTBOUND'],
    [3, 'OUTBOUND'],
    ['template', 'OUTBOUND'],
    [7, null],
    [null, null],
    [{}, null],
  ])('of type %j goes %s', (type, direction) => {
    expect(messageOf({ ...OWN, message_type: type }).direction).toBe(direction);
  });

  it('says when it was sent only where a program wrote that down, or it is of an imported history', () => {
    const at = Date.UTC(2026, 8, 21, 14, 13, 30);
    const said = (content_attributes: unknown) => messageOf({ ...HANDED_ON, content_attributes }).at;
    expect(said({ external_created_at: at / 1000 })).toBe(at);
    expect(said({ external_created_at: String(at / 1000) })).toBe(at);
    expect(said({ external_created_at: at })).toBe(at);
    expect(said({ external_created_at: '2026-09-21T14:13:30Z' })).toBe(at);
    expect(said({ historical: true })).toBe(Date.UTC(2026, 8, 21, 11, 13, 22, 123));
    for (const nothing of [0, -5, 'soon', null, {}, [], true, 1e300]) {
      expect(said({ external_created_at: nothing })).toBeNull();
    }
  });

  it('has attributes that Rails encoded twice, also in a file', () => {
    const once = JSON.stringify({ external_created_at: 1_790_000_010 });
    for (const content_attributes of [once, JSON.stringify(once)]) {
      expect(messageOf({ ...OWN, content_attributes }).at).toBe(1_790_000_010_000);
    }
  });

  it('is no evidence of words where an agent wrote them, or deleted them', () => {
    const out: CrmRecord = { ...OWN, message_type: 1 };
    expect(messageOf({ ...out, sender_type: 'User' }).body).toBeUndefined();
    expect(messageOf({ ...out, sender_type: null, content_attributes: { external_echo: true } }).body).toBe(
      OWN.content,
    );
    const older = Object.fromEntries(Object.entries(out).filter(([name]) => name !== 'sender_type'));
    expect(messageOf(older).body).toBeUndefined();
    expect(messageOf({ ...OWN, content_attributes: { deleted: true } }).body).toBeUndefined();
    expect(messageOf({ ...OWN, content: null }).body).toBeNull();
  });

  it('has its words without what Evolution API adds of an advertisement, and without marks', () => {
    const content = 'Quero *esse*\n\n\n**Promoção**\nAté sexta\nhttps://fb.me/x';
    expect(messageOf({ ...HANDED_ON, content }).body).toBe('Quero *esse*');
    const { wordsOf } = CHATWOOT;
    expect(wordsOf?.('**Oi** *ana* ~~não~~')).toBe(wordsOf?.('*Oi* _ana_ ~não~'));
    expect(wordsOf?.('Oi')).not.toBe(wordsOf?.('Olá'));
  });

  it.each([
    [0, 'image'],
    ['1', 'audio'],
    [3, 'file'],
    ['location', 'location'],
    [null, 'text'],
  ])('with a file of type %j is of type %s', (file_type, type) => {
    expect(messageOf({ ...OWN, file_type }).type).toBe(type);
  });
});

describe('the person of a message of Chatwoot', () => {
  it.each([
    [
      'the number that WhatsApp addressed, whatever the contact says',
      OWN,
      { phone_number: '+4930123456' },
      '+5511988880001',
    ],
    ['the contact of an API inbox', HANDED_ON, {}, '+5511988880001'],
    ['its phone alone', HANDED_ON, { identifier: null }, '+5511988880001'],
    ['its JID alone', HANDED_ON, { phone_number: null }, '+5511988880001'],
    [
      'nobody, by an id of another program',
      HANDED_ON,
      { phone_number: null, identifier: '5511977770000' },
      undefined,
    ],
    [
      'nobody, by an e-mail address',
      HANDED_ON,
      { phone_number: null, identifier: 'ana@example.com' },
      undefined,
    ],
  ])('is %s', (_, record, fields, phone) => {
    expect(messageOf({ ...record, ...fields }).person.phone).toBe(phone);
  });

  it('is a LID, whose digits are no phone', () => {
    const lid = { ...HANDED_ON, identifier: '111000000000001@lid' };
    for (const identifier of [null, '111000000000001@s.whatsapp.net']) {
      const taken = messageOf({ ...HANDED_ON, identifier, phone_number: '+111000000000001' });
      expect(taken).toMatchObject({ contact: '111000000000001@lid', person: { lid: '111000000000001@lid' } });
      expect(taken.person.phone).toBeUndefined();
    }
    const unknown = messageOf({ ...lid, phone_number: '+111000000000001' });
    expect(unknown.person).toEqual({ lid: '111000000000001@lid' });
    expect(unknown.contact).toBe('111000000000001@lid');
    expect(messageOf(lid).person).toMatchObject({ lid: '111000000000001@lid', phone: '+5511988880001' });
  });

  it('is a BSUID where the customer hides the number', () => {
    const { person } = messageOf({ ...OWN, contact_source_id: 'BR.1234567890abc', phone_number: null });
    expect(person).toEqual({ bsuids: ['BR.1234567890abc'] });
  });

  it('is unknown where a file of contacts is missing, and one contact stays one', () => {
    const nobody = { phone_number: undefined, identifier: undefined, contact_source_id: undefined };
    const message = messageOf({ ...OWN, ...nobody, channel_type: undefined });
    expect(message).toMatchObject({ person: {}, contact: 'contact 41' });
    const alone = { ...OWN, ...nobody, channel_type: undefined, contact_id: undefined };
    expect(messageOf(alone)).toMatchObject({ person: {}, contact: null });
  });
});

describe('a row of Chatwoot that is no message', () => {
  const out = { ...OWN, message_type: 1, source_id: null };
  it.each<[string, CrmRecord, string | null]>([
    ['what happened in a conversation', { ...OWN, message_type: 2 }, 'activity'],
    ['a private note', { ...out, private: true }, 'private_note'],
    ['the same in a file', { ...out, private: 't', message_type: '1' }, 'private_note'],
    ['a survey', { ...out, message_type: 3, content_type: 9 }, 'activity'],
    ['a link to a call', { ...out, content_type: 10 }, 'activity'],
    ['a card', { ...OWN, source_id: '', file_type: 8 }, 'contact_card'],
    ['what is queued', out, 'unsent'],
    ['what WhatsApp refused', { ...out, status: 3 }, 'unsent'],
    ['the same in an API inbox', { ...out, channel_type: 'Channel::Api', status: '3' }, 'unsent'],
    ['what Evolution API sent and forgot', { ...out, channel_type: 'Channel::Api', status: 0 }, null],
    ['a message without id', { ...OWN, source_id: null }, null],
    ['a reaction of a fork', { ...OWN, content_attributes: { is_reaction: true } }, 'reaction'],
    ['Evolution API’s own contact', { ...HANDED_ON, phone_number: '+123456' }, 'activity'],
    ['a group', { ...HANDED_ON, identifier: '120363000000000001@g.us', phone_number: null }, 'group'],
    [
      'an edit that Evolution API handed on',
      { ...HANDED_ON, content_attributes: { in_reply_to_external_id: '3EB0A1B2C3D4E5F60003' } },
      'edit',
    ],
    [
      'a reply',
      { ...HANDED_ON, content_attributes: { in_reply_to_external_id: 'WAID:3EB0A1B2C3D4E5F60009' } },
      null,
    ],
  ])('%s', (_, record, reason) => {
    expect(reasonOf(record)).toBe(reason);
  });

  it('is a reaction or a message of the phone only where the log lacks one of its id', () => {
    const reply = { in_reply_to_external_id: 'WAID:3EB0A1B2C3D4E5F60009' };
    for (const content of ['👍', '❤️', '🇧🇷', '👍🏽']) {
      const message = messageOf({ ...HANDED_ON, content, content_attributes: reply });
      expect(message).toMatchObject({ aside: 'reaction', externalId: '3EB0A1B2C3D4E5F60003' });
    }
    for (const content of ['1', '👍 ok', '', null, '#']) {
      expect(messageOf({ ...HANDED_ON, content, content_attributes: reply }).aside).toBeNull();
    }
    expect(messageOf({ ...HANDED_ON, content: '👍' }).aside).toBeNull();
    const waha = messageOf({ ...HANDED_ON, message_type: 1, private: true });
    expect(waha).toMatchObject({ aside: 'private_note', externalId: '3EB0A1B2C3D4E5F60003' });
  });
});

describe('any row of Chatwoot', () => {
  const HOSTILE = [
    null,
    undefined,
    '',
    '{',
    '"',
    '[]',
    '"[]"',
    [],
    {},
    true,
    -1,
    1e308,
    'NaN',
    new Date(0),
    '\0',
  ];

  it('is read, whatever a column holds', () => {
    for (const record of [OWN, HANDED_ON]) {
      for (const column of Object.keys(record)) {
        for (const value of HOSTILE) {
          expect(() => CHATWOOT.readRow({ ...record, [column]: value })).not.toThrow();
        }
      }
    }
    for (const value of HOSTILE) {
      const all = Object.fromEntries(Object.keys(OWN).map((column) => [column, value]));
      expect(() => CHATWOOT.readRow(all)).not.toThrow();
      expect(() => CHATWOOT.readConnection(all)).not.toThrow();
    }
    expect(CHATWOOT.readRow({})).toMatchObject({
      kind: 'message',
      message: { person: {}, externalId: null },
    });
  });
});

describe('an inbox of Chatwoot', () => {
  const INBOX = { id: 3, name: 'Loja', channel_type: 'Channel::Whatsapp', phone_number: '+5511900000000' };

  it('is known by its number, and by the id that Meta gives it', () => {
    expect(
      CHATWOOT.readConnection({ ...INBOX, provider: 'whatsapp_cloud', phone_number_id: '800000000000001' }),
    ).toEqual({
      key: '3',
      name: 'Loja',
      phoneNumberId: '800000000000001',
      phone: '+5511900000000',
      isCloudApi: true,
    });
  });

  it.each([
    ['Channel::Whatsapp', 'default', true],
    ['Channel::Whatsapp', 'baileys', false],
    ['Channel::Whatsapp', 'zapi', false],
    ['Channel::Whatsapp', null, null],
    ['Channel::Api', null, null],
  ])('%s of %s receives from the Cloud API: %s', (channel_type, provider, isCloudApi) => {
    expect(CHATWOOT.readConnection({ ...INBOX, channel_type, provider }).isCloudApi).toBe(isCloudApi);
  });

  it('of another channel is not taken for the number of the same name', () => {
    expect(CHATWOOT.readConnection({ ...INBOX, channel_type: 'Channel::WebWidget' }).name).toBe(
      'Loja (WebWidget)',
    );
  });
});

describe('files of Chatwoot', () => {
  const tables: CrmTables = new Map(
    Object.entries({
      inboxes: { id: '3', name: 'Loja', channel_id: '5', channel_type: 'Channel::Whatsapp' },
      channel_whatsapp: {
        id: '5',
        phone_number: '+5511900000000',
        provider: 'whatsapp_cloud',
        provider_config: '{"api_key":"secret","phone_number_id":"800000000000001"}',
      },
      conversations: { id: '77', contact_id: '41', contact_inbox_id: '201' },
      contacts: { id: '41', phone_number: '+5511988880001', identifier: null },
      contact_inboxes: { id: '201', source_id: '5511988880001' },
      attachments: { id: '9', message_id: '501', file_type: '0' },
    }).map(([table, record]) => [table, new Map([[record.id, record]])]),
  );
  const MESSAGE = { id: '501', inbox_id: '3', conversation_id: '77', message_type: '0', source_id: WAMID };

  it('give a message what the database’s joins give it', () => {
    expect(messageOf(CHATWOOT.join?.(tables)(MESSAGE) ?? {})).toMatchObject({
      contact: '+5511988880001',
      person: { phone: '+5511988880001' },
      type: 'image',
    });
  });

  it('give an inbox its number, and never its keys', () => {
    const joined = CHATWOOT.joinConnection?.(tables)(tables.get('inboxes')?.get('3') ?? {}) ?? {};
    expect(CHATWOOT.readConnection(joined)).toMatchObject({
      phoneNumberId: '800000000000001',
      phone: '+5511900000000',
      isCloudApi: true,
    });
    expect(JSON.stringify(joined)).not.toContain('secret');
  });

  it('say less where some are missing', () => {
    const joined = CHATWOOT.join?.(new Map())(MESSAGE) ?? {};
    expect(messageOf(joined)).toMatchObject({ person: {}, externalId: WAMID, direction: 'INBOUND' });
    expect(
      CHATWOOT.joinConnection?.(new Map())({ id: '3', channel_type: 'Channel::Whatsapp' }),
    ).toMatchObject({
      id: '3',
    });
  });
});

describe('what Chatwoot never stores', () => {
  const KEPT: KeptQuestion = {
    type: 'text',
    direction: 'INBOUND',
    source: 'live',
    body: 'Oi',
    isGroup: false,
    isRevoked: false,
    hasErrors: false,
    isBeforeCrm: false,
    isBeforeSource: false,
    isCloudApi: true,
  };
  const api = { ...KEPT, isCloudApi: false };
  it.each<[string, KeptQuestion, string | null]>([
    ['a text', KEPT, null],
    ['a location', { ...KEPT, type: 'location' }, null],
    ['a card', { ...KEPT, type: 'contacts' }, 'without_id'],
    ['a card that Evolution API hands on', { ...api, type: 'contacts' }, null],
    ['an order', { ...KEPT, type: 'order' }, 'type'],
    ['what WhatsApp cannot show', { ...KEPT, type: 'unsupported' }, 'type'],
    ['a poll of WhatsApp Web', { ...api, type: 'poll' }, 'type'],
    ['a customer’s message with errors', { ...KEPT, hasErrors: true }, 'with_errors'],
    ['the business’s that failed', { ...KEPT, direction: 'OUTBOUND', hasErrors: true }, null],
    ['an echo before the first one', { ...KEPT, source: 'app_echo', isBeforeSource: true }, 'echo'],
    ['what WhatsApp Web sent', { ...api, source: 'app_echo', isBeforeSource: true }, null],
    ['an echo after it', { ...KEPT, source: 'app_echo' }, null],
    ['history where none is imported', { ...KEPT, source: 'history', isBeforeSource: true }, 'history'],
    ['history of an import', { ...KEPT, source: 'history' }, null],
    ['the first live message', { ...KEPT, isBeforeSource: true }, null],
    ['a group', { ...KEPT, isGroup: true }, 'group'],
    [
      'a survey',
      { ...api, direction: 'OUTBOUND', body: 'Avalie: https://chat.example.com/survey/responses/1' },
      'automatic',
    ],
  ])('%s', (_, question, reason) => {
    expect(CHATWOOT.notKept(question)).toBe(reason);
  });
});
