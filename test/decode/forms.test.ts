import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decodeEntry } from '../../src/decode/decode-entry.js';
import { asArray, asObject } from '../../src/decode/read.js';
import type { DecodedEntry } from '../../src/model/facts.js';
import type { JsonObject, JsonValue } from '../../src/model/json.js';
import { ANA, decode, message, only, wamid, webhook } from './meta-builders.js';
import {
  base64,
  canonical,
  cri,
  docker,
  flatted,
  gzipped,
  nginx,
  node,
  python,
  pythonBytes,
  ruby,
} from './wrap.js';

const TEXT = 'Olá "tudo" bem?\nSegunda linha: ação, 5 € \\ 👍 {"a"=>1} %7B \\x22 '.repeat(40);
const BODY = webhook('messages', { messages: [message({ text: { body: TEXT } })] });
const OTHER = webhook('messages', { messages: [message({ id: wamid('A2') })] });
const WHOLE = JSON.stringify(BODY);
const AT = '2026-09-21T11:13:20.600Z';
const MS = Date.parse(AT);

function entryOf(file: JsonValue | Uint8Array): DecodedEntry {
  const bytes =
    file instanceof Uint8Array ? file : Buffer.from(typeof file === 'string' ? file : JSON.stringify(file));
  const result = decodeEntry(bytes, { include: new Set() });
  if (result.kind === 'invalid') throw new Error(`${result.reason}: ${result.message}`);
  return result.entry;
}

function bodiesOf(entry: DecodedEntry): (string | undefined)[] {
  return entry.sections.flatMap((section) => only('message', section.facts)).map(({ body }) => body);
}

/** What stands around the one section of an entry. */
function viaOf(entry: DecodedEntry): string {
  const [section] = entry.sections;
  return section?.via?.join(' > ') ?? '';
}

const HEADERS = { host: 'n8n.example.test', 'x-hub-signature-256': 'sha256=00' };
const EXECUTION = {
  id: '4711',
  finished: true,
  mode: 'webhook',
  startedAt: AT,
  workflowId: 'w1',
  data: {
    startData: {},
    resultData: {
      runData: {
        Webhook: [
          {
            startTime: MS,
            executionTime: 1,
            source: [],
            data: {
              main: [
                [{ json: { headers: HEADERS, params: {}, query: {}, body: BODY }, pairedItem: { item: 0 } }],
              ],
            },
          },
        ],
        'Edit Fields': [
          {
            startTime: MS + 5,
            source: [{ previousNode: 'Webhook' }],
            data: { main: [[{ json: { body: BODY } }]] },
          },
        ],
      },
      lastNodeExecuted: 'Edit Fields',
    },
  },
};
const PARAMETERS = { ...BODY, phone_number: '+5511900000001', whatsapp: BODY, action: 'process_payload' };
const RAILS = 'I, [2026-09-21T11:13:20.600000 #1]  INFO -- : [97145d6e-0000]   Parameters: ';

