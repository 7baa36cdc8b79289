import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../src/model/json.js';
import { decode, message, only, webhook } from './meta-builders.js';

const BODY = JSON.stringify(webhook('messages', { messages: [message({ text: { body: 'found' } })] }));
const TIME = 1_790_000_000_000;

function subscription(...lines: string[]): JsonValue {
  const logEvents = lines.map((line, i) => ({ id: String(i).repeat(56), timestamp: TIME, message: line }));
  return {
    messageType: 'DATA_MESSAGE',
    owner: '1',
    logGroup: '/aws/lambda/x',
    logStream: 's',
    subscriptionFilters: ['f'],
    logEvents,
  };
}

function page(...lines: string[]): JsonValue {
  const events = lines.map((line) => ({
    logStreamName: 'x',
    timestamp: TIME,
    message: line,
    ingestionTime: TIME,
    eventId: '3'.repeat(56),
  }));
  return { events, searchedLogStreams: [{ logStreamName: 'x', searchedCompletely: true }] };
}

function loki(...lines: string[]): JsonValue {
  const values = lines.map((line) => [`${TIME}000000`, line]);
  const result = lines.length === 0 ? [] : [{ stream: { app: 'x' }, values }];
  return { status: 'success', data: { resultType: 'streams', result, stats: {} } };
}

const LAMBDA = [
  `INIT_START Runtime Version: nodejs:20.v30\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:${'a1'.repeat(32)}`,
  'START RequestId: 6f2f4c3e-5a0e-4b0e-9d5a-1d7b6a3c2f10 Version: $LATEST\n',
  '[INFO]\t2026-09-21T11:13:20.600Z\t6f2f4c3e-5a0e-4b0e-9d5a-1d7b6a3c2f10\tdone',
  'END RequestId: 6f2f4c3e-5a0e-4b0e-9d5a-1d7b6a3c2f10\n',
  'REPORT RequestId: 6f2f4c3e-5a0e-4b0e-9d5a-1d7b6a3c2f10\tDuration: 3.21 ms\tBilled Duration: 4 ms\n',
];
const CONTROL = {
  messageType: 'CONTROL_MESSAGE',
  owner: 'CloudwatchLogs',
  logGroup: '',
  logStream: '',
  subscriptionFilters: [],
  logEvents: [{ id: '', timestamp: TIME, message: 'CWL CONTROL MESSAGE: Checking health of Firehose.' }],
};

function health(rest: Record<string, JsonValue> = {}): JsonValue {
  return {
    insertId: 'x',
    logName: 'projects/p/logs/run.googleapis.com%2Frequests',
    timestamp: '2026-09-21T11:13:20Z',
    httpRequest: { requestMethod: 'GET', status: 200, requestUrl: 'https://x/health' },
    resource: { type: 'cloud_run_revision' },
    ...rest,
  };
}

const IDLE: readonly (readonly [string, JsonValue])[] = [
  ['a subscription’s health check', CONTROL],
  ['Lambda’s own lines', subscription(...LAMBDA)],
  ['a page with Lambda’s own lines', page(...LAMBDA)],
  ['a page without a line', page()],
  ['n8n without an execution', { data: [], nextCursor: null }],
  ['Loki without a line', loki()],
  ['Loki with plain lines', loki('GET /health 200', '[info] listening')],
  ['a search without a hit', { took: 1, timed_out: false, hits: { total: { value: 0 }, hits: [] } }],
  ['a health request', health()],
  ['a bulk action', { index: { _index: 'logs', _id: '1' } }],
  ['a bulk action without an index', { create: {} }],
  [
    'phpMyAdmin’s header',
    { type: 'header', version: '5.2.1', comment: 'Export to JSON plugin for PHPMyAdmin' },
  ],
  ['phpMyAdmin’s database', { type: 'database', name: 'crm' }],
  ['phpMyAdmin’s empty table', { type: 'table', name: 'hooks', database: 'crm', data: [] }],
];

describe('a wrapper that is understood and holds no webhook', () => {
  test.each(IDLE)('%s: nothing is missing', (_what, wrapper) => {
    const packed = gzipSync(JSON.stringify(wrapper)).toString('base64');
    const record = {
      Records: [{ kinesis: { partitionKey: '1', data: packed }, eventSource: 'aws:kinesis' }],
    };
    for (const each of [wrapper, JSON.stringify(wrapper), [wrapper, wrapper], record]) {
      const { sections, unrecognized } = decode(each);
      expect({ sections, unrecognized }).toEqual({ sections: [], unrecognized: [] });
    }
  });

  test.each(IDLE)('%s hides no webhook beside it', (_what, wrapper) => {
    for (const list of [
      [wrapper, JSON.parse(BODY) as JsonValue],
      [BODY, wrapper],
    ]) {
      const { sections, unrecognized } = decode(list);
      expect(sections.flatMap(({ facts }) => only('message', facts))).toHaveLength(1);
      expect(unrecognized).toEqual([]);
    }
    expect(decode([wrapper, { a: 1 }]).unrecognized).toHaveLength(1);
  });
});

describe('what may be a body is reported', () => {
  const cut = BODY.slice(0, 200);
  test.each<[string, JsonValue]>([
    ['a cut line', subscription(...LAMBDA, cut)],
    ['a cut line of a page', page(cut)],
    ['a cut line in base64', subscription(Buffer.from(cut).toString('base64'))],
    ['a cut line of Loki', loki('ok', cut)],
    ['a part of a print', subscription("  object: 'whatsapp_business_account', entry: [")],
    ['a line that cannot be told', subscription('got {x')],
    ['a subscription without its lines', { ...CONTROL, logEvents: [{ id: '', timestamp: TIME }] }],
    ['another request', health({ httpRequest: { requestMethod: 'POST', status: 200 } })],
    ['a request with a payload', health({ jsonPayload: { a: cut } })],
    ['a document that is named as an action', { index: { name: 'x' } }],
    ['a row that is named as a header', { type: 'header', version: '1', data: cut }],
    ['a page that is full', { data: [{ id: '1' }], nextCursor: null }],
    ['hits without a body', { took: 1, hits: { hits: [{ _source: { a: 1 } }] } }],
  ])('%s', (_what, wrapper) => {
    const { sections, unrecognized } = decode(wrapper);
    expect(sections).toEqual([]);
    expect(unrecognized).toHaveLength(1);
  });
});
