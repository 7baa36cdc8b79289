import { describe, expect, it } from 'vitest';
import type { CrmMessage, CrmRecord } from '../../src/crm/crm.js';
import { tableDialect } from '../../src/crm/dialects/table.js';
import { ConfigError } from '../../src/model/errors.js';

const TABLE = tableDialect('messages');

const ROW: CrmRecord = {
  connection: '800000000000001',
  external_id: '3EB0A1B2C3D4E5F60001',
  direction: 'inbound',
  contact: '+55 11 98888-0001',
  timestamp: '2026-09-21T11:13:20Z',
  type: 'text',
  body: 'Bom dia',
};
const AT = Date.parse('2026-09-21T11:13:20Z');

function messageOf(columns: CrmRecord): CrmMessage {
  const row = TABLE.readRow({ ...ROW, ...columns });
  if (row.kind !== 'message') throw new Error(`aside: ${row.reason}`);
  return row.message;
}

/** What a row is refused with. */
function refusalOf(columns: CrmRecord): string | undefined {
  try {
    TABLE.readRow({ ...ROW, ...columns });
    return undefined;
  } catch (error) {
    return error instanceof ConfigError ? error.code : String(error);
  }
}

describe('a row', () => {
  it('is a message by its seven columns', () => {
    expect(messageOf({})).toEqual({
      rowId: '3EB0A1B2C3D4E5F60001',
      connection: '800000000000001',
      externalId: '3EB0A1B2C3D4E5F60001',
      contact: '+55 11 98888-0001',
      person: { phone: '+5511988880001' },
      direction: 'INBOUND',
      at: AT,
      storedAt: AT,
      lacks: [],
      type: 'text',
      kinds: [],
      body: 'Bom dia',
      aside: null,
    });
  });

  it.each<[unknown, CrmMessage['direction']]>([
    ['in', 'INBOUND'],
    ['INBOUND', 'INBOUND'],
    [' Outbound ', 'OUTBOUND'],
    ['out', 'OUTBOUND'],
    [null, null],
    ['', null],
    [undefined, null],
  ])('with the direction %j', (direction, read) => {
    expect(messageOf({ direction }).direction).toBe(read);
  });

  it.each([true, false, 'true', 'f', '1', 'sent', 'entrada'])(
    'with the direction %j is refused: the column would be from_me',
    (direction) => {
      expect(refusalOf({ direction })).toBe('crm_table_direction');
    },
  );

  it.each<[unknown, number | null]>([
    ['2026-09-21 11:13:20', AT],
    ['2026-09-21 11:13:20.000+00', AT],
    ['2026-09-21 08:13:20-03', AT],
    ['2026-09-21T08:13:20-03:00', AT],
    [AT / 1000, AT],
    [String(AT / 1000), AT],
    [`${AT / 1000}.75`, AT + 750],
    [AT, AT],
    [String(AT), AT],
    [null, null],
    ['', null],
    [0, null],
  ])('with the time %j', (timestamp, read) => {
    expect(messageOf({ timestamp }).at).toBe(read);
  });

  it.each([
    '21/09/2026 11:13',
    '2026-09-21',
    'yesterday',
    '-5',
    String(AT * 1000),
    '2026-02-31 10:00:00',
    '1e9',
  ])('with the time %j is refused', (timestamp) => {
    expect(refusalOf({ timestamp })).toBe('crm_table_time');
  });

  it.each<[string, CrmMessage['person']]>([
    ['5511988880001@s.whatsapp.net', { phone: '+5511988880001' }],
    ['271828182845904@lid', { lid: '271828182845904@lid' }],
    ['551188880001', { phone: '+5511988880001' }],
    ['Ana', {}],
    ['', {}],
  ])('with the contact %j', (contact, person) => {
    expect(messageOf({ contact })).toMatchObject({ contact, aside: null });
    expect(messageOf({ contact }).person).toMatchObject(person);
    expect(Object.keys(messageOf({ contact }).person)).toEqual(expect.arrayContaining(Object.keys(person)));
  });

  it.each([
    ['120363000000000001@g.us', 'group'],
    ['status@broadcast', 'status_broadcast'],
    ['120363000000000001@newsletter', 'newsletter'],
  ])('of %s needs no counterpart', (contact, aside) => {
    expect(messageOf({ contact }).aside).toBe(aside);
  });

  it.each<[unknown, string | null]>([
    ['WAID:3EB0', '3EB0'],
    [' 3EB0 ', '3EB0'],
    ['wamid.HBgN', 'wamid.HBgN'],
    ['', null],
    ['WAID:', null],
    [null, null],
  ])('with the id %j', (external_id, read) => {
    expect(messageOf({ external_id }).externalId).toBe(read);
  });

  it('is named by its column id, else by WhatsApp’s id, else by what it has', () => {
    expect(messageOf({ id: 7 }).rowId).toBe('7');
    expect(messageOf({ external_id: null }).rowId).toBe('+55 11 98888-0001 2026-09-21T11:13:20Z');
    expect(messageOf({ external_id: null, contact: null, timestamp: null }).rowId).toBe('');
  });

  it.each(['image', 'audioMessage', 'document', 'location'])(
    'of the type %s has no body to compare',
    (type) => {
      expect(messageOf({ type, body: 'foto.jpg' }).body).toBeUndefined();
    },
  );

  it.each(['TEXT', 'chat', 'conversation', 'extendedTextMessage', null, ''])(
    'of the type %j has words',
    (type) => {
      expect(messageOf({ type, body: null }).body).toBeNull();
      expect(messageOf({ type }).body).toBe('Bom dia');
    },
  );

  it('that is a reaction is no message', () => {
    for (const type of ['reaction', 'Reaction', 'reactionMessage']) {
      expect(TABLE.readRow({ ...ROW, type })).toMatchObject({ kind: 'aside', reason: 'reaction' });
    }
  });

  it('may hold nothing at all, or objects', () => {
    for (const value of [null, undefined, {}, [], [1]]) {
      const record = Object.fromEntries(Object.keys(ROW).map((name) => [name, value]));
      expect(TABLE.readRow(record)).toMatchObject({
        kind: 'message',
        message: { externalId: null, at: null },
      });
    }
  });
});

