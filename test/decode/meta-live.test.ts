import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.js';
import {
  ANA,
  AT,
  BRUNO,
  BUSINESS,
  decode,
  factsOf,
  historyOf,
  message,
  METADATA,
  only,
  outcomes,
  PARENT,
  SECONDS,
  the,
  USER_ID,
  wamid,
  webhook,
} from './meta-builders.js';

describe('a live message', () => {
  test('is inbound, with its text, its ids and its time', () => {
    const body = webhook('messages', { messages: [message({ context: { from: BUSINESS, id: 'wamid.q' } })] });
    const entry = decode(body);
    expect(entry).toMatchObject({ provider: 'meta', unrecognized: [] });
    expect(entry.sections).toMatchObject([
      {
        path: '$.entry[0].changes[0].value',
        field: 'messages',
        eventOnly: false,
        connection: {
          phoneNumberId: '800000000000001',
          wabaId: '900000000000001',
          displayPhoneNumber: BUSINESS,
        },
      },
    ]);
    expect(the('message', factsOf(body))).toEqual({
      kind: 'message',
      path: '$.entry[0].changes[0].value.messages[0]',
      origin: 'live',
      externalId: wamid('A1'),
      stanzaId: 'A1',
      wamidPhone: '+5511900000001',
      counterpart: { phone: '+5511900000001' },
      direction: 'INBOUND',
      timestamp: AT,
      type: 'text',
      body: 'oi',
      grade: 'content',
      contextExternalId: 'wamid.q',
      status: 'delivered',
      isSyncInitial: false,
    });
  });

  test('I4: from the business itself is outbound, with whom it went to, in whatever form the number is', () => {
    const metadata = { ...METADATA, display_phone_number: '+55 31 99000-0000' };
    const echo = { from: '553190000000', to: ANA };
    const fact = the('message', factsOf(webhook('messages', { metadata, messages: [message(echo)] })));
    expect(fact).toMatchObject({
      direction: 'OUTBOUND',
      origin: 'live',
      status: 'sent',
      counterpart: { phone: '+5511900000001' },
    });
  });

  test('I4: from the business itself without a recipient is to the only contact, else it is rejected', () => {
    const messages = [message({ from: BUSINESS })];
    const contacts = [{ profile: { name: 'Ana' }, wa_id: ANA }];
    expect(the('message', factsOf(webhook('messages', { contacts, messages })))).toMatchObject({
      direction: 'OUTBOUND',
      counterpart: { phone: '+5511900000001' },
    });
    expect(outcomes(factsOf(webhook('messages', { messages })))).toEqual([
      'rejected:message:missing_counterpart',
    ]);
  });

  test('I4: from the business to itself is skipped', () => {
    const contacts = [{ profile: { name: 'Loja' }, wa_id: BUSINESS }];
    const toItself = [message({ from: BUSINESS, to: BUSINESS })];
    expect(outcomes(factsOf(webhook('messages', { messages: toItself, contacts })))).toEqual([
      'skipped:message:self_thread',
    ]);
  });

  test('M7: without an id it is rejected, with the place and an excerpt', () => {
    const facts = factsOf(webhook('messages', { messages: [message({ id: undefined })] }));
    expect(facts).toMatchObject([
      {
        kind: 'rejected',
        subject: 'message',
        reason: 'missing_id',
        path: '$.entry[0].changes[0].value.messages[0]',
      },
    ]);
    expect(JSON.stringify(facts)).toContain('oi');
    const long = [message({ id: `wamid.${'x'.repeat(600)}` })];
    expect(outcomes(factsOf(webhook('messages', { messages: long })))).toEqual([
      'rejected:message:missing_id',
    ]);
  });

  test('M7: without a counterpart it is rejected', () => {
    for (const from of [undefined, '', 'thread-1', null]) {
      const facts = factsOf(webhook('messages', { messages: [message({ from })] }));
      expect(outcomes(facts)).toEqual(['rejected:message:missing_counterpart']);
    }
  });

  test('M7: with a bad timestamp it takes the time when the entry came, and says so', () => {
    const body = webhook('messages', { messages: [message({ timestamp: 'soon' })] });
    expect(the('message', factsOf(body, { receivedAt: AT + 5 }))).toMatchObject({
      timestamp: AT + 5,
      rawMeta: { timestampFrom: 'received_at' },
    });
    expect(outcomes(factsOf(body))).toEqual(['rejected:message:bad_timestamp']);
  });

  test('M7: junk among the items never costs its neighbors', () => {
    const messages = [null, message(), 7, 'x', message({ id: undefined }), [], message({ id: wamid('A2') })];
    expect(outcomes(factsOf(webhook('messages', { messages })))).toEqual([
      'rejected:message:not_an_object',
      'message',
      'rejected:message:not_an_object',
      'rejected:message:not_an_object',
      'rejected:message:missing_id',
      'rejected:message:not_an_object',
      'message',
    ]);
  });

  test('M8: milliseconds, numbers and texts are one time; NUL and lone surrogates never reach a text', () => {
    for (const timestamp of ['1758000000', 1758000000, '1758000000000', 1758000000000]) {
      expect(
        the('message', factsOf(webhook('messages', { messages: [message({ timestamp })] }))),
      ).toMatchObject({ timestamp: AT });
    }
    const dirty = message({ id: 'wamid.\0', text: { body: 'a\0b\uD83D' } });
    expect(the('message', factsOf(webhook('messages', { messages: [dirty] })))).toMatchObject({
      externalId: 'wamid.\uFFFD',
      body: 'a\uFFFDb\uFFFD',
    });
  });

  test('E1: messages and statuses of one value are both read, and every entry and change', () => {
    const status = { id: wamid('S1'), status: 'read', timestamp: SECONDS, recipient_id: ANA };
    const change = webhook('messages', { messages: [message()], statuses: [status] }).entry;
    const entry = Array.isArray(change) ? change[0] : null;
    const facts = factsOf({ object: 'whatsapp_business_account', entry: [entry ?? null, entry ?? null] });
    expect(outcomes(facts)).toEqual(['message', 'status', 'message', 'status']);
  });
});

