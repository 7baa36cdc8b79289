import { expect, test } from 'vitest';
import type { JsonValue } from '../../src/model/json.js';
import { decode, message, only, wamid, webhook } from './meta-builders.js';

const TIMES = [1758000000000, 1758000060000, 1758000120000];

/** A body whose one message has no time of its own. */
function timeless(i: number): string {
  return JSON.stringify(
    webhook('messages', { messages: [message({ id: wamid(`B${i}`), timestamp: 'soon' })] }),
  );
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const iso = (at: number): string => new Date(at).toISOString();
const each = (write: (at: number, body: string) => JsonValue): JsonValue[] =>
  TIMES.map((at, i) => write(at, timeless(i)));

test.each<[string, JsonValue]>([
  [
    'Elasticsearch',
    { took: 1, hits: { hits: each((at, body) => ({ _source: { '@timestamp': iso(at), message: body } })) } },
  ],
  [
    'Loki',
    {
      data: {
        resultType: 'streams',
        result: [{ stream: { app: 'x' }, values: each((at, body) => [`${at}000000`, body]) }],
      },
    },
  ],
  [
    'HAR',
    {
      log: {
        entries: each((at, body) => ({
          startedDateTime: iso(at),
          request: { method: 'POST', postData: { text: body } },
        })),
      },
    },
  ],
  [
    'Kinesis',
    {
      Records: each((at, body) => ({
        kinesis: { data: base64(body), approximateArrivalTimestamp: at / 1000 },
      })),
    },
  ],
  [
    'CloudWatch',
    {
      messageType: 'DATA_MESSAGE',
      logEvents: each((at, body) => ({ id: '1', timestamp: at, message: `INFO ${body}` })),
    },
  ],
])('M7: each body in a batch of %s has its own time', (_form, batch) => {
  const { sections, unrecognized } = decode(batch);
  expect(unrecognized).toEqual([]);
  const times = sections.flatMap(({ facts }) => only('message', facts)).map(({ timestamp }) => timestamp);
  expect(times).toEqual(TIMES);
});
