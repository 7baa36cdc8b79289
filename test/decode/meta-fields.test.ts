import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/model/json.js';
import {
  ANA,
  AT,
  BUSINESS,
  decode,
  factsOf,
  message,
  only,
  outcomes,
  PARENT,
  SECONDS,
  the,
  USER_ID,
  wamid,
  webhook,
} from './meta-builders.js';

describe('echoes', () => {
  const echo = (parts: Record<string, JsonValue | undefined> = {}): JsonObject =>
    message({ from: BUSINESS, to: ANA, ...parts });

  test.each(['smb_message_echoes', 'message_echoes'])('are outbound, on the field %s', (field) => {
    expect(the('message', factsOf(webhook(field, { message_echoes: [echo()] })))).toMatchObject({
      origin: 'echo',
      direction: 'OUTBOUND',
      status: 'sent',
      counterpart: { phone: '+5511900000001' },
    });
  });

  test('go to whom any of their ids name', () => {
    const to = { to: undefined, to_user_id: USER_ID, to_parent_user_id: PARENT };
    const facts = factsOf(webhook('smb_message_echoes', { message_echoes: [echo(to)] }));
    expect(the('message', facts).counterpart).toEqual({ bsuids: [USER_ID, PARENT] });
  });

  test('M7: without a recipient they are rejected, unless the value has only one contact', () => {
    const message_echoes = [echo({ to: undefined })];
    expect(outcomes(factsOf(webhook('smb_message_echoes', { message_echoes })))).toEqual([
      'rejected:message:missing_counterpart',
    ]);
    const contacts = [{ wa_id: ANA }];
    expect(outcomes(factsOf(webhook('smb_message_echoes', { message_echoes, contacts })))).toEqual([
      'message',
    ]);
  });

  test('M3: with errors they failed; an echo that this API cannot show was sent', () => {
    const errors = [{ code: 131026 }];
    const facts = factsOf(
      webhook('smb_message_echoes', {
        message_echoes: [echo({ errors }), echo({ type: 'unsupported', errors })],
      }),
    );
    expect(only('message', facts).map((fact) => fact.status)).toEqual(['failed', 'sent']);
  });

  test('M5: edits, revokes and reactions of the business are its own', () => {
    const original_message_id = wamid('ORIGINAL');
    const facts = factsOf(
      webhook('smb_message_echoes', {
        message_echoes: [
          echo({
            type: 'edit',
            edit: { original_message_id, message: { type: 'text', text: { body: 'x' } } },
          }),
          echo({ type: 'revoke', revoke: { original_message_id } }),
          echo({ type: 'reaction', reaction: { message_id: original_message_id, emoji: '👍' } }),
        ],
      }),
    );
    expect(outcomes(facts)).toEqual(['edit', 'revoke', 'reaction']);
    expect(the('reaction', facts)).toMatchObject({ reactor: 'business', live: true });
    for (const fact of facts) expect(fact).toMatchObject({ counterpart: { phone: '+5511900000001' } });
  });

  test('I4: an echo to the business itself is skipped', () => {
    expect(
      outcomes(factsOf(webhook('smb_message_echoes', { message_echoes: [echo({ to: BUSINESS })] }))),
    ).toEqual(['skipped:message:self_thread']);
  });
});

describe('standby', () => {
  test('T1: its messages are inbound, but not live', () => {
    const contacts = [{ profile: { name: 'Ana' }, wa_id: ANA }];
    const standby = {
      contacts,
      messages: [message()],
      message_echoes: [message({ from: BUSINESS, to: ANA })],
    };
    const facts = factsOf(webhook('standby', { standby }));
    expect(only('message', facts)).toMatchObject([
      { origin: 'standby', direction: 'INBOUND', path: '$.entry[0].changes[0].value.standby.messages[0]' },
      { origin: 'echo', direction: 'OUTBOUND' },
    ]);
    expect(the('profile', facts)).toMatchObject({ name: 'Ana', at: AT });
  });
});

