import { describe, expect, it } from 'vitest';
import type { Identities } from '../../src/model/facts.js';
import { asArray, asObject } from '../../src/decode/read.js';
import { decode, ofKind, sample, type Decoded } from './baileys-builders.js';

const BUSINESS = '+5511900000000';

const expectations = asObject(sample('EXPECT.json')) ?? {};

function conversationsOf(decoded: Decoded) {
  // The core knows the connection's own number, and skips the thread with it (rule I4).
  return ofKind(decoded, 'message').filter((message) => message.counterpart.phone !== BUSINESS);
}

function names(who: Identities): string[] {
  return [who.phone, who.lid, who.waId].filter((name) => name !== undefined);
}

/** How many people the counterparts are, once everything that links them is believed. */
function countPeople(decoded: Decoded, counterparts: Identities[]): number {
  const parent = new Map<string, string>();
  const find = (name: string): string => {
    const up = parent.get(name) ?? name;
    return up === name ? name : find(up);
  };
  const unite = (all: string[]) => {
    for (const name of all) parent.set(find(name), find(all[0] ?? name));
  };
  counterparts.forEach((who) => {
    unite(names(who));
  });
  ofKind(decoded, 'identity_link').forEach((link) => {
    unite(link.who.flatMap(names));
  });
  return new Set(counterparts.map((who) => find(names(who)[0] ?? ''))).size;
}

describe('samples of Baileys', () => {
  const files = Object.keys(expectations).filter((name) => name.startsWith('baileys-'));

  it.each(files)('%s gives the people and messages that it must give', (file) => {
    const expected = asObject(expectations[file]);
    const decoded = decode(sample(file));
    const messages = conversationsOf(decoded);
    const inbound = messages.filter((message) => message.direction === 'INBOUND').length;
    const outbound = messages.filter((message) => message.direction === 'OUTBOUND').length;
    const people = countPeople(
      decoded,
      messages.map((message) => message.counterpart),
    );
    expect([expected?.messages_inbound].flat()).toContain(inbound);
    expect([expected?.messages_outbound].flat()).toContain(outbound);
    expect(people).toBe(expected?.leads);
    expect(people).toBe(expected?.conversations);
    expect(decoded.unrecognized).toEqual([]);
    expect(ofKind(decoded, 'rejected')).toEqual([]);
  });

  it.each(files)('%s: every element of messages becomes exactly one thing', (file) => {
    const body = asObject(sample(file));
    const elements = asArray(body?.messages) ?? asArray(asObject(body?.data)?.messages) ?? [];
    expect(elements.length).toBeGreaterThan(0);
    const own = decode(sample(file)).facts.filter((fact) => /\.messages\[\d+\]$/.test(fact.path));
    expect(own).toHaveLength(elements.length);
    expect(new Set(own.map((fact) => fact.path)).size).toBe(elements.length);
  });

  it('names the session, the event and the time of a wrapped event', () => {
    const decoded = decode(sample('baileys-event-wrapper.json'));
    expect(decoded.receivedAt).toBe(1757900100000);
    expect(decoded.sections).toMatchObject([
      {
        field: 'messaging-history.set',
        path: '$.data',
        connection: { sessionName: 'loja' },
        eventOnly: false,
      },
    ]);
  });

  it('M6: skips groups, status, broadcasts, newsletters and official accounts, each by its reason', () => {
    const decoded = decode(sample('baileys-history-set-groups-status-newsletter.json'));
    expect(ofKind(decoded, 'skipped').map((fact) => fact.reason)).toEqual([
      'group',
      'group',
      'status_broadcast',
      'newsletter',
      'group',
      'broadcast',
      'official_account',
      'official_account',
    ]);
  });

  it('I2: the sample with LIDs gives phones where the event knows them, and none where it does not', () => {
    const decoded = decode(sample('baileys-history-set-lid.json'));
    const counterparts = Object.fromEntries(
      ofKind(decoded, 'message').map((message) => [message.body ?? '', message.counterpart]),
    );
    expect(counterparts).toEqual({
      'sou LID com pnJid': { lid: '111000000000003@lid', phone: '+5531900000003' },
      'oi Dan': { lid: '111000000000004@lid', phone: '+5541900000004' },
      'sou LID sem pnJid': { lid: '111000000000004@lid', phone: '+5541900000004' },
      'LID só no mapping': { lid: '111000000000005@lid', phone: '+15550100005' },
      'LID sem telefone nenhum': { lid: '111000000000009@lid' },
      'PN com lidJid': { lid: '111000000000001@lid', phone: '+5511900000001' },
    });
  });

  it('unwraps every kind of bubble in the sample of wrapped and media messages', () => {
    const decoded = decode(sample('baileys-history-set-wrappers-media.json'));
    expect(ofKind(decoded, 'message').map(({ type, body }) => [type, body])).toEqual([
      ['text', 'temporária'],
      ['image', undefined],
      ['document', 'segue a tabela'],
      ['text', 'enviado de outro aparelho'],
      ['video', 'legenda'],
      ['image', 'legenda'],
      ['audio', undefined],
      ['sticker', undefined],
      ['location', 'Loja'],
      ['contacts', 'Zé: +55 11 90000-0055'],
      ['contacts', 'A, B'],
      ['interactive', 'Sim'],
      ['interactive', 'Opção 1'],
      ['interactive', 'Quero'],
      ['location', 'ao vivo'],
      ['video', undefined],
      ['unsupported', 'This message can only be seen on the phone'],
    ]);
    expect(ofKind(decoded, 'edit')).toMatchObject([
      {
        targetExternalId: '3A7DC96F776C8423E57A',
        editId: '3A879CC67A846B570C42',
        at: 1757900073000,
        content: { type: 'text', body: 'texto editado' },
        counterpart: { phone: '+5511900000001' },
      },
    ]);
  });
});