describe('M6: groups', () => {
  const group = message({ group_id: 'Y2FwaV9ncm91cA==' });

  test('M6: a group’s message is skipped and counted', () => {
    expect(outcomes(factsOf(webhook('messages', { messages: [group] })))).toEqual(['skipped:message:group']);
  });

  test('M6: with --include group the group is the counterpart, never the member', () => {
    const contacts = [{ profile: { name: 'Ana' }, wa_id: ANA, user_id: USER_ID }];
    const fact = the(
      'message',
      factsOf(webhook('messages', { contacts, messages: [group] }), { include: ['group'] }),
    );
    expect(fact).toMatchObject({
      counterpart: { waId: 'Y2FwaV9ncm91cA==' },
      rawMeta: { participant: '+5511900000001' },
    });
    expect(fact.counterpart.phone).toBeUndefined();
    expect(fact.counterpart.bsuids).toBeUndefined();
  });

  test('M6: a status to a group is skipped and counted', () => {
    const status = {
      id: wamid('S1'),
      status: 'read',
      timestamp: SECONDS,
      recipient_type: 'group',
      recipient_id: 'g',
    };
    const body = webhook('messages', { statuses: [status] });
    expect(outcomes(factsOf(body))).toEqual(['skipped:status:group']);
    expect(outcomes(factsOf(body, { include: ['group'] }))).toEqual(['status']);
  });
});

describe('M6: a group that the contact names instead of the message', () => {
  const inGroup = { profile: { name: 'Ana' }, wa_id: ANA, group_id: 'Y2FwaV9ncm91cA==' };

  test('M6: a message, a reaction and an edit of its member are skipped and counted', () => {
    const messages = [
      message(),
      message({ id: wamid('R1'), type: 'reaction', reaction: { message_id: wamid('A1'), emoji: '👍' } }),
      message({ id: wamid('E1'), type: 'edit', edit: { original_message_id: wamid('A1') } }),
    ];
    expect(outcomes(factsOf(webhook('messages', { contacts: [inGroup], messages })))).toEqual([
      'skipped:message:group',
      'skipped:reaction:group',
      'skipped:edit:group',
      'profile',
    ]);
  });

  test('M6: so is an echo, and what the own number wrote', () => {
    const echo = message({ from: BUSINESS, to: ANA });
    for (const body of [
      webhook('smb_message_echoes', { contacts: [inGroup], message_echoes: [echo] }),
      webhook('messages', { contacts: [inGroup], messages: [message({ from: BUSINESS })] }),
    ]) {
      expect(outcomes(factsOf(body))).toEqual(['skipped:message:group', 'profile']);
    }
  });

  test('M6: so is a status, whether it names the member or the group', () => {
    for (const recipient of [ANA, 'Y2FwaV9ncm91cA==']) {
      const status = { id: wamid('S1'), status: 'read', timestamp: SECONDS, recipient_id: recipient };
      const facts = factsOf(webhook('messages', { contacts: [inGroup], statuses: [status] }));
      expect(outcomes(facts)).toEqual(['skipped:status:group', 'profile']);
    }
  });

  test('M6: with --include group the group is the counterpart, and its member is kept beside the message', () => {
    const body = webhook('messages', { contacts: [inGroup], messages: [message()] });
    expect(the('message', factsOf(body, { include: ['group'] }))).toMatchObject({
      direction: 'INBOUND',
      counterpart: { waId: 'Y2FwaV9ncm91cA==' },
      rawMeta: { participant: '+5511900000001' },
    });
  });

  test('M6: a person of the same webhook who is in no group keeps the conversation', () => {
    const contacts = [inGroup, { profile: { name: 'Bruno' }, wa_id: BRUNO }];
    const messages = [message(), message({ from: BRUNO, id: wamid('B1', BRUNO) })];
    expect(outcomes(factsOf(webhook('messages', { contacts, messages }))).slice(0, 2)).toEqual([
      'skipped:message:group',
      'message',
    ]);
  });

  test('M6: a thread of the history whose context names a group is one', () => {
    const thread = { id: ANA, context: { wa_id: ANA, group_id: 'Y2FwaV9ncm91cA==' } };
    expect(outcomes(factsOf(historyOf([message()], thread)))).toEqual([
      'history_chunk',
      'skipped:message:group',
    ]);
  });
});

