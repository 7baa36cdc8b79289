import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/model/json.js';
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

function directionOf(parts: Record<string, JsonValue | undefined>, thread?: JsonObject): string {
  const facts = factsOf(historyOf([message(parts)], thread));
  return only('message', facts)[0]?.direction ?? outcomes(facts.slice(1)).join();
}

describe('M4: on which side a history message stands', () => {
  test.each<[string, Record<string, JsonValue | undefined>, JsonObject | undefined, string]>([
    ['from_me true', { from: BUSINESS, history_context: { from_me: true } }, undefined, 'OUTBOUND'],
    ['from_me true beats from', { from: ANA, history_context: { from_me: true } }, undefined, 'OUTBOUND'],
    [
      'from_me true without from',
      { from: undefined, history_context: { from_me: true } },
      undefined,
      'OUTBOUND',
    ],
    ['the customer, key absent', { from: ANA, history_context: {} }, undefined, 'INBOUND'],
    ['the customer, from_me false', { from: ANA, history_context: { from_me: false } }, undefined, 'INBOUND'],
    ['the business, key absent', { from: BUSINESS }, undefined, 'OUTBOUND'],
    ['the business in another form', { from: '551190000000' }, undefined, 'OUTBOUND'],
    ['another number of the business', { from: '5511900000099' }, undefined, 'OUTBOUND'],
    ['the customer without the 9', { from: '553190000003' }, { id: '5531990000003' }, 'INBOUND'],
    ['the customer in the old Mexican form', { from: '5215500000006' }, { id: '525500000006' }, 'INBOUND'],
    [
      'the customer in the other Argentine form',
      { from: '5491112345678' },
      { id: '541112345678' },
      'INBOUND',
    ],
    ['the customer, formatted', { from: '+55 11 90000-0001' }, undefined, 'INBOUND'],
    ['the context’s wa_id', { from: BRUNO }, { id: 'thread-1', context: { wa_id: BRUNO } }, 'INBOUND'],
    [
      'the context’s user id',
      { from: undefined, from_user_id: USER_ID },
      { id: ANA, context: { user_id: USER_ID } },
      'INBOUND',
    ],
    ['a user id in from', { from: USER_ID }, { id: USER_ID }, 'INBOUND'],
    [
      'a user id where the thread knows none',
      { from: undefined, from_user_id: USER_ID },
      undefined,
      'INBOUND',
    ],
    ['from as a number', { from: 5511900000001 }, undefined, 'INBOUND'],
  ])('M4: %s', (_what, parts, thread, direction) => {
    expect(directionOf(parts, thread)).toBe(direction);
  });

  test('M4: the display number does not decide: a wrong one leaves every side right', () => {
    const body = historyOf([message(), message({ from: BUSINESS, id: wamid('A2') })]);
    const text = JSON.stringify(body).replace(METADATA.display_phone_number, '+55 21 3000-0000');
    const facts = decode(text).sections.flatMap((section) => section.facts);
    expect(only('message', facts).map((fact) => fact.direction)).toEqual(['INBOUND', 'OUTBOUND']);
    for (const fact of only('message', facts)) expect(fact.counterpart).toEqual({ phone: '+5511900000001' });
  });

  test('M4: nobody in from is rejected', () => {
    expect(directionOf({ from: undefined })).toBe('rejected:message:missing_sender');
    expect(directionOf({ from: '' })).toBe('rejected:message:missing_sender');
  });

  test('M4: a thread that names nobody is told by the business’s number, else rejected', () => {
    const thread = { id: 'thread-1' };
    const facts = factsOf(
      historyOf(
        [
          message({ to: BUSINESS }),
          message({ from: BUSINESS, to: BRUNO, id: wamid('A2') }),
          message({ from: BUSINESS, id: wamid('A3') }),
          message({ from: BUSINESS, to: BUSINESS, id: wamid('A4') }),
        ],
        thread,
      ),
    );
    expect(outcomes(facts)).toEqual([
      'history_chunk',
      'message',
      'message',
      'rejected:message:missing_counterpart',
      'skipped:message:self_thread',
    ]);
    expect(only('message', facts)).toMatchObject([
      { direction: 'INBOUND', counterpart: { phone: '+5511900000001' } },
      { direction: 'OUTBOUND', counterpart: { phone: '+5521900000002' } },
    ]);
    const unknown = JSON.stringify(historyOf([message()], thread)).replace(`"${BUSINESS}"`, '""');
    expect(outcomes(decode(unknown).sections.flatMap((section) => section.facts))).toEqual([
      'history_chunk',
      'rejected:message:missing_counterpart',
    ]);
  });

  test('I4: a thread of the business with itself is skipped, reactions and all', () => {
    const reaction = message({ type: 'reaction', reaction: { message_id: 'x', emoji: '👍' } });
    const facts = factsOf(historyOf([message({ from: BUSINESS }), reaction], { id: BUSINESS }));
    expect(outcomes(facts)).toEqual([
      'history_chunk',
      'skipped:message:self_thread',
      'skipped:reaction:self_thread',
    ]);
  });
});

