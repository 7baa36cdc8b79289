import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/model/json.js';
import {
  ANA,
  ANA_LID,
  CARLA,
  CARLA_LID,
  decode,
  GROUP,
  history,
  live,
  ofKind,
  theOnly,
  webMessage,
} from './baileys-builders.js';

const ANA_BOTH = { phone: '+5511900000001', lid: ANA_LID };
const LINK = [{ lid: ANA_LID }, { phone: '+5511900000001' }];

function fromLid(fields: JsonObject = {}, key: JsonObject = {}): JsonObject {
  return webMessage(fields, { remoteJid: ANA_LID, ...key });
}

describe('LIDs of WhatsApp Web', () => {
  it.each<[string, JsonValue]>([
    ['chat.pnJid', history([fromLid()], { chats: [{ id: ANA_LID, pnJid: ANA }] })],
    ['chat.lidJid', history([webMessage()], { chats: [{ id: ANA, lidJid: ANA_LID }] })],
    ['contact.phoneNumber', history([fromLid()], { contacts: [{ id: ANA_LID, phoneNumber: ANA }] })],
    [
      'contact.phoneNumber as digits',
      history([fromLid()], { contacts: [{ id: ANA_LID, phoneNumber: '5511900000001' }] }),
    ],
    ['contact.lid', history([webMessage()], { contacts: [{ id: ANA, lid: ANA_LID }] })],
    ['contact.jid of 6.7', history([fromLid()], { contacts: [{ id: ANA_LID, jid: ANA, lid: ANA_LID }] })],
    [
      'lidPnMappings',
      history([fromLid()], { lidPnMappings: [{ lid: ANA_LID, pn: '5511900000001:0@s.whatsapp.net' }] }),
    ],
    [
      'phoneNumberToLidMappings',
      history([fromLid()], { phoneNumberToLidMappings: [{ lidJid: ANA_LID, pnJid: ANA }] }),
    ],
    [
      'userReceipt of an own message',
      history([fromLid({ userReceipt: [{ userJid: ANA }] }, { fromMe: true })]),
    ],
    ['remoteJidAlt', live([fromLid({}, { remoteJidAlt: ANA, addressingMode: 'lid' })])],
    ['remoteJidAlt that is the LID', live([webMessage({}, { remoteJidAlt: ANA_LID, addressingMode: 'pn' })])],
    ['remoteJidAlt of an own message', live([fromLid({}, { remoteJidAlt: ANA, fromMe: true })])],
    ['senderPn', live([fromLid({}, { senderPn: ANA })])],
    ['senderLid', live([webMessage({}, { senderLid: '111000000000001:4@lid' })])],
    ['previousRemoteJid', live([webMessage({}, { previousRemoteJid: ANA_LID })])],
  ])('I2: resolves a LID by %s', (_title, value) => {
    const decoded = decode(value);
    expect(theOnly(decoded, 'message').counterpart).toEqual(ANA_BOTH);
    expect(theOnly(decoded, 'identity_link').who).toEqual(LINK);
  });

  it('I2: a LID that nothing explains is no phone', () => {
    const decoded = decode(history([fromLid()]));
    expect(theOnly(decoded, 'message').counterpart).toEqual({ lid: ANA_LID });
    expect(ofKind(decoded, 'identity_link')).toEqual([]);
  });

  it('resolves a LID that is explained after its message', () => {
    const decoded = decode(live([fromLid(), fromLid({}, { remoteJidAlt: ANA })]));
    expect(ofKind(decoded, 'message').map((fact) => fact.counterpart)).toEqual([ANA_BOTH, ANA_BOTH]);
  });

  it('I3: links people who wrote nothing, and members of groups', () => {
    const decoded = decode(
      history(
        [
          webMessage({}, { remoteJid: GROUP, participant: CARLA_LID, participantAlt: CARLA }),
          webMessage(
            {},
            {
              remoteJid: GROUP,
              participant: '111000000000004@lid',
              participantPn: '5541900000004@s.whatsapp.net',
            },
          ),
        ],
        { chats: [{ id: ANA_LID, pnJid: ANA }] },
      ),
    );
    expect(ofKind(decoded, 'identity_link').map((fact) => fact.who)).toEqual([
      LINK,
      [{ lid: CARLA_LID }, { phone: '+5531900000003' }],
      [{ lid: '111000000000004@lid' }, { phone: '+5541900000004' }],
    ]);
  });

  it('says each pair once, however often the event does', () => {
    const decoded = decode(
      history([fromLid({}, { remoteJidAlt: ANA }), fromLid({}, { remoteJidAlt: ANA })], {
        chats: [{ id: ANA_LID, pnJid: ANA }],
        lidPnMappings: [{ lid: ANA_LID, pn: ANA }],
      }),
    );
    expect(ofKind(decoded, 'identity_link')).toHaveLength(1);
  });

  it('I3: does not take the account’s own LID for a contact’s', () => {
    const own = '999000000000000@lid';
    const decoded = decode(
      history([], {
        chats: [{ id: CARLA_LID, accountLid: own }],
        contacts: [
          { id: CARLA_LID, lid: own },
          { id: ANA, lid: own },
        ],
      }),
    );
    expect(ofKind(decoded, 'identity_link')).toEqual([]);
  });

  it('I3: a LID that stands beside two phones, or a phone beside two LIDs, proves nothing', () => {
    const contacts = [
      { id: ANA, lid: '999@lid' },
      { id: CARLA, lid: '999@lid' },
    ];
    expect(ofKind(decode(history([], { contacts })), 'identity_link')).toEqual([]);
    const own = [ANA_LID, CARLA_LID].map((remoteJid) =>
      webMessage({}, { remoteJid, fromMe: true, remoteJidAlt: '5511900000000@s.whatsapp.net' }),
    );
    const decoded = decode(live(own));
    expect(ofKind(decoded, 'identity_link')).toEqual([]);
    expect(ofKind(decoded, 'message').map((fact) => fact.counterpart)).toEqual([
      { lid: ANA_LID },
      { lid: CARLA_LID },
    ]);
  });

  it('I3: does not take the sender of an own message for the customer', () => {
    const decoded = decode(live([fromLid({}, { fromMe: true, senderPn: '5511900000000@s.whatsapp.net' })]));
    expect(theOnly(decoded, 'message').counterpart).toEqual({ lid: ANA_LID });
  });

  it('reads lid-mapping.update and its predecessor as links', () => {
    const wrapped = { event: 'lid-mapping.update', sessionId: 'loja', data: { lid: ANA_LID, pn: ANA } };
    expect(theOnly(decode(wrapped), 'identity_link').who).toEqual(LINK);
    expect(theOnly(decode({ lid: ANA_LID, pn: ANA }), 'identity_link').who).toEqual(LINK);
    const older = { event: 'chats.phoneNumberShare', data: { lid: ANA_LID, jid: ANA } };
    expect(theOnly(decode(older), 'identity_link').who).toEqual(LINK);
  });
});