describe('who a live message is from', () => {
  const contact = {
    profile: { name: 'Ana Teste', username: '@anateste' },
    wa_id: ANA,
    user_id: USER_ID,
    parent_user_id: PARENT,
  };

  test('I3: the message carries every identity that it and its contact give', () => {
    const facts = factsOf(webhook('messages', { contacts: [contact], messages: [message()] }));
    const who = { phone: '+5511900000001', bsuids: [USER_ID, PARENT] };
    expect(the('message', facts).counterpart).toEqual(who);
    expect(the('identity_link', facts).who).toEqual([who]);
    expect(the('profile', facts)).toEqual({
      kind: 'profile',
      path: '$.entry[0].changes[0].value.contacts[0]',
      who,
      name: 'Ana Teste',
      username: 'anateste',
      at: AT,
    });
  });

  test('I2: a person known by a user id only has no phone', () => {
    const from = { from: undefined, from_user_id: USER_ID, from_parent_user_id: PARENT };
    const fact = the('message', factsOf(webhook('messages', { messages: [message(from)] })));
    expect(fact.counterpart).toEqual({ bsuids: [USER_ID, PARENT] });
    const inFrom = the('message', factsOf(webhook('messages', { messages: [message({ from: USER_ID })] })));
    expect(inFrom.counterpart).toEqual({ bsuids: [USER_ID] });
  });

  test('I1: from and wa_id may differ by the ninth digit and are one person', () => {
    const contacts = [{ profile: { name: 'Carla' }, wa_id: '553190000003' }];
    const facts = factsOf(webhook('messages', { contacts, messages: [message({ from: '5531990000003' })] }));
    expect(the('message', facts).counterpart).toEqual({ phone: '+5531990000003', waId: '553190000003' });
    expect(only('identity_link', facts)).toEqual([]);
  });

  test('I1: Argentina’s two forms in one webhook are linked, as only then is it known', () => {
    const contacts = [{ profile: { name: 'Eva' }, wa_id: '541112345678' }];
    const facts = factsOf(webhook('messages', { contacts, messages: [message({ from: '5491112345678' })] }));
    expect(the('message', facts).counterpart.phone).toBe('+5491112345678');
    expect(the('identity_link', facts).who).toEqual([
      { phone: '+541112345678' },
      { phone: '+5491112345678' },
    ]);
  });

  test('a contact of somebody else is not mixed in', () => {
    const contacts = [{ profile: { name: 'Bruno' }, wa_id: BRUNO, user_id: USER_ID }];
    const facts = factsOf(webhook('messages', { contacts, messages: [message()] }));
    expect(the('message', facts).counterpart).toEqual({ phone: '+5511900000001' });
  });

  test('several messages of one contact give one profile, at the time of the newest', () => {
    const messages = ['1758000005', '1758000009', '1758000001'].map((timestamp, i) =>
      message({ id: wamid(`A${i}`), timestamp }),
    );
    const facts = factsOf(webhook('messages', { contacts: [contact], messages }));
    expect(the('profile', facts).at).toBe(1758000009000);
  });

  test('a contact that no item names has the time of the newest item, else of the entry, else none', () => {
    const contacts = [{ profile: { name: 'Bruno' }, wa_id: BRUNO }];
    const withMessage = webhook('messages', { contacts, messages: [message()] });
    expect(the('profile', factsOf(withMessage)).at).toBe(AT);
    expect(the('profile', factsOf(webhook('messages', { contacts }), { receivedAt: 42 })).at).toBe(42);
    expect(the('profile', factsOf(webhook('messages', { contacts }))).at).toBe(0);
  });

  test('a contact without a name gives no profile, and junk contacts are rejected', () => {
    const facts = factsOf(webhook('messages', { contacts: [{ wa_id: ANA }, null], messages: [message()] }));
    expect(outcomes(facts)).toEqual(['rejected:contact:not_an_object', 'message']);
  });
});

