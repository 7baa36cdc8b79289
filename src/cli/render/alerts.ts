import type { AlertsChanged, AlertsList } from '../../core/alerts/alerts.js';
import type { Alert } from '../../core/report/alert.js';
import type { Look } from './look.js';
import type { Grid, Presentation } from './presentation.js';
import { formatAmount } from './quantities.js';
import { alertLines } from './report-text.js';
import {
  acknowledgementWords,
  headlineSeverity,
  headlineWords,
  severityMark,
  severityPaint,
} from './severity.js';

function grid(alerts: readonly Alert[]): Grid {
  return {
    columns: [
      'id',
      'severity',
      'kind',
      'connection',
      'since',
      'count',
      'message',
      'what to type',
      'acknowledged',
    ],
    rows: alerts.map((alert) => [
      alert.id,
      alert.severity,
      alert.kind,
      alert.connection,
      alert.since,
      alert.count,
      alert.message,
      alert.remedy,
      acknowledgementWords(alert),
    ]),
  };
}

/** Alerts in every format; NDJSON is one line per alert. */
export function presentAlerts(result: AlertsList): Presentation {
  const { alerts } = result;
  return {
    json: result,
    lines: alerts,
    csv: grid(alerts),
    markdown: [{ title: headlineWords(result), ...grid(alerts) }],
    text: (look) => {
      const severity = headlineSeverity(result);
      const headline = `${severityMark(severity)} ${headlineWords(result)}`;
      return [
        look.bold(severityPaint(severity, look)(headline)),
        ...alerts.flatMap((alert) => ['', ...alertLines(alert, look)]),
      ].join('\n');
    },
  };
}

/** What was acknowledged, or is not any more. */
export function presentAlertsChanged(result: AlertsChanged): Presentation {
  const { alerts, ids, command } = result;
  return {
    json: result,
    lines: ids.map((id) => alerts.find((alert) => alert.id === id) ?? { id }),
    csv: { columns: ['id'], rows: ids.map((id) => [id]) },
    markdown: [{ title: command, columns: ['id'], rows: ids.map((id) => [id]) }],
    text: (look) => describeChange(result, look),
  };
}

function describeChange({ command, alerts, ids }: AlertsChanged, look: Look): string {
  const said = command === 'alerts ack' ? 'acknowledged' : 'not acknowledged any more';
  return [
    `${look.green('✔')} ${formatAmount(ids.length, 'alert')} ${said}`,
    ...(alerts.length === 0
      ? ids.map((id) => `  ${id}`)
      : alerts.flatMap((alert) => ['', ...alertLines(alert, look)])),
  ].join('\n');
}
