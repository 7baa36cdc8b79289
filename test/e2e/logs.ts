import { fileURLToPath } from 'node:url';
import type { JsonValue } from '../../src/model/json.js';
import { generateLog } from '../bench/generate-log.js';
import { history, live, old, oldOut } from '../support/webhooks.js';

/** A realistic day of one number, with a malformed line and other things that go wrong. */
export const DEMO_DAY = fileURLToPath(new URL('../../fixtures/demo-day.ndjson', import.meta.url));

/** One body per line. */
export function lines(bodies: readonly JsonValue[]): string {
  return bodies.map((body) => `${JSON.stringify(body)}\n`).join('');
}

/** `count` live messages of one customer, one per line. */
export function liveLines(count: number, prefix = 'L'): string {
  return lines(Array.from({ length: count }, (_, i) => live(`${prefix}${i}`, i)));
}

/**
 * Some thousand messages of a busy number, live and history, and among them now and then what must be accounted for just
 * as well when a run dies in the middle: a torn line, a message without an id, a group, a thing nobody knows.
 */
export function busyLog(messages: number, seed: number): string {
  const all: string[] = [];
  for (const line of generateLog({ messages, seed })) {
    all.push(line);
    const odd = ODDITIES[(all.length / ODD_EVERY) % ODDITIES.length];
    if (odd !== undefined) all.push(odd.replaceAll('NTH', String(all.length)));
  }
  return `${all.join('')}{"torn":`;
}

const ODD_EVERY = 40;
const ODDITIES: readonly string[] = [
  '{"object":"whatsapp_business_account","entry":[{"id":"torn NTH\n',
  lines([live('no id NTH', 1, { id: undefined })]),
  lines([live('in a group NTH', 2, { group_id: '120363000000000001@g.us' })]),
  lines([{ nobody: 'knows', what: 'NTH' }]),
  lines([live('twice NTH', 3), live('twice NTH', 3)]),
];

/** One webhook of so many history messages; 5,000 of 700 bytes are over 3 MB. */
export function largeChunk(messages: number, bytesEach = 700): JsonValue {
  const words = 'x'.repeat(Math.max(0, bytesEach - 250));
  return history(
    Array.from({ length: messages }, (_, i) =>
      (i % 2 === 0 ? old : oldOut)(`H${i}`, -86_400 + i, {
        text: { body: `${i} ${words}` },
      }),
    ),
    { phase: 1, order: 1, progress: 100 },
  );
}

/** What a hostile sender may call themselves: every sequence that makes a terminal do something. */
export const HOSTILE_NAME =
  '\u001b]0;owned\u0007\u001b[2J\u001b[31mEve\u001b[0m\u009b31m\u0085\u202e\u0007\b\r\nroot# rm -rf /';

/** Characters that a terminal obeys. Line breaks are ours. */
export const TERMINAL_CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/u;
