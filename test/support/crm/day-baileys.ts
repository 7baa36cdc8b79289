import { WEB, type Day, type DayMessage } from './day.js';
import { cardOf } from './day-webhooks.js';

/** What WhatsApp Web calls the content of a message; the CRMs that are built on Baileys keep it. */
export function webContent(message: DayMessage, body = message.body): Record<string, unknown> {
  const caption = body === null ? {} : { caption: body };
  const { number } = message;
  const file = {
    url: `https://mmg.whatsapp.net/v/t62.7118-24/${number}`,
    mediaKey: Buffer.from(`key ${number}`).toString('base64'),
    directPath: `/v/t62.7118-24/${number}`,
  };
  switch (message.type) {
    case 'text':
      return message.about === undefined
        ? { conversation: body }
        : { extendedTextMessage: { text: body, contextInfo: quoteOf(message.about) } };
    case 'image':
      return { imageMessage: { mimetype: 'image/jpeg', ...caption, ...file } };
    case 'audio':
      return { audioMessage: { mimetype: 'audio/ogg; codecs=opus', ptt: true, seconds: 7, ...file } };
    case 'document':
      return {
        documentMessage: {
          mimetype: 'application/pdf',
          fileName: `pedido-${number}.pdf`,
          ...caption,
          ...file,
        },
      };
    case 'sticker':
      return { stickerMessage: { mimetype: 'image/webp', ...file } };
    case 'location':
      return { locationMessage: { degreesLatitude: -23.55, degreesLongitude: -46.63, name: body } };
    case 'contacts': {
      const { name, phone } = cardOf(message);
      const vcard = `BEGIN:VCARD\nVERSION:3.0\nFN:${name}\nTEL;waid=${phone}:+${phone}\nEND:VCARD`;
      return { contactMessage: { displayName: name, vcard } };
    }
    case 'reaction':
      return { reactionMessage: { key: { id: message.about?.keyId }, text: body } };
  }
}

/** What a reply says of the message that it quotes. */
export function quoteOf(quoted: DayMessage): { stanzaId: string; quotedMessage: object } {
  return { stanzaId: quoted.keyId, quotedMessage: { conversation: quoted.body ?? '' } };
}

export interface WebKey {
  remoteJid: string;
  fromMe: boolean;
  id: string;
  participant?: string;
  remoteJidAlt?: string;
  addressingMode?: 'lid';
}

/** The key of a message as Baileys gives it: live ones of a person with a known LID name both addresses. */
export function webKey(day: Day, message: DayMessage): WebKey {
  const { person } = message;
  const phoneJid = `${person.phone}@s.whatsapp.net`;
  const key = { fromMe: message.direction === 'out', id: message.keyId };
  if (message.group) {
    const from = message.direction === 'out' ? `${WEB.number}@s.whatsapp.net` : phoneJid;
    return { remoteJid: day.groupJid, ...key, participant: from };
  }
  if (message.via === 'history' || person.lid?.told !== true) return { remoteJid: phoneJid, ...key };
  return {
    remoteJid: `${person.lid.digits}@lid`,
    ...key,
    remoteJidAlt: phoneJid,
    addressingMode: 'lid',
  };
}

/** The events of the number that WhatsApp Web serves, in the order of time. */
export function asBaileysEvents(day: Day): string[] {
  const web = day.messages.filter(({ connection, via }) => connection === 'web' && via !== 'unlogged');
  const history = web.filter(({ via }) => via === 'history');
  const events = history.length === 0 ? [] : [event('messaging-history.set', historyOf(day, history))];
  const live = web
    .filter(({ via }) => via !== 'history')
    .flatMap((message) => [{ at: message.at, data: messageOf(day, message) }, ...amendmentsOf(day, message)])
    .sort((a, b) => a.at - b.at);
  for (const { data } of live) events.push(event('messages.upsert', { type: 'notify', messages: [data] }));
  return events;
}

function event(name: string, data: object): string {
  return JSON.stringify({ event: name, sessionId: WEB.name, data });
}

function historyOf(day: Day, messages: readonly DayMessage[]): object {
  const told = day.people.filter((person) => person.lid?.told === true);
  return {
    chats: [],
    contacts: day.people.map((person) => ({ id: `${person.phone}@s.whatsapp.net`, notify: person.name })),
    // WhatsApp sends the newest first.
    messages: messages.map((message) => messageOf(day, message)).reverse(),
    lidPnMappings: told.map((person) => ({
      lid: `${person.lid?.digits ?? ''}@lid`,
      pn: `${person.phone}@s.whatsapp.net`,
    })),
    syncType: 3,
    progress: 100,
    chunkOrder: 1,
  };
}

function messageOf(day: Day, message: DayMessage): object {
  return {
    key: webKey(day, message),
    message: webContent(message),
    messageTimestamp: message.at,
    ...(message.direction === 'in' ? { pushName: message.person.name } : {}),
    status: message.direction === 'in' ? 'DELIVERY_ACK' : 'SERVER_ACK',
  };
}

function amendmentsOf(day: Day, message: DayMessage): { at: number; data: object }[] {
  const key = webKey(day, message);
  const said = (id: string, at: number, protocolMessage: object): { at: number; data: object } => ({
    at,
    data: { key: { ...key, id }, message: { protocolMessage }, messageTimestamp: at },
  });
  const { edit, revoke } = message;
  return [
    ...(edit === undefined
      ? []
      : [
          said(edit.id, edit.at, {
            key,
            type: 'MESSAGE_EDIT',
            editedMessage: { conversation: edit.body },
            timestampMs: String(edit.at * 1000),
          }),
        ]),
    ...(revoke === undefined ? [] : [said(revoke.id, revoke.at, { key, type: 'REVOKE' })]),
  ];
}