describe('a connection', () => {
  it.each([
    ['800000000000001', { phoneNumberId: '800000000000001', name: '800000000000001' }],
    ['5511900000000', { phone: '+5511900000000' }],
    ['+55 11 90000-0000', { phone: '+5511900000000', phoneNumberId: null }],
    ['5511900000000:7@s.whatsapp.net', { phone: '+5511900000000' }],
    ['loja', { name: 'loja', phone: null, phoneNumberId: null }],
    ['', { key: '', name: '', phone: null, phoneNumberId: null }],
  ])('is known by %j', (connection, known) => {
    expect(TABLE.readConnection({ connection })).toMatchObject({ key: connection, ...known });
  });
});

describe('the name of a table', () => {
  it.each([
    ['wa_messages', { table: 'wa_messages' }, '"wa_messages"'],
    ['crm.Mensagens', { schema: 'crm', table: 'Mensagens' }, '"crm"."Mensagens"'],
    ['"a.b"."c ""d"""', { schema: 'a.b', table: 'c "d"' }, '"a.b"."c ""d"""'],
    ['x; drop table y --', { table: 'x; drop table y --' }, '"x; drop table y --"'],
  ])('%s', (name, parts, sql) => {
    const dialect = tableDialect(name);
    expect(dialect.messages).toMatchObject(parts);
    expect(dialect.connectionsQuery(() => false)).toContain(`from ${sql}`);
    expect(dialect.messagesQuery(() => false)).toContain(`from ${sql} where`);
  });

  it.each(['', '.', 'a.', '.b', 'a.b.c', 'a"b', '"'])('%j is refused', (name) => {
    expect(() => tableDialect(name)).toThrow(ConfigError);
  });
});