describe('E1: every form in which a log can be', () => {
  test.each<[string, JsonValue | Uint8Array, string]>([
    ['Docker’s json-file, whole', { log: `${WHOLE}\n`, stream: 'stdout', time: AT }, 'docker > json_string'],
    ['Docker’s json-file, cut', docker(`${AT} INFO ${WHOLE}`, 800), 'docker > text'],
    ['Kubernetes, cut inside a character', cri(WHOLE, 101), 'cri'],
    [
      'journald, as bytes',
      { MESSAGE: [...Buffer.from(`hook ${WHOLE}`)], __REALTIME_TIMESTAMP: `${MS}000` },
      'journald > bytes > text',
    ],
    ['n8n’s API', { data: [EXECUTION], nextCursor: null }, 'object > n8n > object > n8n'],
    [
      'n8n’s database',
      {
        executionId: 4711,
        workflowData: '{"id":"w"}',
        data: JSON.stringify(flatted(EXECUTION.data)),
        createdAt: AT,
      },
      'object > json_string > flatted > n8n > object > n8n',
    ],
    [
      'n8n’s database, the column alone',
      JSON.stringify(flatted(EXECUTION.data)),
      'flatted > n8n > object > n8n',
    ],
    ['Rails', `${RAILS}${ruby(PARAMETERS)}`, 'text > ruby'],
    ['Rails with Ruby 3.4', `${RAILS}${ruby(PARAMETERS, ' => ')}`, 'text > ruby'],
    [
      'ActionController’s inspect',
      `${RAILS}#<ActionController::Parameters ${ruby(PARAMETERS)} permitted: false>`,
      'text > ruby',
    ],
    [
      'lograge',
      { method: 'POST', path: '/webhooks/whatsapp', params: PARAMETERS, '@timestamp': AT },
      'object',
    ],
    [
      'Sidekiq',
      {
        class: 'JobWrapper',
        args: [{ job_class: 'WhatsappEventsJob', arguments: [PARAMETERS], enqueued_at: AT }],
        created_at: 1,
      },
      'sidekiq > active_job',
    ],
    [
      'nginx',
      `10.0.0.1 - - [21/Sep/2026:08:13:20 -0300] "POST /wa HTTP/1.1" 200 2 "${nginx(WHOLE)}"`,
      'hex_escapes > text',
    ],
    [
      'nginx with escape=json',
      { time: AT, request: 'POST /wa HTTP/1.1', request_body: WHOLE },
      'nginx > json_string',
    ],
    ['Apache', `[21/Sep/2026:08:13:20 -0300] "${WHOLE.replace(/["\\]/g, '\\$&')}"`, 'text > json_string'],
    [
      'RabbitMQ in base64',
      [{ payload: base64(WHOLE), payload_encoding: 'base64', routing_key: 'x', properties: [] }],
      'rabbitmq > base64',
    ],
    [
      'filter-log-events',
      {
        events: [
          { logStreamName: 'x', timestamp: MS, message: `${AT}\tid\tINFO\t${WHOLE}\n`, ingestionTime: MS },
        ],
        searchedLogStreams: [],
      },
      'cloudwatch > text',
    ],
    [
      'Logs Insights',
      {
        results: [
          [
            { field: '@timestamp', value: AT },
            { field: '@message', value: WHOLE },
            { field: '@ptr', value: 'CmE=' },
          ],
        ],
      },
      'object > json_string',
    ],
    [
      'SQS',
      { Messages: [{ MessageId: '1', Body: WHOLE, Attributes: { SentTimestamp: String(MS) } }] },
      'object > sqs > json_string',
    ],
    [
      'SNS in SQS in Lambda',
      {
        Records: [
          {
            messageId: '1',
            eventSource: 'aws:sqs',
            body: JSON.stringify({ Type: 'Notification', Message: WHOLE, Timestamp: AT }),
            attributes: { SentTimestamp: String(MS) },
          },
        ],
      },
      'object > sqs > json_string > sns > json_string',
    ],
    [
      'Kinesis',
      { Records: [{ kinesis: { data: base64(WHOLE), approximateArrivalTimestamp: MS / 1000 } }] },
      'object > kinesis > object > base64',
    ],
    [
      'CloudWatch in Kinesis',
      {
        Records: [
          {
            kinesis: {
              data: gzipped(
                JSON.stringify({
                  messageType: 'DATA_MESSAGE',
                  logEvents: [{ id: '1', timestamp: MS, message: WHOLE }],
                }),
              ),
            },
          },
        ],
      },
      'object > kinesis > object > base64 > gzip > cloudwatch > object > json_string',
    ],
    [
      'API Gateway',
      { body: base64(WHOLE), isBase64Encoded: true, requestContext: { timeEpoch: MS } },
      'api_gateway > base64',
    ],
    [
      'Pub/Sub',
      { message: { data: base64(WHOLE), publishTime: AT }, subscription: 's' },
      'pubsub > object > base64',
    ],
    [
      'GCP, as JSON',
      { insertId: 'a', logName: 'l', timestamp: AT, jsonPayload: { message: 'webhook', anything: BODY } },
      'gcp_logging > object',
    ],
    [
      'GCP, as text',
      { insertId: 'a', logName: 'l', timestamp: AT, textPayload: `POST /webhook ${WHOLE}` },
      'gcp_logging > text',
    ],
    ['Event Hubs', [{ Body: base64(WHOLE), EnqueuedTimeUtc: AT }], 'event_hub > base64'],
    [
      'Loki',
      {
        status: 'success',
        data: { resultType: 'streams', result: [{ stream: { app: 'x' }, values: [[`${MS}000000`, WHOLE]] }] },
      },
      'object > loki > json_string',
    ],
    [
      'Elasticsearch',
      {
        took: 1,
        hits: {
          total: { value: 1 },
          hits: [{ _index: 'logs', _id: '1', _source: { '@timestamp': AT, message: WHOLE } }],
        },
      },
      'elasticsearch > object > elasticsearch > object > json_string',
    ],
    [
      'HAR',
      {
        log: {
          version: '1.2',
          entries: [
            {
              startedDateTime: AT,
              request: { method: 'GET', url: 'https://x', headers: [] },
              response: { content: {} },
            },
            {
              startedDateTime: AT,
              request: {
                method: 'POST',
                url: 'https://x',
                headers: [],
                postData: { mimeType: 'application/json', text: WHOLE },
              },
            },
          ],
        },
      },
      'object > har > object > json_string',
    ],
    [
      'Django',
      [{ model: 'hooks.webhook', pk: 7, fields: { created_at: AT, raw_json: BODY } }],
      'django > object',
    ],
    [
      'MongoDB, canonical',
      { _id: { $oid: '650c' }, createdAt: { $date: { $numberLong: String(MS) } }, doc: canonical(BODY) },
      'mongodb > object',
    ],
    ['MongoDB, relaxed', { _id: { $oid: '650c' }, createdAt: { $date: AT }, doc: BODY }, 'mongodb > object'],
    [
      'Laravel',
      {
        id: 1,
        name: 'wa',
        url: 'https://x',
        headers: '{"host":["x"]}',
        payload: WHOLE,
        exception: null,
        created_at: AT,
      },
      'laravel > json_string',
    ],
    [
      'Hasura',
      {
        event: { op: 'INSERT', data: { old: null, new: { payload: BODY } } },
        created_at: AT,
        trigger: { name: 't' },
      },
      'hasura > object',
    ],
    ['a form', `body=${encodeURIComponent(WHOLE)}&x=1`, 'percent > text'],
    [
      'a page',
      `<pre>${WHOLE.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}</pre>`,
      'html_entities > text',
    ],
    ['logfmt', `time=${AT} level=info msg=${JSON.stringify(`received ${WHOLE}`)} n=1`, 'logfmt > text'],
    ['colors', `\x1b[32m[Nest] 1 - \x1b[39m${AT} \x1b[33m${WHOLE}\x1b[39m`, 'ansi > text'],
    ['CSV', `7,messages,"${WHOLE.replaceAll('"', '""')}",f,${AT}`, 'csv_quotes > text'],
    ['Python', `INFO:app:payload ${python(BODY)}`, 'text > python'],
    ['Python’s bytes', `INFO:app:payload ${pythonBytes(WHOLE)}`, 'text > python > json_string'],
    ['Node', `payload ${node(BODY)}`, 'text > inspect'],
    ['a Buffer', { body: { type: 'Buffer', data: [...Buffer.from(WHOLE)] } }, 'object > bytes'],
    ['gzip in gzip', gzipSync(gzipSync(WHOLE)), ''],
    ['words before and after', `webhook received: ${WHOLE} (took 3 ms)`, 'text'],
  ])('%s', (_form, file, via) => {
    const entry = entryOf(file);
    expect(entry.unrecognized).toEqual([]);
    expect(bodiesOf(entry)).toEqual([TEXT]);
    expect(viaOf(entry)).toBe(via);
  });

  test.each<[string, JsonValue]>([
    ['Docker', { log: `${WHOLE}\n`, stream: 'stdout', time: '2026-09-21T11:13:20.600000123Z' }],
    ['Docker, cut', docker(WHOLE, 700).replaceAll('.600000000Z', '.600Z')],
    ['n8n', { data: [EXECUTION] }],
    ['Rails', `${RAILS}${ruby(PARAMETERS)}`],
    ['Loki', { result: [{ stream: {}, values: [[`${MS}123456`, WHOLE]] }] }],
    ['journald', { MESSAGE: WHOLE, __REALTIME_TIMESTAMP: `${MS}123` }],
    ['CloudWatch', { logEvents: [{ id: '1', timestamp: MS, message: `2020-01-01T00:00:00Z ${WHOLE}` }] }],
    ['SQS', { Messages: [{ Body: WHOLE, Attributes: { SentTimestamp: String(MS) } }] }],
    ['MongoDB', { createdAt: { $date: { $numberLong: String(MS) } }, doc: canonical(BODY) }],
    ['Django', { model: 'm', pk: 1, fields: { created_at: AT, body: BODY } }],
    ['Django, under the model’s own name', { model: 'm', pk: 1, fields: { received: AT, body: BODY } }],
    ['Elasticsearch', { _source: { message: WHOLE }, fields: { '@timestamp': [AT] } }],
    ['Elasticsearch, its fields alone', { _id: '1', fields: { '@timestamp': [AT], message: [WHOLE] } }],
    ['.NET', { Id: 1, ReceivedOn: AT, Body: WHOLE }],
    ['a logger with colors', `\x1b[32m${AT}\x1b[39m INFO ${WHOLE}`],
    [
      'the innermost wrapper',
      { time: '2020-01-01T00:00:00Z', outer: { time: AT, inner: { x: 1, body: BODY } } },
    ],
  ])('M7: %s says when it came', (_form, file) => {
    expect(entryOf(file).receivedAt).toBe(MS);
  });

  test('M7: nginx and Apache say it in their own words', () => {
    const line = `[21/Sep/2026:08:13:20 -0300] "${nginx(WHOLE)}"`;
    expect(entryOf(line).receivedAt).toBe(Date.UTC(2026, 8, 21, 11, 13, 20));
  });

  test.each([
    'cloudwatch-filter-log-events.json',
    'docker-json-file-split.log',
    'gcp-logging-sink.ndjson',
    'hookdeck-request.json',
    'mongoexport-canonical.json',
    'n8n-execution-api.json',
    'n8n-execution_data-flatted.csv',
    'nginx-escape-json.ndjson',
    'rabbitmq-management-get.json',
    'rails-parameters-chatwoot.log',
    'sidekiq-dead-job-chatwoot.ndjson',
    'sqs-receive-message.json',
  ])('the sample %s is read whole', (name) => {
    const entry = entryOf(readFileSync(new URL(`../samples/logs/${name}`, import.meta.url)));
    expect(entry.unrecognized).toEqual([]);
    const known = ['Bom dia, ainda tem vaga?', 'Olá "tudo" bem?\nSegunda linha'];
    expect(bodiesOf(entry).length).toBeGreaterThan(0);
    for (const body of bodiesOf(entry)) expect(known).toContain(body);
  });
});

