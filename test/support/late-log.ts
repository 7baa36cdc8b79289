import fc from 'fast-check';
import { encodeWamid } from '../../src/identity/wamid.js';
import { BUSINESS, content, CUSTOMERS, moment } from './random-log.js';

/** What a webhook says about the number that it is for. */
const naming = fc.constantFrom(
  { id: true, number: false, waba: false },
  { id: true, number: false, waba: true },
  { id: true, number: true, waba: false },
  { id: true, number: true, waba: true },
);

function named(field: string, value: object, say: { id: boolean; number: boolean; waba: boolean }): object {
  const metadata = {
    ...(say.id ? { phone_number_id: BUSINESS.phoneNumberId } : {}),
    ...(say.number ? { display_phone_number: BUSINESS.number } : {}),
  };
  return {
    object: 'whatsapp_business_account',
    entry: [
      {
        ...(say.waba ? { id: BUSINESS.waba } : {}),
        changes: [{ field, value: Object.keys(metadata).length === 0 ? value : { ...value, metadata } }],
      },
    ],
  };
}

/** Of a message with the own number, or of a customer's. */
const lateMessage = fc
  .record({ own: fc.boolean(), n: fc.nat(2), at: moment, say: naming, contact: fc.boolean() })
  .map(({ own, n, at, say, contact }) => {
    const from = own ? BUSINESS.number : CUSTOMERS[0]?.phones[0];
    const user = own ? 'BR.77777777777777777777' : CUSTOMERS[0]?.bsuid;
    return named(
      'messages',
      {
        ...(contact ? { contacts: [{ profile: { name: `Nome ${n}` }, wa_id: from, user_id: user }] } : {}),
        messages: [
          {
            from,
            id: encodeWamid(from ?? '', `3C${own ? 'OWN' : 'ANA'}${n}`),
            timestamp: String(at),
            ...content('text', n),
          },
        ],
      },
      // With its number beside it, such a message would be the business's, to nobody.
      own ? { ...say, number: false } : say,
    );
  });

const lateStatus = fc
  .record({ own: fc.boolean(), n: fc.nat(2), at: moment, say: naming })
  .map(({ own, n, at, say }) =>
    named(
      'messages',
      {
        statuses: [
          {
            id: own
              ? encodeWamid(BUSINESS.number, `3COWN${n}`)
              : encodeWamid(CUSTOMERS[0]?.phones[0] ?? '', `3CANA${n}`),
            status: 'read',
            timestamp: String(at),
          },
        ],
      },
      say,
    ),
  );

const lateContact = fc.record({ own: fc.boolean(), at: moment, say: naming }).map(({ own, at, say }) =>
  named(
    'smb_app_state_sync',
    {
      state_sync: [
        {
          type: 'contact',
          action: 'add',
          contact: { full_name: 'Agenda', phone_number: own ? BUSINESS.number : CUSTOMERS[0]?.phones[0] },
          metadata: { timestamp: String(at) },
        },
      ],
    },
    say,
  ),
);

const lateDecline = fc
  .constantFrom(2_593_109, 2_593_110)
  .map((code) =>
    named(
      'history',
      { history: [{ errors: [{ code, title: 'history error' }] }] },
      { id: false, number: false, waba: true },
    ),
  );

/** Webhooks of one number that say of it now this, now that, among them such about the number itself. */
export const lateLog = fc.array(
  fc.oneof(
    { arbitrary: lateMessage, weight: 5 },
    { arbitrary: lateStatus, weight: 2 },
    { arbitrary: lateContact, weight: 2 },
    { arbitrary: lateDecline, weight: 1 },
  ),
  { minLength: 2, maxLength: 12 },
);

/** How the number's connection may have been entered before: not at all, or by what a person knew of it. */
export const lateConnection = fc.constantFrom(
  null,
  { name: 'loja', phoneNumberId: null, number: `+${BUSINESS.number}` },
  { name: 'loja', phoneNumberId: BUSINESS.phoneNumberId, number: null },
  { name: BUSINESS.phoneNumberId, phoneNumberId: BUSINESS.phoneNumberId, number: null },
);

const SECOND = { phoneNumberId: '106540352242999', number: '5511966665555' };

/** What an entry says of which of two numbers it is for; `null`: only their WABA. */
const owner = fc.constantFrom(BUSINESS, SECOND, null);

function ofWaba(field: string, value: object, of: { phoneNumberId: string; number: string } | null): object {
  const metadata = of === null ? {} : { phone_number_id: of.phoneNumberId, display_phone_number: of.number };
  return {
    object: 'whatsapp_business_account',
    entry: [{ id: BUSINESS.waba, changes: [{ field, value: of === null ? value : { ...value, metadata } }] }],
  };
}

const sharedMessage = fc
  .record({ who: fc.nat(1), n: fc.nat(2), at: moment, of: owner, contact: fc.boolean() })
  .map(({ who, n, at, of, contact }) => {
    const from = CUSTOMERS[who]?.phones[0] ?? '';
    return ofWaba(
      'messages',
      {
        ...(contact ? { contacts: [{ profile: { name: `Nome ${n}` }, wa_id: from }] } : {}),
        messages: [
          { from, id: encodeWamid(from, `3D${who}${n}`), timestamp: String(at), ...content('text', n) },
        ],
      },
      of,
    );
  });

const sharedStatus = fc
  .record({ who: fc.nat(1), n: fc.nat(2), at: moment, of: owner })
  .map(({ who, n, at, of }) =>
    ofWaba(
      'messages',
      {
        statuses: [
          {
            id: encodeWamid(CUSTOMERS[who]?.phones[0] ?? '', `3D${who}${n}`),
            status: 'read',
            timestamp: String(at),
          },
        ],
      },
      of,
    ),
  );

const sharedHistory = fc
  .record({ code: fc.constantFrom(2_593_109, 2_593_110), of: owner })
  .map(({ code, of }) =>
    ofWaba('history', { history: [{ errors: [{ code, title: 'history error' }] }] }, of),
  );

const sharedContact = fc.record({ who: fc.nat(1), at: moment, of: owner }).map(({ who, at, of }) =>
  ofWaba(
    'smb_app_state_sync',
    {
      state_sync: [
        {
          type: 'contact',
          action: 'add',
          contact: { full_name: 'Agenda', phone_number: CUSTOMERS[who]?.phones[0] },
          metadata: { timestamp: String(at) },
        },
      ],
    },
    of,
  ),
);

/** Webhooks of one WABA with two numbers, some of which name only the WABA. */
export const sharedWabaLog = fc.array(
  fc.oneof(
    { arbitrary: sharedMessage, weight: 5 },
    { arbitrary: sharedStatus, weight: 2 },
    { arbitrary: sharedContact, weight: 1 },
    { arbitrary: sharedHistory, weight: 2 },
  ),
  { minLength: 2, maxLength: 12 },
);
