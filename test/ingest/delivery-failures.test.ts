import { expect, it } from 'vitest';
import { readMessages } from '../../src/commands/messages/read-messages.js';
import { report } from '../../src/commands/report/report.js';
import type { JsonValue } from '../../src/model/json.js';
import { faults, runCheck } from '../support/checking.js';
import { describeOnServer } from '../support/databases.js';
import { expectOneDatabase } from '../support/orders.js';
import { ask } from '../support/explaining.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { reportOptions } from '../support/reporting.js';
import { select, value } from '../support/shown.js';
import { ANA, echo, history, oldOut, status, wamid } from '../support/webhooks.js';

const WINDOW = {
  code: 131_047,
  title: 'Re-engagement message',
  message: 'Re-engagement message',
  error_data: { details: 'More than 24 hours have passed.' },
  href: 'https://example.com/error-codes',
};
const KEPT = {
  code: 131_047,
  title: 'Re-engagement message',
  details: 'More than 24 hours have passed.',
};

describeOnServer('why a message failed is kept with it', (backend) => {
  it('M3: code, title and details of a failed status, whether it comes before or after its message', async () => {
    const store = await expectOneDatabase(backend, [
      echo('A1', 0),
      status('A1', 'failed', 5, { errors: [WINDOW] }),
      status('A1', 'sent', 3),
    ]);
    expect(await select(store, 'select status, errors from messages')).toEqual([
      { status: 'failed', errors: [KEPT] },
    ]);
    expect(await value(store, 'select count(*)::int from pending_facts')).toBe(0);
  });

  it('M3: of several tellings every code is kept once, with the most that was said about it', async () => {
    const ecosystem = { code: 131_049, title: 'Not delivered' };
    const store = await expectOneDatabase(backend, [
      status('A1', 'failed', 5, { errors: [{ code: 131_047, title: 'Re-engagement message' }] }),
      status('A1', 'failed', 5, { errors: [ecosystem, { code: 131_047, details: KEPT.details }] }),
      echo('A1', 0),
    ]);
    expect(await select(store, 'select errors from messages')).toEqual([{ errors: [KEPT, ecosystem] }]);
  });

  it('M3: they stay on record when a later status says that the message came through', async () => {
    const store = await expectOneDatabase(backend, [
      echo('A1', 0),
      status('A1', 'failed', 5, { errors: [WINDOW] }),
      status('A1', 'delivered', 9),
    ]);
    expect(await select(store, 'select status, errors from messages')).toEqual([
      { status: 'delivered', errors: [KEPT] },
    ]);
  });

  it('M3: a status that says more than its message is not corrected by the message', async () => {
    const short = { code: KEPT.code, title: 'Re-engagement', error_data: { details: KEPT.details } };
    const parts = { history_context: { status: 'ERROR', from_me: true }, errors: [short] };
    const store = await expectOneDatabase(backend, [
      history([oldOut('A1', 0, parts)]),
      status('A1', 'failed', 5, { errors: [{ code: KEPT.code, title: KEPT.title }] }),
      // The same message in an entry of its own: it is compared with the row.
      history([oldOut('A1', 0, parts)], { order: 2 }),
    ]);
    expect(await select(store, 'select errors from messages')).toEqual([{ errors: [KEPT] }]);
  });

  it('keeps the errors of a message of the history with status ERROR, and of an echo', async () => {
    const failed = { history_context: { status: 'ERROR', from_me: true }, errors: [WINDOW] };
    const store = await expectOneDatabase(backend, [
      history([oldOut('A1', 0, failed), oldOut('A2', 3)]),
      echo('A3', 6, { errors: [{ code: '131026', title: 'Message undeliverable' }] }),
      echo('A4', 9, {
        type: 'unsupported',
        text: undefined,
        errors: [{ code: 131_051, title: 'Unsupported' }],
      }),
    ]);
    expect(await select(store, 'select status, errors from messages order by timestamp')).toEqual([
      { status: 'failed', errors: [KEPT] },
      { status: 'read', errors: null },
      { status: 'failed', errors: [{ code: 131_026, title: 'Message undeliverable' }] },
      { status: 'sent', errors: null },
    ]);
  });

  it.each<[string, JsonValue]>([
    ['no list', { code: 131_047 }],
    ['an empty list', []],
    ['a list of junk', [null, 7, 'x', {}, { code: {}, title: '' }]],
  ])('takes %s for no errors', async (_title, errors) => {
    const store = await backend.open();
    await replayBodies(store, [echo('A1', 0), status('A1', 'failed', 5, { errors })]);
    expect(await select(store, 'select status, errors from messages')).toEqual([
      { status: 'failed', errors: null },
    ]);
  });

  it('M8: an error without a code, with NUL, half a character and a text without end is stored', async () => {
    const store = await backend.open();
    const errors = [{ title: 'nul\0 half \ud800', details: 'x'.repeat(100_000) }];
    await replayBodies(store, [echo('A1', 0), status('A1', 'failed', 5, { errors })]);
    expect(
      await select(
        store,
        `select errors->0->>'title' as title, length(errors->0->>'details') as length from messages`,
      ),
    ).toEqual([{ title: 'nul\uFFFD half \uFFFD', length: 2000 }]);
  });

  it.each(['null', `'[{"code": 131047}]'`, `'"junk"'`])(
    'the accounting proof finds errors that somebody made %s, and the replay puts them back',
    async (damaged) => {
      const store = await backend.open();
      const failed = { history_context: { status: 'ERROR', from_me: true }, errors: [WINDOW] };
      const log = [
        echo('A1', 0),
        status('A1', 'failed', 5, { errors: [WINDOW] }),
        history([oldOut('A2', 9, failed)]),
      ];
      await replayBodies(store, log);
      await store.sql.execute(`update messages set errors = ${damaged}`);
      expect(faults(await runCheck(store, 'raw_log'))).toEqual([
        `* ${wamid('A2')} stdin:3: differs in errors`,
        `* ${wamid('A1')} stdin:2: status failed is neither applied nor pending`,
      ]);

      await replayBodies(store, log);
      expect(await select(store, 'select errors from messages')).toEqual([
        { errors: [KEPT] },
        { errors: [KEPT] },
      ]);
      expect(faults(await runCheck(store, 'raw_log'))).toEqual([]);
    },
  );

  it('messages, explain and report tell it', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      echo('A1', 0),
      status('A1', 'failed', 5, { errors: [WINDOW] }),
      echo('A2', 9),
      status('A2', 'failed', 12, { errors: [{ code: 131_026, title: 'Message undeliverable' }] }),
      status('A2', 'read', 15),
      echo('A3', 18),
      status('A3', 'failed', 20, { errors: [{ code: 131_047, title: 'Re-engagement' }] }),
    ]);
    const { messages } = await readMessages(testContext(store), { contact: ANA, limit: 10 });
    expect(messages.map(({ externalId, errors }) => [externalId, errors])).toEqual([
      [wamid('A3'), [{ code: 131_047, title: 'Re-engagement' }]],
      // It has been read since.
      [wamid('A2'), undefined],
      [wamid('A1'), [KEPT]],
    ]);
    expect((await ask(store, wamid('A1'))).messages).toMatchObject([{ status: 'failed', errors: [KEPT] }]);
    const { connections } = await report(testContext(store), reportOptions());
    expect(connections.map(({ deliveryFailures }) => deliveryFailures)).toEqual([
      [{ code: 131_047, title: 'Re-engagement message', messages: 2 }],
    ]);
  });
});
