import type { JsonObject, JsonValue } from '../../model/json.js';
import { asArray, asObject } from '../read.js';
import { mayHold } from './wrappers.js';

/** The reason of what was understood and holds no webhook: nothing is missing. */
export const NO_WEBHOOK = 'no_webhook';

/**
 * Whether a wrapper of a log system is known to hold no webhook: a health check, an empty page, only the lines that a platform prints
 * about its own work, the lines of a file's form.
 */
export function isIdle(object: JsonObject): boolean {
  return IDLE.some((isIdleForm) => isIdleForm(object));
}

const IDLE: readonly ((object: JsonObject) => boolean)[] = [
  isIdleCloudWatch,
  isIdleLoki,
  isEmptySearch,
  isEmptyN8n,
  isHealthRequest,
  isBulkAction,
  isPhpMyAdminHeader,
];

/** A subscription's health check, or events that are all of Lambda's own; a page of `filter-log-events`. */
function isIdleCloudWatch(object: JsonObject): boolean {
  const isPage = Array.isArray(object.searchedLogStreams) || typeof object.nextToken === 'string';
  const events = asArray(object.logEvents) ?? (isPage ? asArray(object.events) : undefined);
  return events?.every((event) => isPlainLine(asObject(event)?.message)) === true;
}

/** An answer of Loki's without lines, or with lines of plain words. */
function isIdleLoki({ status, data }: JsonObject): boolean {
  const answer = asObject(data);
  if (typeof status !== 'string' || typeof answer?.resultType !== 'string') return false;
  const lines = asArray(answer.result)?.flatMap((stream) => asArray(asObject(stream)?.values) ?? [null]);
  return lines?.every((line) => isPlainLine(asArray(line)?.[1])) === true;
}

/** Elasticsearch's and OpenSearch's answer to a search without a hit. */
function isEmptySearch({ took, hits }: JsonObject): boolean {
  return typeof took === 'number' && asArray(asObject(hits)?.hits)?.length === 0;
}

/** A page of n8n's executions without one. */
function isEmptyN8n(object: JsonObject): boolean {
  return Object.hasOwn(object, 'nextCursor') && asArray(object.data)?.length === 0;
}

/** Google Cloud's record of a request that has no body. */
function isHealthRequest(object: JsonObject): boolean {
  if (typeof object.insertId !== 'string' || typeof object.logName !== 'string') return false;
  if (['jsonPayload', 'textPayload', 'protoPayload'].some((key) => Object.hasOwn(object, key))) return false;
  const method = asObject(object.httpRequest)?.requestMethod;
  return typeof method === 'string' && /^(?:GET|HEAD|OPTIONS)$/i.test(method);
}

const BULK_ACTIONS: ReadonlySet<string> = new Set(['index', 'create', 'update', 'delete']);

/** `{"index":{"_index":"logs"}}`: what Elasticsearch's bulk form has above each document. */
function isBulkAction(object: JsonObject): boolean {
  const [key = '', ...others] = Object.keys(object);
  const action = asObject(object[key]);
  if (others.length > 0 || action === undefined || !BULK_ACTIONS.has(key)) return false;
  return Object.entries(action).every(([name, value]) => {
    const isOwn = /^_|^(?:routing|pipeline|version|version_type|require_alias|retry_on_conflict)$/.test(name);
    return isOwn && (typeof value !== 'object' || value === null);
  });
}

/** The elements above the tables of phpMyAdmin's JSON export, and a table without rows. */
function isPhpMyAdminHeader({ type, name, version, data }: JsonObject): boolean {
  if (type === 'header') return typeof version === 'string' && data === undefined;
  if (typeof name !== 'string') return false;
  return (type === 'database' && data === undefined) || (type === 'table' && asArray(data)?.length === 0);
}

/** Whether a line is of words alone: nothing in it could be a body in any encoding. A hash is none. */
function isPlainLine(line: JsonValue | undefined): boolean {
  return typeof line === 'string' && !mayHold(line.replace(/\b[\da-f]{64}\b/g, ''));
}
