import type { Logger } from 'pino';
import type { Console } from './console.js';
import { redact } from './exit.js';
import type { Look } from './ui/look.js';
import { sanitize } from './ui/sanitize.js';

/** Keys whose values are secrets or private words, at the top of a log line or one level down. */
const SECRET_KEYS = [
  'password',
  'token',
  'accessToken',
  'access_token',
  'authorization',
  'secret',
  'credentials',
  'connectionString',
  'databaseUrl',
  'url',
  'phone',
  'phoneNumber',
  'body',
  'text',
  'rawBody',
];

const PINO_KEYS = new Set(['level', 'time', 'msg', 'err']);

export interface LoggerOptions {
  /** 0: warnings; 1: what happens; 2: everything. */
  verbosity: number;
  quiet: boolean;
  /** As NDJSON beside the progress events, for `--events`. */
  json: boolean;
  look: Look;
}

/** The log, on stderr: one readable line for people, one object for programs. */
export async function createLogger(console: Console, options: LoggerOptions): Promise<Logger> {
  const { pino } = await import('pino');
  return pino(
    {
      level: options.quiet ? 'error' : (['warn', 'info', 'debug'][options.verbosity] ?? 'debug'),
      base: null,
      redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`]), censor: '***' },
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write: (line: string) => {
        const record = parseRecord(redact(line));
        console.line(options.json ? eventLine(record) : humanLine(record, options.look));
      },
    },
  );
}

function parseRecord(line: string): Record<string, unknown> {
  const parsed: unknown = JSON.parse(line);
  return typeof parsed === 'object' && parsed !== null ? { ...parsed } : { msg: line };
}

function eventLine({ time, ...record }: Record<string, unknown>): string {
  const ts = new Date(typeof time === 'number' ? time : 0).toISOString();
  return JSON.stringify({ event: 'log', ts, ...record });
}

/** `warn  the message  key=value …` */
function humanLine(record: Record<string, unknown>, look: Look): string {
  const level = typeof record.level === 'string' ? record.level : 'info';
  const paint = level === 'error' || level === 'fatal' ? look.red : level === 'warn' ? look.yellow : look.dim;
  const details = Object.entries(record)
    .filter(([key]) => !PINO_KEYS.has(key))
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const cause = record.err;
  if (
    typeof cause === 'object' &&
    cause !== null &&
    'message' in cause &&
    typeof cause.message === 'string'
  ) {
    details.push(`error=${cause.message}`);
  }
  const message = typeof record.msg === 'string' ? record.msg : '';
  const tail = details.length === 0 ? '' : `  ${look.dim(sanitize(details.join(' ')))}`;
  return `${paint(level.padEnd(5))} ${sanitize(message)}${tail}`;
}
