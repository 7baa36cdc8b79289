import type { AlertsChanged, AlertsList } from '../../commands/alerts/alerts.js';
import type { Alert } from '../../audit/alert.js';
import type { Grid, Presentation } from '../ui/presentation.js';
import { formatAmount } from '../ui/quantities.js';
import { minute } from './report-words.js';
import { firstSteps } from './words.js';
import { acknowledgementWords, headlineSeverity, headlineWords, severityMark } from './alert-words.js';
import { adviceList, isRemedy, type Advice, type Remedy } from '../../model/remedy.js';
import { faint, list, type Item, type Line } from '../ui/document.js';

/** Alerts in every format; NDJSON is one line per alert. */
export function presentAlerts(result: AlertsList): Presentation {
  const { alerts } = result;
  return {
    json: result,
    lines: alerts,
    csv: grid(alerts),
    isNews: alerts.length > 0,
    document: {
      verdict: { mark: severityMark(headlineSeverity(result)), text: headlineWords(result) },
      blocks: alerts.map((alert) => list([alertItem(alert)])),
    },
  };
}

/** What was acknowledged, or is not any more. */
export function presentAlertsChanged(result: AlertsChanged): Presentation {
  const { command, alerts, ids } = result;
  const said = command === 'alerts ack' ? 'acknowledged' : 'no longer acknowledged';
  return {
    json: result,
    lines: ids.map((id) => alerts.find((alert) => alert.id === id) ?? { id }),
    csv: { columns: ['id'], rows: ids.map((id) => [id]) },
    document: {
      verdict: { mark: 'good', text: `${formatAmount(ids.length, 'alert')} ${said}` },
      blocks: [list(alerts.length === 0 ? ids.map((id) => ({ line: id })) : alerts.map(alertItem))],
    },
  };
}

/** One alert: what it is, how bad, since when, and what to type. */
export function alertItem(alert: Alert): Item {
  const { connection, kind, severity, message, since, remedy, id } = alert;
  const accepted = acknowledgementWords(alert);
  const when = since === null ? '' : ` since ${minute(since)} UTC`;
  return {
    mark: accepted !== null || severity === 'note' ? 'note' : severityMark(severity),
    line: `${connection === null ? '' : `${connection}: `}${message}`,
    under: [
      faint(`${severity}: ${kind.replaceAll('_', ' ')}${when} (${id})`),
      ...(accepted === null ? [] : [faint(accepted)]),
      ...(accepted !== null ? [] : adviceList(remedy).flatMap(withReason)),
    ],
  };
}

/** A command with its purpose: one that silences an alert must not be pasted for one that fixes it. */
function withReason(advice: Advice): Line[] {
  return isRemedy(advice) ? [advice, faint(`  ${advice.why}`)] : [advice];
}

/** What helps against the worst alerts, the worst first. */
export function alertSteps(alerts: readonly Alert[]): Remedy[] {
  return firstSteps(
    alerts
      .filter(({ acknowledged, severity }) => acknowledged === null && severity !== 'note')
      .map(({ remedy }) => remedy),
  );
}

function grid(alerts: readonly Alert[]): Grid {
  return {
    columns: ['id', 'severity', 'kind', 'connection', 'since', 'count', 'message', 'remedy', 'acknowledged'],
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