describe('what history brings', () => {
  test('a message of the past: no arrival of its own, only what its status says', () => {
    const facts = factsOf(historyOf([message({ history_context: { status: 'READ' } })]));
    expect(the('message', facts)).toMatchObject({
      path: '$.entry[0].changes[0].value.history[0].threads[0].messages[0]',
      origin: 'history',
      status: 'read',
      historyStatus: 'read',
      isSyncInitial: true,
      timestamp: AT,
    });
  });

  test.each([
    ['DELIVERED', 'delivered'],
    ['ERROR', 'failed'],
    ['error', 'failed'],
    ['PENDING', 'pending'],
    ['PLAYED', 'played'],
    ['read', 'read'],
    ['Sent', 'sent'],
    ['SOMETHING', undefined],
    [null, undefined],
  ])('M3: the status %j is %s', (status, expected) => {
    const fact = the('message', factsOf(historyOf([message({ history_context: { status } })])));
    expect([fact.historyStatus, fact.status]).toEqual([expected, expected]);
  });

  test('I3: a thread’s context gives identities and a username', () => {
    const context = { wa_id: ANA, user_id: USER_ID, parent_user_id: PARENT, username: '@anateste' };
    const facts = factsOf(historyOf([message()], { id: ANA, context }));
    const who = { phone: '+5511900000001', bsuids: [USER_ID, PARENT] };
    expect(the('message', facts).counterpart).toEqual(who);
    expect(the('identity_link', facts).who).toEqual([who]);
    expect(the('profile', facts)).toMatchObject({ who, username: 'anateste', at: AT });
  });

  test('I3: user ids beside from and to belong to the customer', () => {
    const facts = factsOf(
      historyOf([
        message({ from_user_id: USER_ID }),
        message({ from: BUSINESS, to: ANA, to_user_id: USER_ID, id: wamid('A2') }),
        message({ from: BUSINESS, to: BRUNO, to_user_id: USER_ID, id: wamid('A3') }),
      ]),
    );
    expect(only('message', facts).map((fact) => fact.counterpart.bsuids)).toEqual([
      [USER_ID],
      [USER_ID],
      undefined,
    ]);
  });

  test('M5: edits, revokes and reactions of the past change their originals, and make nobody a lead', () => {
    const original_message_id = wamid('ORIGINAL');
    const facts = factsOf(
      historyOf([
        message({ type: 'revoke', revoke: { original_message_id } }),
        message({
          type: 'edit',
          edit: { original_message_id, message: { type: 'text', text: { body: 'x' } } },
        }),
        message({
          type: 'reaction',
          from: BUSINESS,
          reaction: { message_id: original_message_id, emoji: '👍' },
        }),
        message({ type: 'system', system: {} }),
      ]),
    );
    expect(outcomes(facts)).toEqual([
      'history_chunk',
      'revoke',
      'edit',
      'reaction',
      'skipped:message:system',
    ]);
    expect(the('reaction', facts)).toMatchObject({ live: false, reactor: 'business' });
  });

  test('M7: threads without messages are fine, junk costs nobody anything', () => {
    const threads: JsonValue[] = [
      { messages: [] },
      { id: ANA },
      { id: ANA, messages: null },
      null,
      { id: ANA, messages: 'x' },
      { id: ANA, messages: [null, message()] },
    ];
    const entry = decode(webhook('history', { history: [{ metadata: { phase: 1 }, threads }, 7] }));
    expect(entry.sections.flatMap((section) => outcomes(section.facts))).toEqual([
      'history_chunk',
      'rejected:message:not_an_object',
      'message',
    ]);
    expect(
      entry.unrecognized.map((part) => [part.path.slice('$.entry[0].changes[0].value.'.length), part.reason]),
    ).toEqual([
      ['history[0].threads[3]', 'not_an_object'],
      ['history[0].threads[4].messages', 'not_a_list'],
      ['history[1]', 'not_an_object'],
    ]);
  });
});