describe('I5: the address book', () => {
  const line = (
    contact: JsonValue,
    action: JsonValue = 'add',
    timestamp: JsonValue = SECONDS,
  ): JsonObject => ({
    type: 'contact',
    contact,
    action,
    metadata: { timestamp },
  });
  const sync = (...state_sync: JsonValue[]): JsonObject => webhook('smb_app_state_sync', { state_sync });

  test('I5: add names a person, by the full name if there is one', () => {
    const facts = factsOf(
      sync(
        line({ full_name: 'Ana Silva', first_name: 'Ana', phone_number: '+55 11 90000-0001' }),
        line({ first_name: 'Bruno', phone_number: '5521900000002' }, 'ADD', '1758000005000'),
        line({ full_name: 'Só', user_id: USER_ID, parent_user_id: PARENT, username: '@semfone' }),
      ),
    );
    expect(only('address_book', facts)).toEqual([
      {
        kind: 'address_book',
        path: '$.entry[0].changes[0].value.state_sync[0]',
        action: 'add',
        who: { phone: '+5511900000001' },
        name: 'Ana Silva',
        at: AT,
      },
      {
        kind: 'address_book',
        path: '$.entry[0].changes[0].value.state_sync[1]',
        action: 'add',
        who: { phone: '+5521900000002' },
        name: 'Bruno',
        at: AT + 5000,
      },
      {
        kind: 'address_book',
        path: '$.entry[0].changes[0].value.state_sync[2]',
        action: 'add',
        who: { bsuids: [USER_ID, PARENT] },
        name: 'Só',
        username: 'semfone',
        at: AT,
      },
    ]);
  });

  test('I5: remove takes a person out, and brings no name', () => {
    for (const action of ['remove', 'delete']) {
      const fact = the('address_book', factsOf(sync(line({ phone_number: ANA, full_name: 'Ana' }, action))));
      expect([fact.action, fact.name]).toEqual(['remove', undefined]);
    }
  });

  test('H2: its arrival announces the history, once per webhook', () => {
    const facts = factsOf(sync(line({ phone_number: ANA }), line({ phone_number: ANA })));
    expect(the('history_state', facts).status).toBe('pending_history');
  });

  test('M7: junk, service numbers and the own number are skipped and counted', () => {
    const facts = factsOf(
      sync(
        null,
        7,
        line(null),
        line({ phone_number: '190' }),
        line({ full_name: 'Ninguém' }),
        line({ phone_number: BUSINESS }),
        line({ phone_number: ANA }, 'explode'),
        { ...line({ phone_number: ANA }), type: 'label' },
        line({ phone_number: ANA }, 'add', 'soon'),
        line({ phone_number: ANA }),
      ),
    );
    expect(outcomes(facts).slice(1)).toEqual([
      'skipped:contact:not_a_contact',
      'skipped:contact:not_a_contact',
      'skipped:contact:not_a_contact',
      'skipped:contact:not_a_contact',
      'skipped:contact:not_a_contact',
      'skipped:contact:own_number',
      'skipped:contact:not_a_contact',
      'skipped:contact:not_a_contact',
      'rejected:contact:bad_timestamp',
      'address_book',
    ]);
  });
});

describe('user_id_update', () => {
  test('I3: links the old user id to the new', () => {
    const user_id_update: JsonValue[] = [
      {
        wa_id: ANA,
        user_id: { previous: 'BR.1', current: 'BR.2' },
        parent_user_id: { previous: 'BR.ENT.1', current: 'BR.ENT.2' },
        timestamp: SECONDS,
      },
      null,
      {},
    ];
    const facts = factsOf(webhook('user_id_update', { user_id_update }));
    expect(outcomes(facts)).toEqual([
      'identity_link',
      'rejected:contact:not_an_object',
      'skipped:contact:not_a_contact',
    ]);
    expect(the('identity_link', facts).who).toEqual([
      { bsuids: ['BR.1', 'BR.ENT.1'] },
      { phone: '+5511900000001', bsuids: ['BR.2', 'BR.ENT.2'] },
    ]);
  });

  test('I3: without the old user id it still says whose the new one is', () => {
    const known: JsonObject = { wa_id: ANA, user_id: { current: 'BR.2' } };
    const unknown: JsonObject = { user_id: { current: 'BR.3' } };
    const user_id_update = [known, unknown];
    const facts = factsOf(webhook('user_id_update', { user_id_update }));
    expect(outcomes(facts)).toEqual(['identity_link', 'skipped:contact:not_a_contact']);
    expect(the('identity_link', facts).who).toEqual([{ phone: '+5511900000001', bsuids: ['BR.2'] }]);
  });
});