describe('E1: packed bytes', () => {
  const signed = (bytes: Uint8Array): number[] => [...bytes].map((byte) => (byte << 24) >> 24);
  const packers = {
    gzip: gzipSync,
    zlib: deflateSync,
    deflate: deflateRawSync,
    twice: (text: string) => gzipSync(gzipSync(text)),
  };

  test('a text in hexadecimal is one', () => {
    const hex = Buffer.from(WHOLE).toString('hex');
    for (const payload of [hex, `0x${hex.toUpperCase()}`, `\\x${hex}`])
      expect(entryOf({ payload }).sections[0]?.facts).toEqual(entryOf({ payload: WHOLE }).sections[0]?.facts);
  });

  test.each(Object.entries(packers))('%s is unpacked from bytes as from base64', (name, pack) => {
    const bytes = pack(WHOLE);
    const forms: JsonValue[] = [
      { payload: [...bytes] },
      { payload: signed(bytes) },
      { payload: { type: 'Buffer', data: [...bytes] } },
      { payload: { type: 'Buffer', data: bytes.toString('base64') } },
      { payload: Object.fromEntries([...bytes].entries()) },
      { payload: bytes.toString('base64') },
      ...(name === 'deflate'
        ? []
        : [{ payload: bytes.toString('hex') }, { payload: `\\x${bytes.toString('hex')}` }]),
      { payload: JSON.stringify({ type: 'Buffer', data: [...bytes] }) },
    ];
    for (const form of forms) {
      const { sections, unrecognized } = entryOf(form);
      expect(sections).toHaveLength(1);
      expect(sections[0]?.facts).toEqual(entryOf({ payload: WHOLE }).sections[0]?.facts);
      expect(unrecognized).toEqual([]);
    }
  });
});