describe('H2: the ledger of chunks', () => {
  test('H2: each chunk tells its counters and how many messages it holds', () => {
    const chunk = (phase: JsonValue, threads: JsonValue): JsonObject => ({
      metadata: { phase, chunk_order: 2, progress: 80 },
      threads,
    });
    const history = [
      chunk(1, [
        { id: ANA, messages: [message(), null] },
        { id: BRUNO, messages: [message({ from: BRUNO })] },
      ]),
      chunk('0', []),
    ];
    expect(only('history_chunk', factsOf(webhook('history', { history })))).toEqual([
      {
        kind: 'history_chunk',
        path: '$.entry[0].changes[0].value.history[0]',
        phase: 1,
        chunkOrder: 2,
        progress: 80,
        messages: 3,
      },
      {
        kind: 'history_chunk',
        path: '$.entry[0].changes[0].value.history[1]',
        phase: 0,
        chunkOrder: 2,
        progress: 80,
        messages: 0,
      },
    ]);
  });

  test('H2: counters may be texts, and stand beside the phone number', () => {
    const metadata = { ...METADATA, phase: '2', chunk_order: '3', progress: '100' };
    const history = [{ threads: [{ id: ANA, messages: [message()] }] }];
    expect(the('history_chunk', factsOf(webhook('history', { metadata, history })))).toMatchObject({
      phase: 2,
      chunkOrder: 3,
      progress: 100,
      messages: 1,
    });
  });

  test('H2: counters that are none are left out', () => {
    const history = [{ metadata: { phase: 1.5, chunk_order: -1, progress: '1e9' }, threads: [] }];
    expect(the('history_chunk', factsOf(webhook('history', { history })))).toEqual({
      kind: 'history_chunk',
      path: '$.entry[0].changes[0].value.history[0]',
      messages: 0,
    });
  });

  test.each([
    [2593109, 'declined'],
    ['2593109', 'declined'],
    [2593110, 'failed'],
    [undefined, 'failed'],
  ])('H2: error %s means that the history is %s', (code, status) => {
    const error: JsonObject = { title: 'History sync is off' };
    if (code !== undefined) error.code = code;
    const values: JsonObject[] = [{ history: [{ errors: [error] }] }, { errors: [error] }];
    for (const value of values) {
      const text = code === undefined ? 'History sync is off' : `${code} History sync is off`;
      expect(factsOf(webhook('history', value))).toMatchObject([
        { kind: 'history_state', status, error: text },
      ]);
    }
  });
});

describe('M2: media that follow their placeholder', () => {
  const image = { id: '24', mime_type: 'image/jpeg' };

  test('M2: the customer’s come under history as messages: no live message, no arrival', () => {
    const value = { messages: [message({ type: 'image', text: undefined, image })] };
    const fact = the('message', factsOf(webhook('history', value)));
    expect(fact).toMatchObject({
      origin: 'follow_up',
      direction: 'INBOUND',
      isSyncInitial: true,
      media: { id: '24', mimeType: 'image/jpeg' },
    });
    expect(fact.status).toBeUndefined();
  });

  test('M2: the business’s come under history as echoes', () => {
    const contacts = [{ wa_id: ANA, user_id: USER_ID }];
    const echo = message({ from: BUSINESS, to: ANA, type: 'image', text: undefined, image });
    const facts = factsOf(webhook('history', { contacts, message_echoes: [echo] }));
    expect(the('message', facts)).toMatchObject({
      origin: 'follow_up',
      direction: 'OUTBOUND',
      counterpart: { phone: '+5511900000001', bsuids: [USER_ID] },
    });
  });

  test('M2: and on the live echo field they are echoes, with their old time', () => {
    const echo = message({
      from: BUSINESS,
      to: ANA,
      timestamp: SECONDS,
      type: 'image',
      text: undefined,
      image,
    });
    expect(the('message', factsOf(webhook('smb_message_echoes', { message_echoes: [echo] })))).toMatchObject({
      origin: 'echo',
      timestamp: AT,
      isSyncInitial: false,
    });
  });
});
