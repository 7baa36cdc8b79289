import type { JsonObject, JsonValue } from '../../model/json.js';
import { parseJson } from '../parse-json.js';
import { asObject } from '../read.js';
import { hasBracket, hasMark } from './outer-values.js';
import { FILTERED } from './rails-filter.js';

/** A wrapper recognized by its constant keys. Only names depend on this table: any wrapper is searched. */
interface Wrapper {
  name: string;
  /** Each list of keys is a form of it. */
  keys: readonly (readonly string[])[];
}

const WRAPPERS: readonly Wrapper[] = [
  {
    name: 'docker',
    keys: [
      ['log', 'stream'],
      ['log', 'time'],
    ],
  },
  { name: 'kubernetes', keys: [['log', 'kubernetes']] },
  {
    name: 'journald',
    keys: [
      ['MESSAGE', '__REALTIME_TIMESTAMP'],
      ['MESSAGE', '_PID'],
    ],
  },
  {
    name: 'cloudwatch',
    keys: [['logEvents'], ['ingestionTime', 'message'], ['events', 'searchedLogStreams']],
  },
  { name: 'gcp_logging', keys: [['insertId', 'logName'], ['jsonPayload'], ['textPayload']] },
  { name: 'loki', keys: [['stream', 'values']] },
  { name: 'elasticsearch', keys: [['_source'], ['hits', 'took']] },
  { name: 'har', keys: [['startedDateTime', 'request']] },
  { name: 'nginx', keys: [['request_body']] },
  {
    name: 'api_gateway',
    keys: [
      ['body', 'isBase64Encoded'],
      ['body', 'requestContext'],
    ],
  },
  {
    name: 'sqs',
    keys: [
      ['Body', 'MessageId'],
      ['body', 'receiptHandle'],
      ['body', 'messageId', 'eventSource'],
    ],
  },
  { name: 'sns', keys: [['Message', 'Type'], ['Sns']] },
  { name: 'kinesis', keys: [['kinesis'], ['data', 'kinesisRecordMetadata'], ['Data', 'PartitionKey']] },
  { name: 'eventbridge', keys: [['detail', 'detail-type']] },
  { name: 'pubsub', keys: [['message', 'subscription']] },
  { name: 'event_hub', keys: [['EnqueuedTimeUtc'], ['enqueuedTimeUtc']] },
  { name: 'event_grid', keys: [['data', 'eventType', 'topic']] },
  { name: 'kafka', keys: [['topic', 'partition', 'offset']] },
  {
    name: 'rabbitmq',
    keys: [
      ['payload', 'routing_key'],
      ['payload', 'payload_encoding'],
    ],
  },
  { name: 'sidekiq', keys: [['class', 'args']] },
  { name: 'active_job', keys: [['job_class', 'arguments']] },
  { name: 'rails', keys: [['controller', 'action', 'params']] },
  {
    name: 'n8n',
    keys: [['resultData'], ['runData'], ['headers', 'params', 'query', 'body'], ['workflowId', 'startedAt']],
  },
  {
    name: 'hookdeck',
    keys: [
      ['source_id', 'data'],
      ['data', 'original_event_data_id'],
    ],
  },
  { name: 'webhook_site', keys: [['token_id', 'content']] },
  { name: 'laravel', keys: [['payload', 'exception', 'url']] },
  { name: 'django', keys: [['model', 'pk', 'fields']] },
  { name: 'supabase', keys: [['record', 'table', 'schema']] },
  { name: 'hasura', keys: [['event', 'trigger']] },
  { name: 'debezium', keys: [['after', 'op']] },
  { name: 'dynamodb', keys: [['Item'], ['Items', 'ScannedCount'], ['dynamodb', 'eventName']] },
  { name: '360dialog', keys: [['event', 'data', 'id']] },
];

/** The forms that have a key, with the place of their wrapper in the table: an object has few keys, the table has many forms. */
const FORMS_BY_KEY = new Map<string, { place: number; name: string; keys: readonly string[] }[]>();
for (const [place, { name, keys }] of WRAPPERS.entries()) {
  for (const form of keys) {
    const [first = ''] = form;
    const forms = FORMS_BY_KEY.get(first) ?? [];
    forms.push({ place, name, keys: form });
    FORMS_BY_KEY.set(first, forms);
  }
}

/** The name of an object's wrapper type; undefined if its keys match none. */
export function wrapperName(object: JsonObject): string | undefined {
  let best: { place: number; name: string } | undefined;
  for (const key of Object.keys(object)) {
    for (const form of FORMS_BY_KEY.get(key) ?? []) {
      if (best !== undefined && best.place <= form.place) continue;
      if (form.keys.every((each) => Object.hasOwn(object, each))) best = form;
    }
  }
  return best?.name;
}

/** Members in which a body would be. */
const BODY_MEMBERS = ['entry', 'body', 'payload', 'params', 'data', 'whatsapp', 'raw_body'];