describe('E1: several bodies', () => {
  test('two different ones in one wrapper are both read', () => {
    const entry = entryOf({ id: 1, first: BODY, second: JSON.stringify(OTHER) });
    expect(bodiesOf(entry)).toEqual([TEXT, 'oi']);
    expect(entry.sections.map(({ path }) => path.slice(0, 8))).toEqual(['$.first.', '$.second']);
  });

  test('the same one under two keys is read once, also without its envelope, or with its keys moved', () => {
    const value = withoutEnvelope(BODY);
    const moved = Object.fromEntries(Object.entries(BODY).reverse());
    const wrappers: JsonValue[] = [
      { body: BODY, rawBody: WHOLE },
      { raw: base64(WHOLE), parsed: moved },
      { trigger: [{ ...value, field: 'messages' }], webhook: [{ body: BODY }] },
      { change: 1, items: [value], all: { deep: [[BODY]] } },
    ];
    for (const wrapper of wrappers) {
      expect(bodiesOf(entryOf(wrapper))).toEqual([TEXT]);
    }
  });

  test('elements of a list are deliveries of their own, also when they are alike', () => {
    expect(bodiesOf(entryOf({ logEvents: [{ message: WHOLE }, { message: WHOLE }] }))).toEqual([TEXT, TEXT]);
    expect(bodiesOf(entryOf([BODY, OTHER, BODY]))).toEqual([TEXT, 'oi', TEXT]);
  });

  test('values one after the other in one entry are all read, and a cut one is shown', () => {
    const entry = entryOf(`${WHOLE}\n${JSON.stringify(OTHER)}\n${WHOLE.slice(0, 300)}`);
    expect(bodiesOf(entry)).toEqual([TEXT, 'oi']);
    expect(entry.unrecognized).toMatchObject([{ path: '$[2]', reason: 'invalid_json' }]);
  });

  test('a body without its head is no body: what came before it would be lost unnoticed', () => {
    const tail = WHOLE.slice(WHOLE.indexOf('"id"') - 2);
    for (const cut of [tail, `entry":${tail}`, `INFO ${tail}`, `${WHOLE.slice(20)}\n`]) {
      expect(decodeEntry(Buffer.from(cut), { include: new Set() })).toMatchObject({ kind: 'invalid' });
    }
  });
});

