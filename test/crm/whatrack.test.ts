import { describe, expect, it } from 'vitest';
import type { CrmMessage, CrmRecord, CrmTables } from '../../src/crm/crm.js';
import { WHATRACK } from '../../src/crm/dialects/whatrack.js';

const ROW: CrmRecord = {
  id: '5b0c7c55-0000-4000-8000-000000000001',
  wamid: 'wamid.HBgNNTUxMTk4ODg4MDAwMRUCABIYFDNFQjBBMUIyQzNENEU1RjYwMDAxAA==',
  leadId: '5b0c7c55-0000-4000-8000-000000000002',
  instanceId: '5b0c7c55-0000-4000-8000-000000000003',
  direction: 'INBOUND',
  type: 'text',
  body: 'Oi',
  timestamp: '2026-09-21 11:13:22',
  createdAt: '2026-09-21 11:13:23.5',
  phone: '+5511988880001',
  remote_jid: '551188880001',
};

function messageOf(record: CrmRecord): CrmMessage {
  const row = WHATRACK.readRow(record);
  if (row.kind === 'aside') throw new Error(`aside: ${row.reason}`);
  return row.message;
}

describe('a message of WhaTrack', () => {
  it('is read whole: id, person, direction, time and words', () => {
    expect(messageOf(ROW)).toEqual({
      rowId: ROW.id,
      connection: ROW.instanceId,
      externalId: ROW.wamid,
      contact: '551188880001',
      person: { phone: '+5511988880001', waId: '551188880001' },
      direction: 'INBOUND',
      at: Date.UTC(2026, 8, 21, 11, 13, 22),
      storedAt: Date.UTC(2026, 8, 21, 11, 13, 23, 500),
      lacks: [],
      type: 'text',
      kinds: ['text'],
      body: 'Oi',
      aside: null,
    });
  });

  it.each([
    ['OUTBOUND', 'OUTBOUND'],
    ['outbound', null],
    [null, null],
    [undefined, null],
  ])('of the direction %j goes %s', (direction, wanted) => {
    expect(messageOf({ ...ROW, direction }).direction).toBe(wanted);
  });

  it('has a word of WhaTrack’s for a body where it is a file', () => {
    expect(messageOf({ ...ROW, type: 'image', body: 'Imagem' }).body).toBeUndefined();
    // The text that followed it under the same id is lost.
    expect(messageOf({ ...ROW, type: 'unsupported', body: null }).body).toBeNull();
  });

  it('is under the lead’s address, its phone, or its key', () => {
    expect(messageOf({ ...ROW, remote_jid: null }).contact).toBe('+5511988880001');
    expect(messageOf({ ...ROW, remote_jid: null, phone: null })).toMatchObject({
      contact: `lead ${String(ROW.leadId)}`,
      person: {},
    });
    expect(messageOf({ ...ROW, remote_jid: '120363000000000001@g.us' }).aside).toBe('group');
  });

  it.each(['edit', 'reaction', 'revoke'])('is none where it is a %s of another', (type) => {
    expect(WHATRACK.readRow({ ...ROW, type })).toMatchObject({ kind: 'aside', reason: type });
  });

  it('is read, whatever a column holds', () => {
    for (const column of Object.keys(ROW)) {
      for (const value of [null, undefined, '', '{', [], {}, true, -1, 1e308, 'NaN', new Date(0), '\0']) {
        expect(() => WHATRACK.readRow({ ...ROW, [column]: value })).not.toThrow();
        expect(() =>
          WHATRACK.readConnection({ id: value, phoneId: value, displayPhone: value }),
        ).not.toThrow();
      }
    }
    expect(messageOf({})).toMatchObject({ externalId: null, at: null, storedAt: null, direction: null });
  });
});

describe('WhaTrack’s tables', () => {
  it('say which number a config is', () => {
    const config = {
      id: 'c',
      phoneId: '800000000000001',
      displayPhone: '+55 11 90000-0000',
      verifiedName: 'Loja',
    };
    expect(WHATRACK.readConnection(config)).toEqual({
      key: 'c',
      name: 'Loja',
      phoneNumberId: '800000000000001',
      phone: '+5511900000000',
      isCloudApi: true,
    });
  });

  it('give a message of a file its person and its direction', () => {
    const tables: CrmTables = new Map<string, Map<string, CrmRecord>>([
      ['crm_leads', new Map([[String(ROW.leadId), { phone: ROW.phone, remote_jid: ROW.remote_jid }]])],
      ['crm_message_directions', new Map([['d', { name: 'OUTBOUND' }]])],
    ]);
    const { id, wamid, leadId, instanceId, type, body, timestamp, createdAt } = ROW;
    const file = { id, wamid, leadId, instanceId, type, body, timestamp, createdAt, directionId: 'd' };
    expect(messageOf(WHATRACK.join?.(tables)(file) ?? {})).toEqual({
      ...messageOf(ROW),
      direction: 'OUTBOUND',
    });
    expect(messageOf(WHATRACK.join?.(new Map())(file) ?? {})).toMatchObject({ person: {}, direction: null });
  });

  it('keep all but groups', () => {
    const question = {
      type: 'order',
      direction: 'INBOUND',
      source: 'history',
      body: null,
      isGroup: false,
      isRevoked: true,
      hasErrors: true,
      isBeforeCrm: true,
      isBeforeSource: true,
      isCloudApi: true,
    } as const;
    expect(WHATRACK.notKept(question)).toBeNull();
    expect(WHATRACK.notKept({ ...question, isGroup: true })).toBe('group');
  });
});
