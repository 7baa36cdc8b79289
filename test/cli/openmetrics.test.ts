import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openMetrics } from '../../src/cli/views/openmetrics.js';
import { readExposition, type Series } from '../support/exposition.js';
import {
  alertOf,
  connectionReport,
  HOSTILE_NAME,
  reportResult,
  troubledReport,
} from '../support/report-result.js';

function valueOf(
  series: readonly Series[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  return series.find(
    (one) =>
      one.name === `wa_reconcile_${name}` &&
      Object.entries(labels).every(([label, value]) => one.labels[label] === value),
  )?.value;
}

/** Series as a parser that knows nothing of this project reads them; it throws at a line that is wrong. */
function readByAnother(text: string): Series[] {
  const parse = z
    .custom<(text: string) => unknown>((value) => typeof value === 'function')
    .parse(createRequire(import.meta.url)('parse-prometheus-text-format'));
  const families = z
    .array(
      z.object({
        name: z.string(),
        type: z.literal('GAUGE'),
        help: z.string().min(1),
        metrics: z.array(
          z.object({ value: z.string(), labels: z.record(z.string(), z.string()).default({}) }),
        ),
      }),
    )
    .parse(parse(text));
  return families.flatMap(({ name, metrics }) =>
    metrics.map(({ value, labels }) => ({ name, labels, value: Number(value) })),
  );
}

describe('a report for Prometheus', () => {
  test('is read by another parser as by ours, with hostile names', () => {
    const name = 'a\\b "c"\n# EOF\nx{y="z"} 1';
    for (const result of [troubledReport(), reportResult({ connections: [connectionReport({ name })] })]) {
      const text = openMetrics(result);
      const series = readExposition(text);
      expect(series.length).toBeGreaterThan(10);
      expect(readByAnother(text)).toEqual(series);
    }
    expect(() => readByAnother('# TYPE a gauge\na{b="c"d"} 1\n')).toThrow('invalid line');
  });

  test('is valid in both text formats, and has the figures of the report', () => {
    const result = troubledReport();
    const series = readExposition(openMetrics(result));
    const hostile = { connection: HOSTILE_NAME };
    expect(valueOf(series, 'report_timestamp_seconds')).toBe(Date.parse(result.generatedAt) / 1000);
    expect(valueOf(series, 'lost')).toBe(result.counts.lost);
    expect(valueOf(series, 'severity')).toBe(3);
    expect(valueOf(series, 'alerts', { state: 'degraded' })).toBe(result.counts.degraded);
    expect(valueOf(series, 'connection_messages', { connection: 'loja', direction: 'inbound' })).toBe(51_903);
    expect(valueOf(series, 'connection_unexplained', hostile)).toBe(3);
    expect(valueOf(series, 'connection_last_event_timestamp_seconds', hostile)).toBe(
      Date.parse('2026-11-19T18:20:00.000Z') / 1000,
    );
    expect(valueOf(series, 'connection_history_progress_ratio', { organization: 'segunda-org' })).toBe(0.55);
    expect(valueOf(series, 'connection_history_status', { connection: 'loja' })).toBe(1);
    expect(valueOf(series, 'runs', { command: 'replay', status: 'completed' })).toBe(41);
    expect(valueOf(series, 'raw_entries', { status: 'pending' })).toBe(12);
  });

  test('escapes what would end a label, a line or the text', () => {
    const name = 'a\\b "c"\n# EOF\nx{y="z"} 1\ud800';
    const series = readExposition(openMetrics(reportResult({ connections: [connectionReport({ name })] })));
    expect(valueOf(series, 'connection_lost', { connection: name.toWellFormed() })).toBe(0);
  });

  test('leaves out what nobody knows, and keeps connections of one name apart', () => {
    const never = { quietHours: null, toleratedHours: null, learnedFrom: 'little' } as const;
    const quiet = connectionReport({ lastLiveEventAt: null, lastSyncAt: null, rhythm: never });
    const twin = connectionReport({ organization: 'other', lastDay: { messages: 0, usual: null } });
    const series = readExposition(openMetrics(reportResult({ connections: [quiet, twin], audit: null })));
    const first = { connection: 'loja', organization: 'default' };
    expect(valueOf(series, 'connection_last_event_timestamp_seconds', first)).toBeUndefined();
    expect(valueOf(series, 'connection_messages_usual_day', { organization: 'other' })).toBeUndefined();
    expect(valueOf(series, 'audited')).toBe(0);
    expect(series.filter(({ name }) => name === 'wa_reconcile_audit')).toEqual([]);
  });

  test('names no number and no contact but the connection', () => {
    const text = openMetrics(
      reportResult({
        connections: [connectionReport({ phone: '+5511900000123' })],
        alerts: [alertOf({ message: 'wamid.X of +5511988887777' })],
      }),
    );
    expect(text).not.toMatch(/\+?\d{11,}(?!\.)/);
  });
});
