import fc from 'fast-check';
import { encodeWamid } from '../../src/identity/wamid.js';

/** A small world, so that random facts meet: few people, few messages, few moments. */
export const BUSINESS = {
  phoneNumberId: '800000000000001',
  number: '5511900000000',
  waba: '900000000000001',
};
const OTHER_BUSINESS = { phoneNumberId: '800000000000002', number: '5511900000099', waba: '900000000000002' };
type Business = typeof BUSINESS;

interface Customer {
  /** All spellings of one phone. */
  phones: readonly [string, ...string[]];
  lid: string;
  bsuid: string;
  name: string;
}

export const CUSTOMERS: readonly Customer[] = [
  { phones: ['5511900000001'], lid: '111000000000001', bsuid: 'BR.13491208655302741918', name: 'Ana' },
  {
    phones: ['553190000003', '5531990000003'],
    lid: '111000000000003',
    bsuid: 'BR.20000000000000000003',
    name: 'Carla',
  },
  {
    phones: ['5215500000006', '525500000006'],
    lid: '111000000000006',
    bsuid: 'MX.20000000000000000006',
    name: 'Memo',
  },
  {
    phones: ['5491155550007', '541155550007'],
    lid: '111000000000007',
    bsuid: 'AR.20000000000000000007',
    name: 'Sol',
  },
];

const T0 = 1_758_000_000;
const EPOCHS = [0, 1, 5, 60, 3_600, 90_000];

/**
 * One message that exists in the world: id, person, side and words are fixed, so that whatever way it is told about, the
 * tellings agree in what they do not get wrong by design (an echo follow-up's time).
 */
interface WorldMessage {
  customer: Customer;
  index: number;
  outbound: boolean;
  at: number;
  keyId: string;
  wamid: string;
}

const WORLD: readonly WorldMessage[] = CUSTOMERS.flatMap((customer, c) =>
  [0, 1, 2, 3].map((m): WorldMessage => {
    const keyId = `3A${String(c)}${String(m)}ABCDEF0123456789`.slice(0, 20);
    return {
      customer,
      index: c * 4 + m,
      outbound: m % 2 === 1,
      at: T0 + (EPOCHS[m] ?? 0) * 10 + c,
      keyId,
      wamid: encodeWamid(customer.phones[0], keyId),
    };
  }),
);

const message = fc.constantFrom(...WORLD);
const customer = fc.constantFrom(...CUSTOMERS);
const phoneOf = (person: Customer, form: number): string =>
  person.phones[form % person.phones.length] ?? person.phones[0];
export const moment = fc.constantFrom(...EPOCHS).map((seconds) => T0 + seconds);

function envelope(field: string, value: object, business: Business = BUSINESS): object {
  return {
    object: 'whatsapp_business_account',
    entry: [
      {
        id: business.waba,
        changes: [
          {
            field,
            value: {
              messaging_product: 'whatsapp',
              metadata: { display_phone_number: business.number, phone_number_id: business.phoneNumberId },
              ...value,
            },
          },
        ],
      },
    ],
  };
}

export function content(
  kind: 'text' | 'image' | 'placeholder' | 'unsupported' | 'image_without_id' | 'list' | 'button',
  index: number,
): object {
  switch (kind) {
    case 'text':
      return { type: 'text', text: { body: `texto ${index}` } };
    case 'image':
      return {
        type: 'image',
        image: { id: `media-${index}`, mime_type: 'image/jpeg', sha256: 'c2hh', caption: `foto ${index}` },
      };
    case 'image_without_id':
      return { type: 'image', image: { mime_type: 'image/jpeg', sha256: 'c2hh' } };
    case 'placeholder':
      return { type: 'media_placeholder' };
    case 'list':
      return {
        type: 'interactive',
        interactive: {
          type: 'list_reply',
          list_reply: { id: `row-${index}`, title: `texto ${index}`, description: `descrição ${index}` },
        },
      };
    case 'button':
      return { type: 'button', button: { payload: `row-${index}`, text: `texto ${index}` } };
    case 'unsupported':
      return { type: 'unsupported', errors: [{ code: 131_060, title: 'unavailable' }] };
  }
}

/** Why a message failed, as different programs tell it. */
const failure = fc.constantFrom(
  { code: 131_047, title: 'Re-engagement message' },
  { code: 131_047, title: 'Re-engagement', error_data: { details: 'More than 24 hours have passed.' } },
  { code: 131_026, title: 'Message undeliverable' },
  undefined,
);

const kindOfContent = fc.constantFrom(
  'text',
  'image',
  'placeholder',
  'unsupported',
  'image_without_id',
  'list',
  'button' as const,
);
const identityForm = fc.constantFrom('phone', 'both', 'bsuid' as const);

