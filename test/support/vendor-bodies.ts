import type { JsonObject, JsonValue } from '../../src/model/json.js';
import { ANA, BUSINESS, item, seconds, T0, webMessage } from './webhooks.js';

/** Builders of what vendors send; ids are key ids, times seconds after T0, the chat is Ana's unless said otherwise. */

const OWN = `${BUSINESS}@s.whatsapp.net`;
const JID = `${ANA}@s.whatsapp.net`;

/** A webhook of WAHA. */
export function waha(event: string, payload: JsonObject, at = 0): JsonObject {
  return {
    id: `evt_${event}_${at}`,
    timestamp: (T0 + at) * 1000,
    session: 'loja',
    engine: 'WEBJS',
    event,
    payload,
    me: { id: `${BUSINESS}@c.us`, pushName: 'Loja' },
  };
}

export function wahaId(key: string, fromMe = false): string {
  return `${String(fromMe)}_${ANA}@c.us_${key}`;
}

export function wahaLive(key: string, at: number, parts: JsonObject = {}): JsonObject {
  const payload = {
    id: wahaId(key),
    timestamp: T0 + at,
    from: `${ANA}@c.us`,
    fromMe: false,
    to: `${BUSINESS}@c.us`,
    body: key,
    hasMedia: false,
    ack: 1,
    ...parts,
  };
  return waha('message', payload, at);
}

/** A webhook of Evolution API. */
export function evolution(event: string, data: JsonValue, at = 0): JsonObject {
  return {
    event,
    instance: 'loja',
    data,
    date_time: new Date((T0 + at) * 1000).toISOString(),
    sender: OWN,
    server_url: 'https://evolution.example.test',
  };
}

/** What an instance on the Cloud API sends: WhatsApp Web's form, with the wamid as the key id. */
export function evolutionCloud(wamid: string, body: string, at: number): JsonObject {
  const key = { id: wamid, remoteJid: JID, fromMe: false };
  return evolution('messages.upsert', {
    key,
    pushName: 'Ana',
    message: { conversation: body },
    messageType: 'conversation',
    messageTimestamp: T0 + at,
    source: 'unknown',
  });
}

export function evolutionLive(key: string, at: number): JsonObject {
  return evolution('messages.upsert', webMessage(key, at));
}

/** What Turn.io and the On-Premises API send. */
export function turn(key: string, at: number): JsonObject {
  return { contacts: [{ profile: { name: 'Ana' }, wa_id: ANA }], messages: [item(key, at)] };
}

export function gupshup(type: string, payload: JsonObject, at = 0): JsonObject {
  return { app: 'Loja', timestamp: (T0 + at) * 1000, version: 2, type, payload };
}

export function gupshupLive(wamid: string, text: string, at: number): JsonObject {
  const sender = { phone: ANA, name: 'Ana', country_code: '55' };
  return gupshup('message', { id: wamid, source: ANA, type: 'text', payload: { text }, sender }, at);
}