describe('a text of a person is no webhook', () => {
  const pasted = JSON.stringify(OTHER);
  const quoting = (text: string): JsonObject =>
    webhook('messages', { messages: [message({ text: { body: text } })] });

  test.each<[string, string]>([
    ['JSON', pasted],
    ['a line of a log', `2026-09-21 INFO ${pasted}`],
    ['base64', base64(pasted)],
    ['Ruby', ruby(OTHER)],
    ['escapes', nginx(pasted)],
  ])('a customer pastes one as %s', (_what, text) => {
    for (const file of [
      quoting(text),
      { payload: JSON.stringify(quoting(text)) },
      `INFO ${JSON.stringify(quoting(text))}`,
      `Parameters: ${ruby(quoting(text))}`,
      `"${nginx(JSON.stringify(quoting(text)))}"`,
      {
        event: 'messages.upsert',
        instance: 'x',
        data: {
          key: { remoteJid: `${ANA}@s.whatsapp.net`, id: '3EB0A', fromMe: false },
          message: { conversation: text },
          messageTimestamp: 1758000000,
        },
      },
    ] satisfies JsonValue[]) {
      expect(bodiesOf(entryOf(file))).toEqual([text]);
    }
  });

  test('a node that hands on the text alone makes no second webhook of it', () => {
    const body = quoting(pasted);
    expect(bodiesOf(entryOf({ Webhook: [{ json: { body } }], Set: [{ json: { text: pasted } }] }))).toEqual([
      pasted,
    ]);
  });

  test('in a vendor’s own form a text is a text', () => {
    const entry = entryOf({ SmsMessageSid: 'SM1', Body: pasted, From: 'whatsapp:+5511900000001' });
    expect(entry.sections).toEqual([]);
    expect(entry.unrecognized).toMatchObject([{ reason: 'twilio' }]);
  });

  test('a request to Meta and its response stay what they are', () => {
    const exchange = {
      request: { messaging_product: 'whatsapp', to: ANA, type: 'text', text: { body: pasted } },
      response: {
        messaging_product: 'whatsapp',
        contacts: [{ input: ANA, wa_id: ANA }],
        messages: [{ id: 'wamid.x' }],
      },
    };
    expect(entryOf(exchange)).toMatchObject({
      sections: [],
      unrecognized: [{ path: '$.request', reason: 'graph_api_request' }],
    });
    expect(bodiesOf(entryOf({ ...exchange, webhook: OTHER }))).toEqual(['oi']);
  });
});