describe('M5: what is no bubble', () => {
  const original = wamid('ORIGINAL');

  test('M5: an edit changes its original', () => {
    const edit = {
      original_message_id: original,
      message: { context: { id: 'M0' }, type: 'text', text: { body: 'novo' } },
    };
    const facts = factsOf(
      webhook('messages', { messages: [message({ type: 'edit', text: undefined, edit })] }),
    );
    expect(facts).toEqual([
      {
        kind: 'edit',
        path: '$.entry[0].changes[0].value.messages[0]',
        targetExternalId: original,
        editId: wamid('A1'),
        at: AT,
        content: { type: 'text', body: 'novo' },
        counterpart: { phone: '+5511900000001' },
      },
    ]);
  });

  test('M5: an edit of media carries the caption and the file', () => {
    const edit = {
      original_message_id: original,
      message: { image: { id: '9', mime_type: 'image/png', caption: 'x' } },
    };
    const facts = factsOf(webhook('messages', { messages: [message({ type: 'edit', edit })] }));
    expect(the('edit', facts).content).toEqual({
      type: 'image',
      body: 'x',
      media: { id: '9', mimeType: 'image/png' },
    });
  });

  test('M5: a revoke names its original', () => {
    const revoke = { original_message_id: original };
    const facts = factsOf(
      webhook('messages', { messages: [message({ type: 'revoke', text: undefined, revoke })] }),
    );
    expect(facts).toMatchObject([{ kind: 'revoke', targetExternalId: original, at: AT }]);
  });

  test.each([
    ['👍', '👍'],
    ['', null],
    [undefined, null],
  ])('M5: a reaction %j is %j', (emoji, expected) => {
    const reaction: JsonObject = { message_id: original };
    if (emoji !== undefined) reaction.emoji = emoji;
    const facts = factsOf(
      webhook('messages', { messages: [message({ type: 'reaction', text: undefined, reaction })] }),
    );
    expect(facts).toMatchObject([
      { kind: 'reaction', targetExternalId: original, reactor: 'customer', emoji: expected, live: true },
    ]);
  });

  test('M5: without a target, each is rejected as what it is', () => {
    const messages = [
      message({ type: 'edit', edit: {} }),
      message({ type: 'revoke', revoke: null }),
      message({ type: 'reaction', reaction: { emoji: '👍' } }),
      message({ type: 'edit', edit: { original_message_id: original }, id: undefined }),
    ];
    expect(outcomes(factsOf(webhook('messages', { messages })))).toEqual([
      'rejected:edit:missing_target',
      'rejected:revoke:missing_target',
      'rejected:reaction:missing_target',
      'rejected:edit:missing_id',
    ]);
  });

  test('M7: a bad timestamp of an edit, a revoke or a reaction is the entry’s, else it is rejected', () => {
    const at = { timestamp: null, text: undefined };
    const messages = [
      message({ ...at, type: 'revoke', revoke: { original_message_id: original } }),
      message({ ...at, type: 'reaction', reaction: { message_id: original } }),
    ];
    const body = webhook('messages', { messages });
    expect(factsOf(body, { receivedAt: 7_000 })).toMatchObject([{ at: 7_000 }, { at: 7_000 }]);
    expect(outcomes(factsOf(body))).toEqual([
      'rejected:revoke:bad_timestamp',
      'rejected:reaction:bad_timestamp',
    ]);
  });

  test('M6: system notices and welcome requests are skipped and counted', () => {
    const messages = [
      message({ type: 'system', system: { type: 'customer_identity_changed', body: 'x' } }),
      message({ type: 'request_welcome', text: undefined }),
      message({ type: 'system', from: undefined }),
    ];
    expect(outcomes(factsOf(webhook('messages', { messages })))).toEqual([
      'skipped:message:system',
      'skipped:message:system',
      'skipped:message:system',
    ]);
  });

  test.each([
    [{ type: 'user_changed_number', wa_id: BRUNO }, ANA],
    [{ type: 'customer_changed_number', new_wa_id: BRUNO }, ANA],
    [{ type: 'customer_changed_number', wa_id: BRUNO, customer: ANA }, undefined],
  ])('I3: a changed number links the old to the new: %j', (system, from) => {
    const facts = factsOf(webhook('messages', { messages: [message({ type: 'system', from, system })] }));
    expect(the('identity_link', facts).who).toEqual([
      { phone: '+5511900000001' },
      { phone: '+5521900000002' },
    ]);
  });

  test('I3: a changed user id links the old to the new', () => {
    const system = { type: 'user_changed_user_id', user_id: 'BR.2', previous_user_id: 'BR.1' };
    const facts = factsOf(
      webhook('messages', { messages: [message({ type: 'system', from: undefined, system })] }),
    );
    expect(the('identity_link', facts).who).toEqual([{ bsuids: ['BR.1'] }, { bsuids: ['BR.2'] }]);
  });

  test('I3: a changed user id without the old one links to the number, where there is one', () => {
    const system = { type: 'user_changed_user_id', user_id: 'BR.2' };
    const facts = factsOf(
      webhook('messages', {
        messages: [message({ type: 'system', system }), message({ type: 'system', from: undefined, system })],
      }),
    );
    expect(outcomes(facts)).toEqual(['skipped:message:system', 'identity_link', 'skipped:message:system']);
    expect(the('identity_link', facts).who).toEqual([{ phone: '+5511900000001', bsuids: ['BR.2'] }]);
  });
});

