import { expect, test } from 'vitest';
import { adviceLine } from '../../src/cli/advice.js';
import { renderReportPage } from '../../src/cli/report-page/page.js';
import { createLook, PLAIN } from '../../src/cli/ui/look.js';
import { render } from '../../src/cli/ui/presentation.js';
import { presentReport } from '../../src/cli/views/report.js';
import type { MessageView } from '../../src/commands/messages/result.js';
import { reportFigures } from '../../src/cli/views/report-figures.js';
import { renderChat } from '../../src/cli/views/chat.js';
import { connectionReport, HOSTILE_NAME, reportResult } from '../support/report-result.js';

const RESULT = reportResult({
  connections: [
    connectionReport({
      deliveryFailures: [
        { code: 131_047, title: 'Re-engagement message', messages: 1204 },
        { code: 131_026, title: HOSTILE_NAME, messages: 3 },
        { code: null, title: null, messages: 1 },
        ...[1, 2, 3].map((code) => ({ code, title: null, messages: 1 })),
      ],
    }),
  ],
});

test('a report says in its text why messages were not delivered, the most frequent reason first', async () => {
  const text = await render(
    presentReport(RESULT, { blocks: true }),
    'table',
    createLook(false, 100, undefined, true),
  );
  expect(text).toContain('not delivered  1,204 for 131047 Re-engagement message\n');
  expect(text).toContain('1 for an unknown reason\n');
  expect(text).toContain('and 1 code more\n');
});

test('and on its page, where a hostile title stays a text', () => {
  const page = renderReportPage(RESULT, { line: adviceLine(() => []) });
  expect(page).toContain('1,204 for 131047 Re-engagement message');
  expect(page).not.toContain(HOSTILE_NAME);
});

test('and as figures, and in Markdown', async () => {
  expect(reportFigures(RESULT).rows).toContainEqual([
    'connection',
    'loja',
    'not_delivered',
    '131047 Re-engagement message',
    1204,
  ]);
  const markdown = await render(presentReport(RESULT, { blocks: true }), 'markdown', PLAIN);
  expect(markdown).toContain('- not delivered: 1,204 for 131047 Re-engagement message\n');
  expect(markdown).not.toContain(HOSTILE_NAME);
});

/** The chat of one failed message, on a terminal of this width. */
function chatOf(errors: NonNullable<MessageView['errors']>, width: number): string[] {
  const message = {
    id: '1',
    externalId: null,
    type: 'text',
    body: 'Oi',
    direction: 'OUTBOUND',
    timestamp: '2026-01-01T12:00:00.000Z',
    status: 'failed',
    errors,
    from: { name: null, number: null },
    source: 'live',
  } as const;
  return renderChat(
    {
      schemaVersion: 1,
      command: 'messages',
      contact: { leadId: 'l', organization: 'default', name: 'Ana', phone: null },
      messages: [message],
      pagination: { cursor: null, hasMore: false, total: 1 },
      metadata: { firstMessageAt: null, lastMessageAt: null, totalMessages: 1, syncedUpTo: null },
    },
    'UTC',
    createLook(false, width),
  );
}

test('a chat says behind a failed message why it failed', () => {
  const chat = chatOf([{ code: 131_047, title: 'Re-engagement\u001b[31m message', details: 'long' }], 100);
  expect(chat.join('\n')).toContain('12:00 · ✗ failed · 131047 Re-engagement message');
});

test('a chat wraps what became of a message like everything else, and cuts a title that fills pages', () => {
  const lines = chatOf(
    [
      { code: 131_047, title: 'Re-engagement message' },
      { code: 131_026, title: 'x'.repeat(4000) },
    ],
    80,
  );
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(lines.join('').length).toBeLessThan(800);
});