/** Who it is, in the fields of a live message. */
function sender(
  person: Customer,
  form: 'phone' | 'both' | 'bsuid',
  spelling: number,
): { from?: string; from_user_id?: string } {
  return {
    ...(form === 'bsuid' ? {} : { from: phoneOf(person, spelling) }),
    ...(form === 'phone' ? {} : { from_user_id: person.bsuid }),
  };
}

const liveNaming = (form: fc.Arbitrary<'phone' | 'both' | 'bsuid'>): fc.Arbitrary<object> =>
  fc
    .record({ message, content: kindOfContent, form, spelling: fc.nat(1), named: fc.boolean() })
    .map(({ message: m, content: kind, form, spelling, named }) =>
      m.outbound
        ? envelope('smb_message_echoes', {
            message_echoes: [
              {
                from: BUSINESS.number,
                to: phoneOf(m.customer, spelling),
                id: m.wamid,
                timestamp: String(m.at),
                ...content(kind, m.index),
              },
            ],
          })
        : envelope('messages', {
            ...(named
              ? {
                  contacts: [
                    {
                      profile: { name: m.customer.name },
                      ...(form === 'bsuid' ? {} : { wa_id: phoneOf(m.customer, spelling) }),
                      ...(form === 'phone' ? {} : { user_id: m.customer.bsuid }),
                    },
                  ],
                }
              : {}),
            messages: [
              {
                ...sender(m.customer, form, spelling),
                id: m.wamid,
                timestamp: String(m.at),
                ...content(kind, m.index),
              },
            ],
          }),
    );

const live = liveNaming(identityForm);
/** Live messages that always name the phone. */
const liveByPhone = liveNaming(fc.constantFrom('phone', 'both'));

/** The media of a placeholder on the live echo field, with a time of its own: never allowed to move the message. */
const echoFollowUp = fc.record({ message, spelling: fc.nat(1) }).map(({ message: m, spelling }) =>
  envelope('smb_message_echoes', {
    message_echoes: [
      {
        from: BUSINESS.number,
        to: phoneOf(m.customer, spelling),
        id: m.outbound ? m.wamid : `${m.wamid.slice(0, -4)}echo`,
        timestamp: String(m.at + 7),
        ...content('image', m.index),
      },
    ],
  }),
);

const followUp = fc.record({ message, spelling: fc.nat(1) }).map(({ message: m, spelling }) =>
  envelope('history', {
    messages: [
      {
        from: phoneOf(m.customer, spelling),
        id: m.outbound ? `${m.wamid.slice(0, -4)}fwup` : m.wamid,
        timestamp: String(m.at + 9),
        ...content('image', m.index),
      },
    ],
  }),
);

const chunk = fc
  .record({
    messages: fc.array(
      fc.record({
        message,
        content: kindOfContent,
        status: fc.constantFrom('SENT', 'READ', 'ERROR', undefined),
        error: failure,
      }),
      {
        maxLength: 6,
      },
    ),
    phase: fc.nat(2),
    order: fc.integer({ min: 1, max: 4 }),
    progress: fc.constantFrom(5, 50, 100),
    spelling: fc.nat(1),
  })
  .map(({ messages, phase, order, progress, spelling }) =>
    envelope('history', {
      history: [
        {
          metadata: { phase, chunk_order: order, progress },
          threads: messages.map(({ message: m, content: kind, status, error }) => ({
            id: phoneOf(m.customer, spelling),
            messages: [
              {
                from: m.outbound ? BUSINESS.number : phoneOf(m.customer, spelling),
                id: m.wamid,
                timestamp: String(m.at),
                ...content(kind, m.index),
                ...(status === undefined ? {} : { history_context: { status } }),
                ...(status === 'ERROR' && kind !== 'unsupported' && error !== undefined
                  ? { errors: [error] }
                  : {}),
              },
            ],
          })),
        },
      ],
    }),
  );

const historyError = fc
  .constantFrom(2_593_109, 2_593_110)
  .map((code) => envelope('history', { history: [{ errors: [{ code, title: 'history error' }] }] }));

