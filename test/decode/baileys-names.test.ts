import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../src/model/json.js';
import {
  ANA,
  ANA_LID,
  decode,
  GROUP,
  history,
  live,
  ofKind,
  theOnly,
  webMessage,
} from './baileys-builders.js';

const who = { phone: '+5511900000001' };

describe('names from WhatsApp Web', () => {
  it('I5: a push name is a profile name of its message’s time, the newest of the event', () => {
    const decoded = decode(
      live([
        webMessage({ pushName: 'Ana nova', messageTimestamp: 1757900030 }),
        webMessage({ pushName: 'Ana velha', messageTimestamp: 1757900020 }),
        webMessage({ pushName: 'Loja', messageTimestamp: 1757900040 }, { fromMe: true }),
        webMessage({ pushName: 'Carla', messageTimestamp: 1757900050 }, { remoteJid: GROUP }),
      ]),
    );
    expect(theOnly(decoded, 'profile')).toEqual({
      kind: 'profile',
      path: '$.messages[0].pushName',
      who,
      name: 'Ana nova',
      at: 1757900030000,
    });
  });

  it('I5: one person’s push names are one, under LID and phone alike', () => {
    const decoded = decode(
      live([
        webMessage({ pushName: 'Ana' }, { remoteJid: ANA_LID, remoteJidAlt: ANA }),
        webMessage({ pushName: 'Ana' }),
      ]),
    );
    expect(ofKind(decoded, 'profile')).toHaveLength(1);
  });

  it('a company’s verified name stands in where it has no push name', () => {
    expect(theOnly(decode(live([webMessage({ verifiedBizName: 'Padaria' })])), 'profile').name).toBe(
      'Padaria',
    );
    const contacts = [{ id: ANA, verifiedName: 'Padaria' }];
    expect(theOnly(decode(history([], { contacts })), 'profile').name).toBe('Padaria');
  });

  it('I5: a contact’s own name has the event’s time, else none; its address-book name that of the newest message', () => {
    const body = history([webMessage()], {
      contacts: [{ id: ANA, name: 'Ana Agenda', notify: 'Ana', username: '@ana' }],
    });
    const own = { path: '$.contacts[0]', who, name: 'Ana', username: 'ana' };
    const book = { path: '$.contacts[0].name', who, addressBookName: 'Ana Agenda' };
    expect(ofKind(decode(body), 'profile')).toMatchObject([
      { ...own, at: 0 },
      { ...book, at: 1757900010000 },
    ]);
    expect(ofKind(decode(body, { receivedAt: 5 }), 'profile')).toMatchObject([
      { ...own, at: 5 },
      { ...book, at: 5 },
    ]);
    const wrapped = { event: 'messaging-history.set', ts: 1757900100000, data: body };
    expect(ofKind(decode(wrapped, { receivedAt: 5 }), 'profile').map((fact) => fact.at)).toEqual([
      1757900100000, 1757900100000,
    ]);
    expect(ofKind(decode(history([], { contacts: [{ id: ANA, name: 'Ana' }] })), 'profile')).toMatchObject([
      { at: 0 },
    ]);
  });

  it('I5: a chat’s name is the address book’s too, unless the contact has said it', () => {
    const chats = [{ id: ANA, name: 'Ana Chat' }];
    expect(theOnly(decode(history([], { chats })), 'profile').addressBookName).toBe('Ana Chat');
    const both = history([], { chats, contacts: [{ id: ANA, name: 'Ana Agenda' }] });
    expect(theOnly(decode(both), 'profile').addressBookName).toBe('Ana Agenda');
  });

  it('a phone or a username in the place of a name is no address-book name', () => {
    const contacts: JsonValue = [
      { id: ANA, name: '+55 11 90000-0001' },
      { id: ANA_LID, name: '@ana', username: 'ana' },
    ];
    expect(theOnly(decode(history([], { contacts })), 'profile')).toMatchObject({ username: 'ana' });
  });

  it('groups, status and official accounts have no lead to name', () => {
    const contacts = [GROUP, 'status@broadcast', '0@s.whatsapp.net', 'junk'].map((id) => ({
      id,
      name: 'Nome',
    }));
    const decoded = decode(history([webMessage()], { contacts, chats: [{ id: GROUP, name: 'Grupo' }] }));
    expect(ofKind(decoded, 'profile')).toEqual([]);
  });

  it('push names of the history come without messages, and without a chunk', () => {
    const decoded = decode({ chats: [], contacts: [{ id: ANA, notify: 'Ana' }], messages: [], syncType: 4 });
    expect(decoded.facts).toEqual([{ kind: 'profile', path: '$.contacts[0]', who, name: 'Ana', at: 0 }]);
  });
});