describe('a log that cannot be read says why', () => {
  const execution = { ...EXECUTION, data: null };
  const REQUEST_OF_HAR = {
    startedDateTime: AT,
    request: { method: 'POST', url: 'https://crm.example/wa', headers: [], bodySize: 512 },
    response: { status: 200, content: { size: 0 } },
  };
  test.each<[string, JsonValue]>([
    ['n8n_without_data', execution],
    ['n8n_without_data', { data: [execution, execution], nextCursor: null }],
    ['n8n_without_runs', { data: [{ id: '1', data: { resultData: { runData: {} } } }] }],
    [
      'n8n_binary',
      {
        json: { headers: HEADERS },
        binary: { data: { mimeType: 'application/json', data: 'filesystem-v2', id: 'filesystem-v2:w/x' } },
      },
    ],
    ['printed_by_node', "  object: 'whatsapp_business_account',"],
    ['printed_by_node', "      changes: [ { value: { messaging_product: 'whatsapp', metadata: {"],
    ['empty_request_body', '1.2.3.4 - - [21/Sep/2026:14:10:05 +0000] "POST /wa HTTP/1.1" 200 2 "-" "x" "-"'],
    ['in_s3', ['software.amazon.payloadoffloading.PayloadS3Pointer', { s3BucketName: 'b', s3Key: 'k' }]],
    ['filtered', `${RAILS}${ruby({ object: 'whatsapp_business_account', entry: '[FILTERED]' })}`],
    ['abridged', "webhook { object: 'whatsapp_business_account', entry: [ { id: '1', changes: [Array] } ] }"],
    ['empty_request_body', { time: AT, request: 'POST /wa HTTP/1.1', request_body: '-' }],
    ['left_out_by_journalctl', { MESSAGE: null, __REALTIME_TIMESTAMP: '1', _PID: '1' }],
    ['har_without_bodies', { log: { entries: [REQUEST_OF_HAR] } }],
    ['har_without_bodies', REQUEST_OF_HAR],
    ['insights_without_message', { '@ptr': 'CmEKJg', '@timestamp': '2026-09-21 11:13:20.600' }],
    ['insights_without_message', { results: [[{ field: '@ptr', value: 'CmEKJg' }]], status: 'Complete' }],
    ['cut_base64', { payload: base64(WHOLE).slice(0, 200), payload_encoding: 'base64', routing_key: 'wa' }],
    ['n8n_cut', `[{"startData":"1","resultData":"2"},{},{"runData":"3"},"${'x'.repeat(30)}`],
    ['hookdeck_large_payload', { id: 'req', data: { headers: {}, body: null, is_large_payload: true } }],
    ['unknown_shape:docker', { log: 'GET / 200 {"a":1}\n', stream: 'stdout', time: AT }],
    ['invalid_json', { log: `${WHOLE.slice(0, 200)}\n`, stream: 'stdout', time: AT }],
  ])('%s', (reason, file) => {
    const entry = entryOf(file);
    expect(entry.sections).toEqual([]);
    expect(entry.unrecognized.map((part) => part.reason)).toEqual([reason]);
  });

  test('a presigned URL is not shown', () => {
    const pointer = {
      event: 'messages.set',
      instance: 'x',
      dataType: 's3',
      data: { fileUrl: 'https://s3/f.json?X-Amz-Signature=abc' },
    };
    expect(JSON.stringify(entryOf(pointer))).not.toContain('Signature');
  });

  test('what Rails filtered out of a message is absent, and said', () => {
    const body = webhook('messages', { messages: [message({ text: { body: '[FILTERED]' } })] });
    const entry = entryOf(`${RAILS}${ruby({ ...body, whatsapp: body })}`);
    expect(bodiesOf(entry)).toEqual([undefined]);
    expect(entry.unrecognized).toMatchObject([
      { path: '$.entry[0].changes[0].value.messages[0].text.body', reason: 'filtered' },
    ]);
    // A person can write the word.
    expect(bodiesOf(decode({ payload: body }))).toEqual(['[FILTERED]']);
  });

  test('nothing of a wrapper that is read is reported: headers, settings, other nodes', () => {
    const workflow = {
      nodes: [{ parameters: { jsCode: 'return [{a: {}}]' }, name: 'Code', position: [1, 2] }],
      connections: {},
    };
    expect(entryOf({ ...EXECUTION, workflowData: workflow }).unrecognized).toEqual([]);
  });
});