describe('statuses', () => {
  const status = { id: wamid('S1'), status: 'delivered', timestamp: SECONDS, recipient_id: ANA };

  test.each(['pending', 'sent', 'delivered', 'read', 'played', 'failed'])('M3: %s is a status', (word) => {
    const facts = factsOf(webhook('messages', { statuses: [{ ...status, status: word }] }));
    expect(facts).toEqual([
      {
        kind: 'status',
        path: '$.entry[0].changes[0].value.statuses[0]',
        targetExternalId: wamid('S1'),
        recipient: { phone: '+5511900000001' },
        status: word,
        at: AT,
      },
    ]);
  });

  test('a failure keeps its errors', () => {
    const errors = [{ code: 131049, title: 'not\0delivered' }, 'junk'];
    const facts = factsOf(webhook('messages', { statuses: [{ ...status, status: 'failed', errors }] }));
    expect(the('status', facts).errors).toEqual([{ code: 131049, title: 'not\uFFFDdelivered' }]);
  });

  test('M3: a status that a program has written in capitals is the same status', () => {
    const facts = factsOf(webhook('messages', { statuses: [{ ...status, status: 'READ' }] }));
    expect(the('status', facts).status).toBe('read');
  });

  test('M3: statuses that the ladder does not know are skipped, unusable ones rejected', () => {
    const statuses = [
      { ...status, status: 'warning' },
      { ...status, status: 'constructor' },
      { ...status, id: null },
      { ...status, status: null },
      { ...status, timestamp: '0' },
      null,
    ];
    expect(outcomes(factsOf(webhook('messages', { statuses })))).toEqual([
      'skipped:status:unknown_status',
      'skipped:status:unknown_status',
      'rejected:status:missing_id',
      'rejected:status:missing_status',
      'rejected:status:bad_timestamp',
      'rejected:status:not_an_object',
    ]);
    expect(
      the(
        'status',
        factsOf(webhook('messages', { statuses: [{ ...status, timestamp: '0' }] }), { receivedAt: 9 }),
      ).at,
    ).toBe(9);
  });

  test('M5: the status deleted revokes the message', () => {
    const facts = factsOf(webhook('messages', { statuses: [{ ...status, status: 'deleted' }] }));
    expect(facts).toEqual([
      {
        kind: 'revoke',
        path: '$.entry[0].changes[0].value.statuses[0]',
        targetExternalId: wamid('S1'),
        at: AT,
        counterpart: { phone: '+5511900000001' },
      },
    ]);
    expect(
      outcomes(factsOf(webhook('messages', { statuses: [{ status: 'deleted', id: wamid('S1') }] }))),
    ).toEqual(['rejected:status:bad_timestamp']);
  });

  test('I3: a recipient with phone and user id links the two', () => {
    const facts = factsOf(webhook('messages', { statuses: [{ ...status, recipient_user_id: USER_ID }] }));
    expect(the('identity_link', facts).who).toEqual([{ phone: '+5511900000001', bsuids: [USER_ID] }]);
  });
});