describe('H3: account-level fields', () => {
  test('H3: an account’s update is counted by its event, and makes nothing', () => {
    const value = { phone_number: BUSINESS, event: 'PARTNER_REMOVED' };
    const body = { entry: [{ id: '9', time: 1758000000, changes: [{ value, field: 'account_update' }] }] };
    expect(decode(body).sections).toEqual([
      {
        path: '$.entry[0].changes[0].value',
        field: 'account_update',
        eventOnly: true,
        connection: { wabaId: '9', displayPhoneNumber: BUSINESS },
        facts: [
          { kind: 'event', path: '$.entry[0].changes[0].value', name: 'account_update.PARTNER_REMOVED' },
        ],
      },
    ]);
  });

  test('H3: the WABA of a removed partner is the one in waba_info, not the portfolio in entry.id', () => {
    const value = { event: 'PARTNER_REMOVED', waba_info: { waba_id: '900' } };
    const body = { entry: [{ id: '1', changes: [{ value, field: 'account_update' }] }] };
    expect(decode(body).sections).toMatchObject([{ connection: { wabaId: '900' } }]);
  });

  test.each([
    'account_alerts',
    'account_review_update',
    'account_settings_update',
    'automatic_events',
    'billing-event',
    'business_capability_update',
    'business_status_update',
    'business_username_update',
    'business_username_updates',
    'calls',
    'flows',
    'group_lifecycle_update',
    'group_participants_update',
    'message_template_quality_update',
    'message_template_components_update',
    'partner_solutions',
    'payment_configuration_update',
    'phone_number_name_update',
    'phone_number_quality_update',
    'security',
    'template_category_update',
    'tracking_events',
    'user_preferences',
  ])('H3: %s is known and counts only', (field) => {
    const entry = decode({ entry: [{ id: '9', changes: [{ value: { entity_id: 7 }, field }] }] });
    expect(entry.unrecognized).toEqual([]);
    expect(entry.sections).toMatchObject([
      { field, eventOnly: true, facts: [{ kind: 'event', name: field }] },
    ]);
  });

  test('T1: preferences and calls name people, but are no messages', () => {
    const contacts = [{ profile: { name: 'Ana Teste' }, wa_id: ANA }];
    const user_preferences = [{ wa_id: ANA, user_id: USER_ID, value: 'stop', timestamp: 1758000000 }];
    const facts = factsOf(webhook('user_preferences', { contacts, user_preferences }));
    expect(outcomes(facts)).toEqual(['event', 'identity_link', 'profile']);
    expect(the('profile', facts)).toMatchObject({ name: 'Ana Teste', at: AT });
  });

  test('H3: calls under the field messages are counted, beside messages and alone', () => {
    const calls = [
      { id: 'wacid.A', from: ANA, event: 'terminate', timestamp: '1758000000', user_id: USER_ID },
    ];
    const contacts = [{ profile: { name: 'Ana Teste' }, wa_id: ANA }];
    const alone = decode(webhook('messages', { contacts, calls }));
    expect(alone.unrecognized).toEqual([]);
    expect(alone.sections).toMatchObject([{ field: 'messages' }]);
    expect(outcomes(alone.sections.flatMap(({ facts }) => facts))).toEqual(['profile', 'event']);
    const beside = decode(webhook('messages', { contacts, calls, messages: [message()] }));
    expect(beside.unrecognized).toEqual([]);
    const facts = beside.sections.flatMap((section) => section.facts);
    expect(outcomes(facts)).toEqual(['message', 'profile', 'event']);
    expect(the('event', facts).name).toBe('calls');
  });

  test('errors of the number alone are an event', () => {
    const entry = decode(webhook('messages', { errors: [{ code: 130429 }] }));
    expect(entry.sections).toMatchObject([
      { eventOnly: true, facts: [{ kind: 'event', name: 'messages.errors' }] },
    ]);
  });
});

describe('the table of fields', () => {
  const LISTS: [string, string, JsonValue][] = [
    ['history', 'history', [{ metadata: { phase: 2, progress: 100 } }]],
    ['smb_app_state_sync', 'state_sync', []],
    ['smb_message_echoes', 'message_echoes', []],
    ['standby', 'standby', { messages: [] }],
    ['user_id_update', 'user_id_update', []],
    ['messages', 'messages', []],
    ['messages', 'statuses', []],
    ['user_preferences', 'user_preferences', []],
    ['calls', 'calls', []],
    ['messages', 'errors', []],
  ];

  test.each(LISTS)('is how a value without a field becomes %s, by its %s', (field, list, content) => {
    const entry = decode({ metadata: { phone_number_id: '1' }, [list]: content });
    expect(entry.unrecognized).toEqual([]);
    expect(entry.sections).toMatchObject([{ field, connection: { phoneNumberId: '1' } }]);
  });

  test('puts messages last: a value with another list beside them has the field of that list', () => {
    const value = {
      metadata: { phone_number_id: '1' },
      messages: [],
      statuses: [],
      contacts: [],
      errors: [],
    };
    expect(decode({ ...value, history: [] }).sections).toMatchObject([{ field: 'history' }]);
    expect(decode({ ...value, message_echoes: [] }).sections).toMatchObject([
      { field: 'smb_message_echoes' },
    ]);
    expect(decode({ ...value, user_preferences: [] }).sections).toMatchObject([{ field: 'messages' }]);
  });

  test('H1: says which fields only a coexistence number sends', () => {
    const marked = LISTS.filter(
      ([field, list, content]) => decode(webhook(field, { [list]: content })).sections[0]?.isCoexistence,
    );
    expect(marked.map(([field]) => field)).toEqual(['history', 'smb_app_state_sync', 'smb_message_echoes']);
  });

  test('E1: a list of any field is reported where an unknown object holds it', () => {
    const notRead = ['user_preferences', 'calls', 'errors'];
    for (const [, list] of LISTS.filter(([, name]) => !notRead.includes(name))) {
      const { unrecognized } = decode(webhook('messages', { messages: [], later: { [list]: [{}] } }));
      expect(unrecognized).toMatchObject([{ reason: 'unknown_list' }]);
    }
  });

  test('E1: a history that is no list is reported, also beside messages', () => {
    const { unrecognized, sections } = decode(
      webhook('messages', { messages: [message()], history: { a: 1 } }),
    );
    expect(unrecognized).toMatchObject([{ reason: 'not_a_list' }]);
    expect(outcomes(sections.flatMap(({ facts }) => facts))).toEqual(['message']);
  });
});

