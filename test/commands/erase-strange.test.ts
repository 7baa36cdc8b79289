import { expect, it } from 'vitest';
import { recordAccess } from '../../src/commands/access/record-access.js';
import { erase } from '../../src/commands/erase/erase.js';
import { rawDiscard } from '../../src/commands/raw-discard/raw-discard.js';
import type { Store } from '../../src/store/store.js';
import { findingsBeside } from '../support/checking.js';
import { addConnection } from '../support/connections.js';
import { tracesIn } from '../support/database-dump.js';
import { describeOnServer } from '../support/databases.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { SECRET } from '../support/secret.js';
import { value } from '../support/shown.js';
import { addressBook, ANA, BRU, FIRST, live, liveFrom, wamid, webhook } from '../support/webhooks.js';

const KEYED = { secretKey: () => SECRET } as const;
const SPELLED = '+55 11 90000-0001';

/** What no version of this tool knows, with the number as people and programs write it. */
const STRANGE = [
  { foo: 'unknown', customer: SPELLED, note: 'hers 1' },
  webhook('brand_new', { new: [{ tel: SPELLED.replaceAll(' ', '.'), note: 'hers 2' }] }),
  { isBase64Encoded: true, body: base64({ foo: 'unknown', customer: ANA, note: 'hers 3' }) },
  { isBase64Encoded: true, body: base64({ foo: base64({ customer: SPELLED }), note: 'hers 4' }) },
  { foo: 'unknown', ref: wamid('X', ANA), note: 'hers 5' },
  `{"broken": "${SPELLED}", "note": "hers 6"`,
  { form: `a=1&WaId=%2B${SPELLED.slice(1).replaceAll(' ', '+')}&n=1`, note: 'hers 7' },
  { tel: SPELLED.replaceAll(' ', '\u00a0').replace('-', '\u2011'), note: 'hers 8' },
  {
    mime: base64({ customer: SPELLED, filler: 'x'.repeat(90) }).replaceAll(/.{76}/g, '$&\r\n'),
    note: 'hers 9',
  },
];
const NOTES = STRANGE.map((_, at) => `hers ${at + 1}`);
const OF_OTHERS = [
  { foo: 'unknown', customer: '+55 11 90000-0002', ref: wamid('X', BRU), note: 'of another 1' },
  { isBase64Encoded: true, body: base64({ foo: 'unknown', note: 'of another 2' }) },
  `{"broken": "155 11 90000-0001 9", "note": "of another 3"`,
];

function base64(value: object): string {
  return Buffer.from(JSON.stringify(value), 'utf8').toString('base64');
}

/** What is left of what nobody can read, whatever wraps it. */
async function notesIn(store: Store): Promise<string[]> {
  const rows = await store.sql.query(
    `select encode(raw_body, 'escape') as body from webhook_log union all select encode(raw_body, 'escape') from discarded_bodies`,
  );
  const open = (text: string): string[] => [
    ...(text.match(/(?:hers|of another) \d/g) ?? []),
    ...(text.match(/[A-Za-z0-9+/]{30,}={0,2}/g) ?? []).flatMap((run) =>
      open(Buffer.from(run, 'base64').toString('utf8')),
    ),
  ];
  return rows.flatMap(({ body }) => open(String(body))).sort();
}

const LEFT = ['of another 1', 'of another 2', 'of another 3'];

describeOnServer('what nobody can read of an erased person', (backend) => {
  const eraseAna = (store: Store): Promise<unknown> =>
    erase(testContext(store, KEYED), { contact: `+${ANA}`, secretKey: SECRET, batchSize: 50 });

  it('goes whatever spells the number, and does not come back', async () => {
    const store = await backend.open();
    const bodies = [
      live('A', 0),
      live('B', 10, { from: BRU, text: { body: 'B' } }),
      ...STRANGE,
      ...OF_OTHERS,
    ];
    await replayBodies(store, bodies);
    expect(await notesIn(store)).toEqual([...NOTES, ...LEFT]);
    await eraseAna(store);
    expect(await notesIn(store)).toEqual(LEFT);
    expect(await tracesIn(store, [ANA, SPELLED], ANA)).toEqual([]);
    await replayBodies(store, bodies, KEYED);
    expect(await notesIn(store)).toEqual(LEFT);
    await replayBodies(
      store,
      STRANGE.map((body) => (typeof body === 'string' ? `${body} ` : { ...body, again: true })),
      KEYED,
    );
    expect(await notesIn(store)).toEqual(LEFT);
    expect(await value(store, `select string_agg(body, ',') from messages`)).toBe('B');
    expect((await findingsBeside(store)).filter((found) => found.includes('erased'))).toEqual([]);
  });

  it('goes where it has only what the person is called, which hashes cannot tell later', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      liveFrom('João Quimby', 'A', 0),
      { foo: 'unknown', who: 'visit of João Quimby' },
      `{"foo":"unknown","who":"Jo\\u00e3o Quimby"}`,
      `{"broken": "João Quimby`,
      { foo: 'unknown', who: 'João of somebody else' },
    ]);
    await eraseAna(store);
    const left = await store.sql.query(
      `select convert_from(raw_body, 'UTF8') as body from webhook_log where raw_body <> ''`,
    );
    expect(left).toEqual([{ body: JSON.stringify({ foo: 'unknown', who: 'João of somebody else' }) }]);
  });

  it('goes out of the bodies that `raw discard` keeps', async () => {
    const store = await backend.open();
    const waiting = [
      addressBook('add', { full_name: 'Ana Maria Quimby', phone_number: SPELLED }, 0),
      ...STRANGE,
      ...OF_OTHERS,
      { isBase64Encoded: true, body: base64(live('A', 0, { text: { body: 'secret' } })) },
    ];
    await replayBodies(store, waiting, { register: false });
    await rawDiscard(testContext(store), {
      entries: (await store.sql.query('select id::text as id from webhook_log')).map(({ id }) => String(id)),
      apply: true,
      recordedOptions: {},
    });
    await addConnection(store, { phoneNumberId: FIRST.id });
    await replayBodies(store, [liveFrom('Ana', 'A2', 20), live('B', 10, { from: BRU })]);
    await eraseAna(store);
    expect(await notesIn(store)).toEqual(LEFT);
    expect(
      await tracesIn(store, ['Quimby', SPELLED, 'secret', base64(live('A', 0)).slice(0, 40)], ANA),
    ).toEqual([]);
    expect(await value(store, 'select count(*)::int from discarded_bodies')).toBe(3);
  });

  it('goes out of who looked, also at others, where it is the number', async () => {
    const store = await backend.open();
    await replayBodies(store, [liveFrom('Paula', 'A', 0), live('B', 10, { from: BRU })]);
    for (const actor of [`op for ${SPELLED}`, `call ${ANA}`, 'Paula']) {
      const ctx = { ...testContext(store), actor };
      await recordAccess(ctx, { command: 'messages', shown: [{ leadId: null, messages: 1 }] });
    }
    await eraseAna(store);
    expect(
      await value(store, `select string_agg(actor, ', ' order by actor collate "C") from access_log`),
    ).toBe('Paula, call [erased], op for [erased]');
  });
});