describe('signatures', () => {
  const header = `sha256=${createHmac('sha256', 'secret').update(WHOLE).digest('hex')}`;

  test.each<[string, JsonValue]>([
    [
      'API Gateway',
      { headers: { 'X-Hub-Signature-256': header }, body: base64(WHOLE), isBase64Encoded: true },
    ],
    ['API Gateway, several values', { multiValueHeaders: { 'x-hub-signature-256': [header] }, body: WHOLE }],
    [
      'webhook.site',
      { data: [{ uuid: '1', token_id: 't', content: WHOLE, headers: { 'x-hub-signature-256': [header] } }] },
    ],
    [
      'HAR',
      {
        request: {
          method: 'POST',
          headers: [
            { name: 'Host', value: 'x' },
            { name: 'X-Hub-Signature-256', value: header },
          ],
          postData: { text: WHOLE },
        },
      },
    ],
    ['raw headers of Node', { rawHeaders: ['Host', 'x', 'X-Hub-Signature-256', header], raw: WHOLE }],
    [
      'pairs',
      {
        headers: [
          ['host', 'x'],
          ['x-hub-signature-256', header],
        ],
        raw: WHOLE,
      },
    ],
    ['Rack and WSGI', { env: { HTTP_X_HUB_SIGNATURE_256: header }, body: WHOLE }],
    [
      'headers as a text of JSON',
      { headers: JSON.stringify({ 'x-hub-signature-256': [header] }), payload: WHOLE },
    ],
    ['headers as they were sent', { headers: `Host: x\r\nX-Hub-Signature-256: ${header}\r\n`, body: WHOLE }],
    ['a column', { id: 1, x_hub_signature_256: header, raw_body: WHOLE }],
    [
      'a header far outside',
      { request: { headers: { 'x-hub-signature-256': header } }, event: { inner: { body: WHOLE } } },
    ],
    ['a column that is just called so', { id: 1, signature: header, raw_body: WHOLE }],
    [
      'a header and the signature of whoever forwarded',
      {
        headers: { 'x-hub-signature-256': header },
        event: { signature: 'sha256=00', body: WHOLE },
      },
    ],
    ['a line of nginx', `"POST /wa HTTP/1.1" ${header} "${nginx(WHOLE)}"`],
    ['a line of words', `INFO signature=${header} body ${WHOLE}`],
    ['Docker', docker(JSON.stringify({ headers: { 'x-hub-signature-256': header }, body: WHOLE }), 900)],
    ['gzip', { headers: { 'x-hub-signature-256': header }, data: gzipped(WHOLE) }],
  ])('%s: the signature and the bytes that it signs', (_form, file) => {
    const entry = entryOf(file);
    expect(entry.signatures).toMatchObject([{ header }]);
    const [signed] = entry.signatures;
    const bytes = signed?.body ?? new Uint8Array();
    expect(`sha256=${createHmac('sha256', 'secret').update(bytes).digest('hex')}`).toBe(header);
    expect(entry.sections[0]?.path.startsWith(signed?.path ?? '?')).toBe(true);
  });

  test('where the body was written anew, its bytes are not given', () => {
    const files: JsonValue[] = [
      { headers: { 'x-hub-signature-256': header }, body: BODY },
      { data: [EXECUTION] },
      `Parameters: ${ruby({ headers: { 'x-hub-signature-256': header }, body: BODY })}`,
      { headers: { 'x-hub-signature-256': header }, value: JSON.stringify(withoutEnvelope(BODY)) },
    ];
    for (const file of files) {
      expect(entryOf(file).signatures).toMatchObject([{ body: null }]);
    }
  });

  test('each body has its own; the headers of whoever fetched a list are nobody’s', () => {
    const one = (name: string, body: string): JsonObject => ({
      headers: { 'x-hub-signature-256': `sha256=${name}` },
      body,
    });
    const entry = entryOf({
      headers: { 'x-hub-signature-256': 'sha256=ff' },
      items: [one('aa', WHOLE), one('bb', JSON.stringify(OTHER)), { body: WHOLE }],
    });
    expect(entry.signatures.map((signed) => signed.header)).toEqual(['sha256=aa', 'sha256=bb']);
    const apart = entryOf({ a: one('aa', WHOLE), b: { body: JSON.stringify(OTHER) } });
    expect(apart.signatures.map((signed) => signed.header)).toEqual(['sha256=aa']);
  });

  test.each(['sha256=zz', 'sha1=abc', 'x'])('a header that says "%s" is there', (value) => {
    for (const headers of [
      { 'X-Hub-Signature-256': value },
      { 'x-hub-signature-256': [value], 'x-hub-signature': 'sha1=00' },
      [{ name: 'X-Hub-Signature-256', value }],
      `Host: example.test\r\nX-Hub-Signature-256: ${value}\r\nAccept: text/html`,
    ] as JsonValue[]) {
      const [signed] = entryOf({ headers, body: WHOLE }).signatures;
      expect(signed).toMatchObject({ header: value });
      expect(signed?.isSha1).toBeUndefined();
    }
  });

  test('of two copies of a body, the one as it was sent is what was signed', () => {
    const headers = { 'x-hub-signature-256': header };
    const forms: JsonValue[] = [
      { headers, body: BODY, rawBody: WHOLE },
      { rawBody: WHOLE, request: { headers, body: BODY } },
      {
        json: { headers, body: BODY },
        binary: { data: { data: base64(WHOLE), mimeType: 'application/json' } },
      },
      { headers, params: BODY, raw_request: `POST / HTTP/1.1\r\nHost: x\r\n\r\n${WHOLE}` },
    ];
    for (const form of forms) {
      const entry = entryOf(form);
      expect(entry.signatures).toMatchObject([{ header, body: Buffer.from(WHOLE) }]);
      expect(entry.sections).toHaveLength(1);
    }
  });

  test('a signature under another word, or what is none, is none', () => {
    const entries: JsonValue[] = [
      { media_sha256: header, body: WHOLE },
      { signature: 'Ana Souza', body: WHOLE },
      { signature: header, items: [{ body: WHOLE }, { body: JSON.stringify(OTHER) }] },
    ];
    expect(entries.flatMap((entry) => entryOf(entry).signatures)).toEqual([]);
  });

  test('what a customer writes about signatures is none', () => {
    const text = `X-Hub-Signature-256: sha256=${'0'.repeat(64)}`;
    const body = webhook('messages', { messages: [message({ text: { body: text } })] });
    for (const copy of [ruby(body), JSON.stringify(body), body]) {
      const entry = entryOf({ body: JSON.stringify(body), copy });
      expect(entry.signatures).toEqual([]);
      expect(entry.sections).toHaveLength(1);
    }
  });

  test('the older signature is known as such; a plain body, a dash and nothing are none', () => {
    expect(entryOf({ headers: { 'x-hub-signature': 'sha1=00' }, body: WHOLE }).signatures).toMatchObject([
      { header: 'sha1=00', isSha1: true },
    ]);
    expect(entryOf({ headers: { 'x-hub-signature-256': null }, body: WHOLE }).signatures).toEqual([]);
    expect(entryOf({ http_x_hub_signature_256: '-', body: WHOLE }).signatures).toEqual([]);
    expect(entryOf(WHOLE).signatures).toEqual([]);
  });
});

/** The value of a body's one change. */
function withoutEnvelope(body: JsonObject): JsonObject {
  const [entry] = asArray(body.entry) ?? [];
  const [change] = asArray(asObject(entry)?.changes) ?? [];
  return asObject(asObject(change)?.value) ?? {};
}