const stateSync = fc
  .array(
    fc.record({
      customer,
      action: fc.constantFrom('add', 'remove'),
      at: moment,
      name: fc.constantFrom('Agenda A', 'Agenda B', undefined),
      millis: fc.boolean(),
      spelling: fc.nat(1),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((contacts) =>
    envelope('smb_app_state_sync', {
      state_sync: contacts.map(({ customer: person, action, at, name, millis, spelling }) => ({
        type: 'contact',
        contact: {
          phone_number: phoneOf(person, spelling),
          ...(name === undefined || action === 'remove' ? {} : { full_name: name }),
        },
        action,
        metadata: { timestamp: millis ? `${at}000` : String(at) },
      })),
    }),
  );

const statuses = fc
  .array(
    fc.record({
      message,
      status: fc.constantFrom('sent', 'delivered', 'read', 'failed', 'played', 'deleted'),
      at: moment,
      linked: fc.boolean(),
      error: failure,
      gupshup: fc.boolean(),
    }),
    {
      minLength: 1,
      maxLength: 3,
    },
  )
  .map((items) =>
    envelope('messages', {
      statuses: items.map(({ message: m, status, at, linked, error, gupshup }) => ({
        ...(gupshup ? { id: `gupshup-${m.index}`, meta_msg_id: m.wamid } : { id: m.wamid }),
        status,
        timestamp: String(at),
        recipient_id: m.customer.phones[0],
        ...(linked ? { recipient_user_id: m.customer.bsuid } : {}),
        ...(status === 'failed' && error !== undefined ? { errors: [error] } : {}),
      })),
    }),
  );

/** A member of a group, who is named with it: no conversation of theirs. */
const groupOnContact = fc.record({ message }).map(({ message: m }) =>
  envelope('messages', {
    contacts: [{ profile: { name: m.customer.name }, wa_id: m.customer.phones[0], group_id: 'Z3J1cG8=' }],
    messages: [
      { from: m.customer.phones[0], id: m.wamid, timestamp: String(m.at), ...content('text', m.index) },
    ],
  }),
);

const amendment = fc
  .record({
    message,
    kind: fc.constantFrom('edit', 'revoke', 'reaction', 'unreaction'),
    at: moment,
    word: fc.nat(2),
  })
  .map(({ message: m, kind, at, word }) => {
    const item = {
      ...(m.outbound ? { from: BUSINESS.number, to: m.customer.phones[0] } : { from: m.customer.phones[0] }),
      id: `${m.wamid}.${kind}.${at}.${word}`,
      timestamp: String(at),
    };
    const said =
      kind === 'edit'
        ? {
            type: 'edit',
            edit: {
              original_message_id: m.wamid,
              message: { type: 'text', text: { body: `editado ${word}` } },
            },
          }
        : kind === 'revoke'
          ? { type: 'revoke', revoke: { original_message_id: m.wamid } }
          : {
              type: 'reaction',
              reaction: { message_id: m.wamid, emoji: kind === 'unreaction' ? '' : ['👍', '❤️', '😂'][word] },
            };
    return m.outbound
      ? envelope('smb_message_echoes', { message_echoes: [{ ...item, ...said }] })
      : envelope('messages', { messages: [{ ...item, ...said }] });
  });

const secondConnection = fc
  .record({ customer, at: moment, n: fc.nat(2) })
  .map(({ customer: person, at, n }) =>
    envelope(
      'messages',
      {
        messages: [
          {
            from: person.phones[0],
            id: encodeWamid(person.phones[0], `3BOTHER${n}${at}`),
            timestamp: String(at),
            type: 'text',
            text: { body: 'outro número' },
          },
        ],
      },
      OTHER_BUSINESS,
    ),
  );

const numberChange = fc.constantFrom(...CUSTOMERS.slice(0, 1)).map((person) =>
  envelope('messages', {
    messages: [
      {
        from: person.phones[0],
        id: 'wamid.change',
        timestamp: String(T0 + 500),
        type: 'system',
        system: { type: 'user_changed_number', wa_id: '5511900000077', body: 'changed' },
      },
    ],
  }),
);

const profile = fc
  .record({ customer, at: moment, name: fc.constantFrom('Nome 1', 'Nome 2') })
  .map(({ customer: person, at, name }) =>
    envelope('user_preferences', {
      contacts: [
        {
          profile: { name, username: person.name.toLowerCase() },
          wa_id: person.phones[0],
          user_id: person.bsuid,
        },
      ],
      user_preferences: [
        { wa_id: person.phones[0], category: 'marketing_messages', value: 'stop', timestamp: at },
      ],
    }),
  );

/** Two people claim one id: the wamid's own phone, or the names, decide (M9). */
const collision = fc.record({ message, thief: customer }).map(({ message: m, thief }) =>
  envelope('history', {
    history: [
      {
        metadata: { phase: 0, chunk_order: 1, progress: 5 },
        threads: [
          {
            id: thief.phones[0],
            messages: [
              {
                from: thief.phones[0],
                id: m.wamid,
                timestamp: String(m.at),
                type: 'text',
                text: { body: 'roubada' },
              },
            ],
          },
        ],
      },
    ],
  }),
);

const junk = fc.constantFrom<object | string>(
  { app: 'x', type: 'message', version: 2, payload: {} },
  '{"object":"whatsapp_business_account","entry":[{"id":"1","chan',
  { object: 'whatsapp_business_account', entry: [] },
  envelope('messages', {
    messages: [null, 7, { from: '5511900000001', type: 'text', text: { body: 'sem id' } }],
  }),
);

function webContent(kind: 'text' | 'image' | 'list' | 'button', index: number): object {
  switch (kind) {
    case 'text':
      return { conversation: `texto ${index}` };
    case 'image':
      return { imageMessage: { mimetype: 'image/jpeg', caption: `foto ${index}`, fileSha256: 'c2hh' } };
    case 'list':
      return {
        listResponseMessage: {
          title: `texto ${index}`,
          singleSelectReply: { selectedRowId: `row-${index}` },
        },
      };
    case 'button':
      return {
        templateButtonReplyMessage: { selectedId: `row-${index}`, selectedDisplayText: `texto ${index}` },
      };
  }
}

/** A WhatsApp Web event of the same messages: by key id, the person by phone or by LID, sometimes with the pair (M10, I3). */
const baileysItem = fc.record({
  message,
  lid: fc.boolean(),
  skewSeconds: fc.constantFrom(0, 1, 2),
  content: fc.constantFrom('text', 'image', 'list', 'button' as const),
});
const baileys = fc
  .record({
    items: fc.array(baileysItem, { minLength: 1, maxLength: 4 }),
    paired: fc.boolean(),
    liveUpsert: fc.boolean(),
  })
  .map(({ items, paired, liveUpsert }) => {
    const messages = items.map(({ message: m, lid, skewSeconds, content: kind }) => ({
      key: {
        remoteJid: lid ? `${m.customer.lid}@lid` : `${m.customer.phones.at(-1) ?? ''}@s.whatsapp.net`,
        fromMe: m.outbound,
        id: m.keyId,
      },
      message: webContent(kind, m.index),
      messageTimestamp: String(m.at + skewSeconds),
    }));
    const pairs = paired
      ? items.map(({ message: m }) => ({
          lid: `${m.customer.lid}@lid`,
          pn: `${m.customer.phones.at(-1) ?? ''}@s.whatsapp.net`,
        }))
      : [];
    return liveUpsert
      ? { event: 'messages.upsert', sessionId: 'web', data: { type: 'notify', messages } }
      : {
          event: 'messaging-history.set',
          sessionId: 'web',
          data: {
            chats: [],
            contacts: [],
            messages,
            lidPnMappings: pairs,
            syncType: 3,
            progress: 40,
            chunkOrder: 1,
          },
        };
  });

const weighted: fc.WeightedArbitrary<object | string>[] = [
  { arbitrary: live, weight: 6 },
  { arbitrary: chunk, weight: 5 },
  { arbitrary: stateSync, weight: 2 },
  { arbitrary: statuses, weight: 3 },
  { arbitrary: amendment, weight: 4 },
  { arbitrary: echoFollowUp, weight: 1 },
  { arbitrary: followUp, weight: 1 },
  { arbitrary: historyError, weight: 1 },
  { arbitrary: secondConnection, weight: 1 },
  { arbitrary: numberChange, weight: 1 },
  { arbitrary: profile, weight: 1 },
  { arbitrary: groupOnContact, weight: 1 },
  { arbitrary: junk, weight: 1 },
];

/** A random day of Meta's webhooks, all fact kinds mixed. */
export const metaLog = fc.array(fc.oneof(...weighted), { minLength: 1, maxLength: 25 });

/** The same, with collisions of ids between people who stay different people. */
export const collidingLog = fc.array(fc.oneof({ arbitrary: collision, weight: 3 }, ...weighted.slice(0, 3)), {
  minLength: 2,
  maxLength: 15,
});

/** Both worlds: Meta's webhooks and WhatsApp Web's events of the same number. */
export const mixedLog = fc.array(
  fc.oneof({ arbitrary: baileys, weight: 12 }, { arbitrary: liveByPhone, weight: 6 }, ...weighted.slice(1)),
  {
    minLength: 2,
    maxLength: 20,
  },
);

/** The connection that is reached both ways: WhatsApp Web's session has the name of the number's connection. */
export const WEB_CONNECTION = {
  name: 'web',
  phoneNumberId: BUSINESS.phoneNumberId,
  number: `+${BUSINESS.number}`,
};
