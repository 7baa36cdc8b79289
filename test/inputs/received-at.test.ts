import { describe, expect, it, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.js';
import { decodeAs } from '../../src/ingest/batch/prepare-entry.js';
import { describeOnServer } from '../support/databases.js';
import { replayFiles } from '../support/replaying.js';
import { value } from '../support/shown.js';
import { live } from '../support/webhooks.js';
import { fileWith, read } from './support.js';

const AT = Date.UTC(2026, 8, 21, 11, 13, 20, 601);
const SECOND = AT - 601;
const BODY = JSON.stringify(live('A1', 0));

/** When each entry of a file was received, as the raw log would keep it. */
async function timesIn(content: string): Promise<(number | undefined)[]> {
  const { items } = await read(await fileWith(content));
  return items.map((item) => {
    if (item.kind !== 'entry') throw new Error(item.problem.reason);
    const decoded = decodeAs(item.entry, null);
    if (decoded.kind !== 'decoded') throw new Error(decoded.message);
    return item.entry.receivedAt ?? decoded.entry.receivedAt;
  });
}

type Row = Readonly<Record<string, string>>;

function csvOf(row: Row): string {
  const quoted = (cell: string): string => `"${cell.replaceAll('"', '""')}"`;
  return `${[...Object.keys(row), 'corpo'].map(quoted).join(',')}\n${[...Object.values(row), BODY].map(quoted).join(',')}\n`;
}

function copyOf(row: Row): string {
  const cells = [...Object.values(row), BODY].map((cell) => cell.replaceAll('\\', '\\\\')).join('\t');
  const names = [...Object.keys(row), 'corpo'].map((name) => `"${name}"`).join(', ');
  return `COPY public.wh (n, ${names}) FROM stdin;\n1\t${cells}\n\\.\n`;
}

function insertOf(row: Row): string {
  const cells = [...Object.values(row), BODY].map((cell) => `'${cell.replaceAll("'", "''")}'`).join(',');
  const names = [...Object.keys(row), 'corpo'].map((name) => `"${name}"`).join(', ');
  return `INSERT INTO wh (n, ${names}) VALUES (1,${cells});\n`;
}

const CARRIERS: Readonly<Record<string, (row: Row) => string>> = {
  ndjson: (row) => `${JSON.stringify({ ...row, corpo: BODY })}\n`,
  csv: csvOf,
  copy: copyOf,
  insert: insertOf,
};

/** What each carrier reads of a row. */
async function timesOf(row: Row): Promise<Record<string, number | undefined>> {
  const times: Record<string, number | undefined> = {};
  for (const [carrier, write] of Object.entries(CARRIERS)) [times[carrier]] = await timesIn(write(row));
  return times;
}

function inAll(at: number | undefined): Record<string, number | undefined> {
  return Object.fromEntries(Object.keys(CARRIERS).map((carrier) => [carrier, at]));
}

const LISTED = (
  'received_at receivedAt ReceivedAt received-at RECEIVED_AT|Received At|received_on received created_at createdAt CreatedAt created-at|' +
  'Created At|created_on created inserted_at insertedAt ts TS timestamp @timestamp Timestamp time Time started_at startTime startedDateTime ' +
  'ingested_at receiveTimestamp publishTime approximateArrivalTimestamp EnqueuedTimeUtc event_time eventTime enqueued_at ts_ms ' +
  'time_iso8601 time_local msec failed_at logged_at logged-at datetime date_time date Date epoch when at t __REALTIME_TIMESTAMP'
)
  .split('|')
  .flatMap((names) => (/^[A-Z][a-z]+ At$/.test(names) ? [names] : names.split(' ')));
/** Nobody listed these: their only date and time counts. */
const UNLISTED =
  'quando data_hora criado_em hora fecha zeit horodatage x_received momento arrival _messagetime'.split(' ');
/** Nor these, but they say that a number is a time. */
const SAYING = [
  'kafka_ts',
  'recv-time',
  'hook stamp',
  'seen_at',
  'arrivalEpoch',
  'unixtime',
  'receivedTimestampMs',
];

const DATES: readonly [string, number][] = [
  ['2026-09-21T11:13:20.601Z', AT],
  ['2026-09-21 11:13:20.601', AT],
  ['2026-09-21 08:13:20.601-03', AT],
  ['2026/09/21 11:13:20', SECOND],
  ['Mon, 21 Sep 2026 11:13:20 GMT', SECOND],
  ['Mon, 21 Sep 2026 08:13:20 -0300', SECOND],
  ['21/Sep/2026:08:13:20 -0300', SECOND],
  ['[21/Sep/2026:11:13:20 +0000]', SECOND],
  ['Mon Sep 21 11:13:20 2026', SECOND],
  ['Mon Sep 21 2026 11:13:20 GMT+0000 (Coordinated Universal Time)', SECOND],
];
const EPOCHS: readonly [string, number][] = [
  [String(SECOND / 1000), SECOND],
  [`${SECOND / 1000}.601`, AT],
  [String(AT), AT],
  [`${AT}.25`, AT],
  [`${AT}000`, AT],
  [`${AT}000000`, AT],
];

describe('the time of a row', () => {
  test.each([...LISTED, ...SAYING])('is under %j, in any notation and carrier', async (name) => {
    for (const [written, at] of [...DATES.slice(0, 5), ...EPOCHS])
      expect({ written, ...(await timesOf({ [name]: written })) }).toEqual({ written, ...inAll(at) });
  });

  test.each(UNLISTED)('is its only date and time, under %j', async (name) => {
    for (const [written, at] of DATES.slice(0, 5))
      expect({ written, ...(await timesOf({ [name]: written, nome: 'Zoé' })) }).toEqual({
        written,
        ...inAll(at),
      });
  });

  test.each(DATES)('may be written as %s', async (written, at) => {
    expect(await timesOf({ quando: written })).toEqual(inAll(at));
  });

  it('is a number in JSON as it is a text', async () => {
    for (const number of [SECOND / 1000, AT / 1000, AT, AT * 1000]) {
      const [at] = await timesIn(JSON.stringify({ msec: number, body: BODY }));
      expect(at).toBe(number === SECOND / 1000 ? SECOND : AT);
    }
    for (const name of ['receivedAt', 'hook_stamp']) {
      const row = { [name]: { _seconds: SECOND / 1000, _nanoseconds: 601e6 }, body: BODY };
      expect(await timesIn(JSON.stringify(row))).toEqual([AT]);
    }
  });

  const OTHERS = (
    'updated_at updatedAt expires_at processed_at deleted-at birth_date Birthday dob next_retry_at last_seen ' +
    'valid_until due_date atualizado_em data_nascimento'
  ).split(' ');

  test.each(OTHERS)('is never under %j', async (name) => {
    for (const written of ['2026-09-22 00:00:00', String(AT), '1990-05-17 00:00:00']) {
      expect(await timesOf({ [name]: written })).toEqual(inAll(undefined));
      expect(await timesOf({ [name]: written, created_at: '2026-09-21 11:13:20.601' })).toEqual(inAll(AT));
      expect(await timesOf({ [name]: written, hora: '2026-09-21 11:13:20.601' })).toEqual(inAll(AT));
    }
  });

  it('is not guessed where two names that nobody listed have one', async () => {
    expect(await timesOf({ hora: '2026-09-21 11:13:20', outra: '2026-09-21 11:13:21' })).toEqual(
      inAll(undefined),
    );
    expect(await timesOf({ hora: '2026-09-21 11:13:20', kafka_ts: String(AT) })).toEqual(inAll(undefined));
    expect(await timesOf({ hora: '2026-09-21 11:13:20', recebido: '2026-09-21 11:13:20' })).toEqual(
      inAll(SECOND),
    );
  });

  test.each(['user', 'order_id', 'phone', 'telefone', 'size', 'message_timestamp_id', 'candidate', 'quota'])(
    'is no number under %j',
    async (name) => {
      for (const written of [String(SECOND / 1000), String(AT)])
        expect(await timesOf({ [name]: written })).toEqual(inAll(undefined));
    },
  );

  it('is no number that can be a phone, nor one before WhatsApp', async () => {
    for (const written of ['3125550123', '1190000000', '12'])
      expect(await timesOf({ hook_time: written })).toEqual(inAll(undefined));
  });

  test.each<[string, JsonObject, number | undefined]>([
    ['a small object', { meta: { recv: '2026-09-21T11:13:20.601Z', ip: '10.0.0.1' } }, AT],
    ['its listed name', { ctx: { received_at: AT, expires_at: AT + 9e6 } }, AT],
    ['the header of the request', { headers: { Date: 'Mon, 21 Sep 2026 11:13:20 GMT', Host: 'x' } }, SECOND],
    ['a header that is a list', { headers: { date: ['Mon, 21 Sep 2026 11:13:20 GMT'] } }, SECOND],
    [
      'an object rather than a header',
      { headers: { date: 'Mon, 21 Sep 2026 11:13:25 GMT' }, meta: { recv: '2026-09-21T11:13:20Z' } },
      SECOND,
    ],
    [
      'the row rather than what is in it',
      { hora: '2026-09-21 11:13:20', headers: { date: 'Mon, 21 Sep 2026 11:13:25 GMT' } },
      SECOND,
    ],
    ['none of two', { a: { recv: '2026-09-21T11:13:20Z' }, b: { recv: '2026-09-21T11:13:21Z' } }, undefined],
    ['none of a person', { user: { name: 'Zoé', created_at: '2026-09-21T11:13:20Z' } }, undefined],
    ['none that is another time', { meta: { expires_at: '2026-09-21T11:13:20Z' } }, undefined],
    [
      'none of what may hold a body',
      { other: { recv: '2026-09-21T11:13:20Z', rows: [{ a: 1 }] } },
      undefined,
    ],
    ['no other header', { headers: { 'last-modified': 'Mon, 21 Sep 2026 11:13:20 GMT' } }, undefined],
  ])('is beside the body: %s', async (_what, beside, at) => {
    for (const body of [BODY, live('A1', 0)])
      expect(await timesIn(`${JSON.stringify({ ...beside, body })}\n`)).toEqual([at]);
  });

  test.each<[string, number | undefined]>([
    ['21.09.2026 11:13:20', SECOND],
    ['21/09/2026 11:13:20', SECOND],
    ['09/21/2026 11:13:20', SECOND],
    ['9/21/2026, 11:13:20 AM', SECOND],
    ['21-09-2026 08:13:20 -0300', SECOND],
    ['05.09.2026 11:13:20', Date.UTC(2026, 8, 5, 11, 13, 20)],
    ['09/05/2026, 12:13:20 AM', Date.UTC(2026, 8, 5, 0, 13, 20)],
    ['09/05/2026, 12:13:20\u202fPM', Date.UTC(2026, 8, 5, 12, 13, 20)],
    ['09/09/2026 11:13:20', Date.UTC(2026, 8, 9, 11, 13, 20)],
    // Which is the month?
    ['09/05/2026 11:13:20', undefined],
    ['09/05/2026 11:13:20 AM', undefined],
    ['09-05-2026 11:13:20', undefined],
    ['21/09/26 11:13:20', undefined],
    ['31.02.2026 11:13:20', undefined],
    ['09/21/2026, 13:13:20 PM', undefined],
  ])('%s is read as far as it says which number is the month', async (written, at) => {
    expect(await timesOf({ quando: written, nome: 'Zoé' })).toEqual(inAll(at));
  });

  it('is not that of the message in the body', async () => {
    expect(await timesIn(`${BODY}\n`)).toEqual([undefined]);
    expect(await timesOf({ id: '7' })).toEqual(inAll(undefined));
  });
});

describe('the time of a line', () => {
  test.each<[string, number | undefined]>([
    // Go
    ['2026/09/21 11:13:20 hook ', SECOND],
    ['2026/09/21 11:13:20.601234 main.go:7: hook ', AT],
    // Java, Python, Log4j, IIS
    ['2026-09-21 11:13:20,601 INFO  [main] app.Hook - ', AT],
    ['2026-09-21 11:13:20,601 - app - INFO - ', AT],
    ['INFO:2026-09-21 11:13:20,601:app:', AT],
    ['INFO 2026-09-21 11:13:20 hook ', SECOND],
    ['2026-09-21 11:13:20 10.0.0.1 POST /hook - 443 ', SECOND],
    ['21-Sep-2026 11:13:20.601 INFO [http-nio-1] hook ', AT],
    // Ruby, Laravel, Monolog
    ['[2026-09-21T11:13:20.601 #123]  INFO -- : ', AT],
    ['I, [2026-09-21T11:13:20.601234 #123]  INFO -- : ', AT],
    ['Started POST "/hook" for 10.0.0.1 at 2026-09-21 11:13:20 +0000 ', SECOND],
    ['[2026-09-21 11:13:20] production.INFO: hook ', SECOND],
    // Web servers, PHP
    ['10.0.0.1 - - [21/Sep/2026:11:13:20 +0000] "POST /hook HTTP/1.1" 200 ', SECOND],
    ['[Mon Sep 21 11:13:20.601000 2026] [php:notice] [pid 7] ', AT],
    ['[21-Sep-2026 11:13:20 UTC] hook ', SECOND],
    ['Mon, 21 Sep 2026 11:13:20 +0000 hook ', SECOND],
    ['Mon Sep 21 11:13:20 UTC 2026 hook ', SECOND],
    // journald, Kubernetes, Heroku
    ['2026-09-21T11:13:20+0000 host app[1]: ', SECOND],
    ['2026-09-21T11:13:20.601000+0000 host app[1]: ', AT],
    ['Mon 2026-09-21 11:13:20 UTC host app[1]: ', SECOND],
    ['2026-09-21T11:13:20.601000000Z stdout F ', AT],
    ['2026-09-21T11:13:20.601000+00:00 app[web.1]: ', AT],
    ['<14>1 2026-09-21T11:13:20.601Z host app 1 - - ', AT],
    ['app-1  | [2026-09-21 11:13:20] hook ', SECOND],
    ['0|app  | 2026-09-21T11:13:20: ', SECOND],
    // Nest
    ['[Nest] 123  - 09/21/2026, 11:13:20 AM     LOG [Hook] ', SECOND],
    ['[Nest] 123  - 09/21/2026, 11:13:20\u202fAM     LOG [Hook] ', SECOND],
    ['21.09.2026 11:13:20 INFO hook ', SECOND],
    // RFC 3164 has no year, unless the program says it
    ['Sep 21 11:13:20 host app[1]: ', undefined],
    ['Sep 21 11:13:20 host app[1]: 2026/09/21 11:13:20 hook ', SECOND],
    ['Sep 21 11:13:20 host app[1]: [21/Sep/2026:11:13:20 +0000] hook ', SECOND],
    // logfmt
    ['time=2026-09-21T11:13:20.601Z level=info msg=hook body=', AT],
    ['time="2026-09-21 11:13:20" level=info body=', SECOND],
    [`level=info ts=${SECOND / 1000}.601 body=`, AT],
    [`when=${AT} body=`, AT],
    [`order=${SECOND / 1000} body=`, undefined],
    [`${SECOND / 1000}.601 INFO hook `, AT],
    // Another time
    ['expires=2026-09-22T00:00:00Z hook ', undefined],
    ['next_retry_at: 2026-09-22 00:00:00 time: 2026-09-21 11:13:20 hook ', SECOND],
    ['hook ', undefined],
  ])('%j', async (prefix, at) => {
    const line = `${prefix}${BODY}\n`;
    expect(await timesIn(line)).toEqual([at]);
    expect(await timesIn(`listening on 3000\n${line}${line}`)).toEqual([at, at]);
    const pretty = JSON.stringify(live('A1', 0), null, 2);
    expect(
      await timesIn(
        `${prefix}${pretty.split('\n').join(/^(?:app-1|0\|app|Sep|<14>|2026-09-21T\S+ (?:host|stdout|app\[))/.test(prefix) ? `\n${prefix}` : '\n')}\n`,
      ),
    ).toEqual([at]);
  });
});

describeOnServer('the raw log', (backend) => {
  it('keeps the time of each wrapper', async () => {
    const store = await backend.open();
    const files = await Promise.all([
      fileWith(
        `${JSON.stringify({ msec: `${SECOND / 1000}.601`, request_body: JSON.stringify(live('A1', 0)) })}\n`,
      ),
      fileWith(csvOf({ quando: '2026-09-21 11:13:20.601' })),
      fileWith(`2026/09/21 11:13:20.601 hook ${JSON.stringify(live('A3', 2))}\n`),
      fileWith(
        insertOf({ 'Received At': 'Mon, 21 Sep 2026 11:13:20 GMT' }).replaceAll(
          BODY,
          JSON.stringify(live('A4', 3)),
        ),
      ),
    ]);
    await replayFiles(store, files);
    const times =
      "select string_agg(extract(epoch from received_at)::numeric(16,3)::text, ' ' order by received_at) from webhook_log";
    expect(await value(store, times)).toBe(
      [SECOND, AT, AT, AT].map((at) => (at / 1000).toFixed(3)).join(' '),
    );
  });
});