describe('E1: what nobody knows is shown', () => {
  test('E1: an unknown field, by its name', () => {
    const entry = decode(webhook('moon_phase', { messages: [message()] }));
    expect(entry.sections).toEqual([]);
    expect(entry.unrecognized).toMatchObject([
      { path: '$.entry[0].changes[0].value', reason: 'unknown_field:moon_phase' },
    ]);
  });

  test('E1: lists of tomorrow, wherever they stand beside those of today', () => {
    const found = (field: string, value: JsonObject): string[] =>
      decode(webhook(field, value)).unrecognized.map(
        ({ path, reason }) => `${path.replace('$.entry[0].changes[0].value', '')} ${reason}`,
      );
    const messages = [message()];
    expect(found('messages', { messages, parcels: ['x', { id: 1 }] })).toEqual(['.parcels unknown_list']);
    expect(found('messages', { messages, handover: { messages } })).toEqual(['.handover unknown_list']);
    expect(found('messages', { messages, labels: ['a', 'b'], settings: { messages: 4 } })).toEqual([]);
    expect(found('standby', { standby: { messages, parcels: [{}] } })).toEqual([
      '.standby.parcels unknown_list',
    ]);
    expect(found('standby', { standby: [{ messages }], messages })).toEqual(['.standby not_an_object']);
    const thread = { id: ANA, messages, message_list: messages };
    expect(found('history', { history: [{ threads: [thread] }] })).toEqual([
      '.history[0].threads[0].message_list unknown_list',
    ]);
    expect(found('history', { history: [{ metadata: { phase: 0 }, conversations: [thread] }] })).toEqual([
      '.history[0].conversations unknown_list',
    ]);
    expect(found('history', { history: [{}] })).toEqual(['.history[0] nothing_known']);
    expect(found('history', { history: [{ metadata: { phase: 2, progress: 100 } }] })).toEqual([]);
  });

  test('E1: a value without anything known, and one with a list more than is known', () => {
    expect(decode(webhook('messages', {}))).toMatchObject({
      sections: [],
      unrecognized: [{ reason: 'nothing_known' }],
    });
    const entry = decode(webhook('messages', { messages: [message()], parcels: [{ id: 1 }] }));
    expect(entry.sections).toHaveLength(1);
    expect(entry.unrecognized).toMatchObject([
      { path: '$.entry[0].changes[0].value.parcels', reason: 'unknown_list' },
    ]);
  });

  test('E1: junk in place of entries, changes, values and lists', () => {
    const body: JsonObject = {
      entry: [
        null,
        { id: '1' },
        { id: '1', changes: [7, { field: 'messages', value: null }, { value: {} }] },
        { id: '1', changes: [{ field: 'messages', value: { messages: 'x' } }] },
      ],
    };
    expect(decode(body).unrecognized.map((part) => [part.path, part.reason])).toEqual([
      ['$.entry[0]', 'not_an_object'],
      ['$.entry[1]', 'no_changes'],
      ['$.entry[2].changes[0]', 'not_an_object'],
      ['$.entry[2].changes[1].value', 'not_an_object'],
      ['$.entry[2].changes[2]', 'no_field'],
      ['$.entry[3].changes[0].value.messages', 'not_a_list'],
      ['$.entry[3].changes[0].value', 'nothing_known'],
    ]);
  });

  test('an empty list is known and holds nothing', () => {
    expect(decode(webhook('messages', { messages: [] }))).toMatchObject({
      unrecognized: [],
      sections: [{ facts: [] }],
    });
  });
});
