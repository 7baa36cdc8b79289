import { message, wamid, webhook } from '../decode/meta-builders.js';

export const TEXT = 'parte '.repeat(40);
export const BODY = JSON.stringify(webhook('messages', { messages: [message({ text: { body: TEXT } })] }));
export const OTHER = JSON.stringify(
  webhook('messages', { messages: [message({ id: wamid('A2'), text: { body: 'oi' } })] }),
);

export interface LogEntry {
  insertId: string;
  logName: string;
  timestamp: string;
  textPayload?: string;
  jsonPayload?: unknown;
  split?: { uid: string; index?: number; totalSplits: number };
}

const COMMON = { logName: 'projects/p/logs/run', timestamp: '2026-09-21T11:13:20.600Z' };

/** The LogEntries of a text that Google Cloud cut into `total` parts. */
export function entriesOf(text: string, total: number, uid = 'u1', isJson = false): LogEntry[] {
  const size = Math.ceil(text.length / total);
  return Array.from({ length: total }, (_, index) => {
    const part = text.slice(index * size, (index + 1) * size);
    const payload = isJson ? { jsonPayload: { level: 'info', message: part } } : { textPayload: part };
    // Protocol buffers leave a zero out.
    const split = index === 0 ? { uid, totalSplits: total } : { uid, index, totalSplits: total };
    return { insertId: `${uid}-${index}`, ...COMMON, ...payload, ...(total > 1 ? { split } : {}) };
  });
}

/** As a log of one entry a line. */
export const lines = (entries: readonly LogEntry[]): string =>
  entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