/** A day without trouble, as each vendor reports it: messages, what changes them, and all the chatter around. */
export function healthyDays(wamidOf: (key: string) => string): [string, JsonObject[]][] {
  const key = { remoteJid: JID, fromMe: false, id: 'K1' };
  const own = { ...key, fromMe: true, id: 'K2' };
  return [
    [
      'WAHA',
      [
        waha('session.status', { name: 'loja', status: 'WORKING', statuses: [] }),
        waha('engine.event', { event: 'change_state', data: 'CONNECTED' }),
        wahaLive('K1', 0),
        { ...wahaLive('K1', 0), event: 'message.any' },
        wahaLive('K2', 5, { id: wahaId('K2', true), fromMe: true }),
        waha('message.ack', { id: wahaId('K2', true), from: `${ANA}@c.us`, fromMe: true, ack: 3 }, 6),
        waha('message.ack.group', { id: `true_120363000000000001@g.us_K9_${BUSINESS}@c.us`, ack: 3 }, 6),
        waha(
          'message.reaction',
          { id: wahaId('K3'), timestamp: T0 + 7, reaction: { text: '👍', messageId: wahaId('K2', true) } },
          7,
        ),
        waha(
          'message.edited',
          { id: wahaId('K4'), timestamp: T0 + 8, body: 'agora', editedMessageId: 'K1' },
          8,
        ),
        waha('message.revoked', { after: { id: wahaId('K5') }, before: null, revokedMessageId: 'K2' }, 9),
        waha('message.waiting', { id: wahaId('K6'), body: '' }, 9),
        waha('presence.update', { id: `${ANA}@c.us`, presences: [] }),
        waha('poll.vote', { vote: { id: wahaId('K7') }, poll: { id: wahaId('K8') } }),
        waha('group.v2.participants', {
          group: { id: '120363000000000001@g.us' },
          type: 'join',
          participants: [],
        }),
        waha('label.chat.added', { labelId: '1', chatId: `${ANA}@c.us` }),
        waha('call.received', { id: 'C1', from: `${ANA}@c.us` }),
        waha('chat.archive', { id: `${ANA}@c.us`, archived: true }),
        waha('event.response', { id: wahaId('K10') }),
        waha('state.change', { state: 'CONNECTED' }),
      ],
    ],
    [
      'Evolution API',
      [
        evolution('application.startup', {}),
        evolution('qrcode.updated', { qrcode: { code: '2@x' } }),
        evolution('connection.update', { state: 'open' }),
        evolution('contacts.update', [{ remoteJid: JID, pushName: 'Ana', profilePicUrl: null }]),
        evolution('chats.upsert', [{ remoteJid: JID, unreadMessages: 0 }]),
        evolution('chats.update', [{ remoteJid: JID, instanceId: 'x' }]),
        evolutionLive('K1', 0),
        evolution('send.message', webMessage('K2', 5, {}, { fromMe: true })),
        evolution('messages.update', { keyId: 'K2', remoteJid: JID, fromMe: true, status: 'READ' }, 6),
        evolution('messages.update', { keyId: 'K1', remoteJid: JID, fromMe: false, status: 'DELETED' }, 6),
        // A customer's edit names the business as its chat.
        evolution('messages.edited', {
          key: { ...key, remoteJid: OWN, fromMe: true },
          type: 14,
          editedMessage: { conversation: 'agora' },
          timestampMs: (T0 + 8) * 1000,
        }),
        evolution('messages.edited', { key, type: 'EPHEMERAL_SETTING', ephemeralExpiration: 86400 }),
        evolution('send.message.update', {
          key: own,
          type: 14,
          editedMessage: { conversation: 'melhor' },
          timestampMs: (T0 + 9) * 1000,
        }),
        evolution('messages.delete', { ...own, status: 'DELETED' }, 10),
        evolution('typebot.start', { remoteJid: JID }),
        evolution('typebot.change-status', { remoteJid: JID, status: 'opened' }),
        evolution('presence.update', { id: JID, presences: {} }),
        evolution('call', { id: 'C1', from: JID, status: 'offer' }),
        evolution('labels.association', { instance: 'loja', type: 'add', chatId: JID, labelId: '1' }),
        evolution('group-participants.update', {
          id: '120363000000000001@g.us',
          participants: [],
          action: 'add',
        }),
      ],
    ],
    [
      'Turn.io',
      [
        turn('K1', 0),
        item('K2', 5, {
          id: wamidOf('K2'),
          from: BUSINESS,
          to: ANA,
          _vnd: { v1: { direction: 'outbound', chat: { owner: `+${ANA}` } } },
        }),
        { statuses: [{ id: wamidOf('K2'), recipient_id: ANA, status: 'sent', timestamp: seconds(5) }] },
        {
          statuses: [
            { id: wamidOf('K2'), recipient_id: ANA, status: 'read', timestamp: seconds(6), type: 'message' },
          ],
        },
        { statuses: [{ id: wamidOf('K1'), recipient_id: ANA, status: 'deleted', timestamp: seconds(7) }] },
      ],
    ],
    [
      'Gupshup (v2)',
      [
        gupshup('user-event', { phone: ANA, type: 'opted-in' }),
        gupshupLive(wamidOf('K1'), 'K1', 0),
        gupshup(
          'message-event',
          { id: '7a2c', type: 'enqueued', destination: ANA, payload: { type: 'session' } },
          5,
        ),
        gupshup(
          'message-event',
          { id: '7a2c', type: 'delivered', destination: ANA, payload: { ts: T0 + 5 } },
          5,
        ),
        gupshup(
          'message-event',
          { id: wamidOf('K1'), gsId: '7a2c', type: 'deleted', destination: ANA, payload: { ts: T0 + 6 } },
          6,
        ),
        gupshup(
          'billing-event',
          { deductions: { type: 'service', billable: false }, references: { id: '7a2c' } },
          7,
        ),
        gupshup('template-event', { id: 'x', type: 'status-update', status: 'approved' }),
        gupshup('account-event', { type: 'tier-event' }),
      ],
    ],
  ];
}