/** Why an object that could hold a webhook holds none, for wrappers known to omit it. */
export function reasonOfAbsence(object: JsonObject): string | undefined {
  if (BODY_MEMBERS.some((key) => object[key] === FILTERED)) return 'filtered';
  if (object.MESSAGE === null && Object.hasOwn(object, '__REALTIME_TIMESTAMP'))
    return 'left_out_by_journalctl';
  if (isExecution(object) && (object.data === undefined || object.data === null)) return 'n8n_without_data';
  if (isEmptyObject(object.runData)) return 'n8n_without_runs';
  if (isBinaryItem(object)) return 'n8n_binary';
  if (object.is_large_payload === true && (object.body === null || object.body === undefined))
    return 'hookdeck_large_payload';
  if (isUnsavedRequest(object)) return 'har_without_bodies';
  if (isInsightsPointer(object)) return 'insights_without_message';
  if (Object.values(object).some(isCutBase64)) return 'cut_base64';
  if (object.request_body === '-' || object.request_body === '') return 'empty_request_body';
  return undefined;
}

/** An execution of n8n's API: `data` is present only on request. */
function isExecution(object: JsonObject): boolean {
  return (
    Object.hasOwn(object, 'workflowId') && Object.hasOwn(object, 'startedAt') && Object.hasOwn(object, 'mode')
  );
}

/** A request of a HAR file that had a body, which was not saved. */
function isUnsavedRequest({ startedDateTime, request }: JsonObject): boolean {
  const { method, postData } = asObject(request) ?? {};
  if (typeof startedDateTime !== 'string' || typeof method !== 'string') return false;
  return /^(?:POST|PUT|PATCH)$/i.test(method) && (postData === undefined || postData === null);
}

/** A row of CloudWatch Logs Insights with nothing but its place and its own fields. */
function isInsightsPointer(object: JsonObject): boolean {
  return Object.hasOwn(object, '@ptr') && Object.keys(object).every((key) => /^@(?!message$)/.test(key));
}

const BASE64_OF_JSON = /^(?:eyJ|ewo|ew0|W3s)[\w+/-]{40,}={0,2}$/;

/** Whether a text is base64 of a body whose end is missing: a whole one is never a value without a body. */
function isCutBase64(value: JsonValue): boolean {
  if (typeof value !== 'string' || !BASE64_OF_JSON.test(value)) return false;
  const text = Buffer.from(value, 'base64').toString();
  return hasMark(text) && !parseJson(text).ok;
}

function isEmptyObject(value: JsonValue | undefined): boolean {
  const object = asObject(value);
  return object !== undefined && Object.keys(object).length === 0;
}

/** An item of n8n whose body is a file: in the execution is its name, or `filesystem-v2`. */
function isBinaryItem({ json, binary }: JsonObject): boolean {
  const files = asObject(binary);
  if (files === undefined || asObject(json) === undefined) return false;
  return Object.values(files).some((file) => typeof asObject(file)?.mimeType === 'string');
}

/** Where the body is that was too large for a queue: the SQS extended client's pointer. */
export function pointerIn(object: JsonObject): JsonObject | undefined {
  const { s3BucketName, s3Key } = object;
  return typeof s3BucketName === 'string' && typeof s3Key === 'string' ? { s3BucketName, s3Key } : undefined;
}

/** Keys that hold a program's printed output. */
const PRINTED = ['message', 'Message', 'log', 'MESSAGE', 'textPayload', 'msg', 'line', 'text'];

/**
 * Whether an object in a list of log entries is no loss when it holds no webhook: a line of a program's output without JSON in
 * it, a pair of a name and a plain value, a request without a body.
 */
export function isChatter(object: JsonObject): boolean {
  const printed = PRINTED.map((key) => object[key]).filter((text) => typeof text === 'string');
  if (printed.length > 0) return printed.every((text) => !hasBracket(text));
  if (isPair(object)) return true;
  const request = asObject(object.request);
  return typeof request?.method === 'string' && /^(?:GET|HEAD|OPTIONS)$/i.test(request.method);
}

/** `{"field":"@timestamp","value":"…"}`: CloudWatch Logs Insights' and HAR's form of an object's member. */
function isPair(object: JsonObject): boolean {
  const name = object.field ?? object.name ?? object.key ?? object.Name;
  const value = object.value ?? object.Value;
  return typeof name === 'string' && value !== undefined && (typeof value !== 'object' || value === null);
}

/** The object described by a list of pairs; undefined if the list has anything else. */
export function objectOfPairs(list: readonly JsonValue[]): JsonObject | undefined {
  if (list.length > 100) return undefined;
  const entries: [string, JsonValue][] = [];
  for (const element of list) {
    const pair = asObject(element);
    const name = pair?.field ?? pair?.name ?? pair?.key;
    if (pair === undefined || typeof name !== 'string') return undefined;
    entries.push([name, pair.value ?? null]);
  }
  return Object.fromEntries(entries);
}
