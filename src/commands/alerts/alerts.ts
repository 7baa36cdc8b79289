import { ConfigError, EXIT, UserError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import type { Severity } from '../../model/enumerations.js';
import {
  deleteAlertAcks,
  readAlertAcks,
  writeAlertAcks,
  type AlertAck,
} from '../../store/tables/alert-acks.js';
import { findConnection } from '../connections/find.js';
import type { Context } from '../../context.js';
import {
  acknowledge,
  countAlerts,
  worstOpen,
  ALERT_KINDS,
  type AlertCounts,
  type Alert,
  type AlertKind,
} from '../../audit/alert.js';
import { report } from '../report/report.js';
import type { AuditFigures } from '../report/types.js';
import { CHECK_NAMES } from '../verify/types.js';
import { verifyAll } from '../verify/verify.js';

/** How many days back alerts look, the same as reconcile. */
const DAYS = 14;

/** Kinds that only a full verification of the database can raise. */
const VERIFIED_KINDS: ReadonlySet<AlertKind> = new Set([
  'messages_missing',
  'messages_different',
  'messages_doubled',
  'messages_unfounded',
  'raw_entries_altered',
  'raw_entries_gone',
  'finding',
]);

export interface AlertsOptions {
  /** Name of the only connection to look at. */
  connection?: string | undefined;
  /** Verify the database and compare the raw log, as reconcile does. */
  audit: boolean;
  historyMinutes: number;
  silentHours?: number | undefined;
}

/** The JSON of `alerts list`, `schemaVersion` 1. */
export interface AlertsList {
  schemaVersion: 1;
  command: 'alerts list';
  /** Worst first; acknowledged ones last. */
  alerts: Alert[];
  /** The worst unacknowledged severity. */
  severity: Severity | null;
  counts: AlertCounts;
  /** Names of the connections; without one there is nothing to raise alerts about, which is no good sign. */
  connections: string[];
  /** Null if the raw log was not compared. */
  audit: AuditFigures | null;
  database: string;
}

/** Which alerts to act on: an id or a kind. */
export interface Meant {
  alert: string;
  /** Act on alerts of this connection only. */
  connection?: string | undefined;
}

export interface AckOptions extends Meant, Pick<AlertsOptions, 'historyMinutes' | 'silentHours'> {
  /** When it ends, ms since 1970; if absent, when the alert changes. */
  until?: number | undefined;
  reason?: string | undefined;
}

/** The JSON of `alerts ack` and `alerts unack`, `schemaVersion` 1. */
export interface AlertsChanged {
  schemaVersion: 1;
  command: 'alerts ack' | 'alerts unack';
  /** The alerts now acknowledged, or the ids of those that no longer are. */
  alerts: Alert[];
  ids: string[];
  database: string;
}

/** Every alert that reconcile would raise now. Read-only. Throws ConfigError for an unknown connection. */
export async function listAlerts(ctx: Context, options: AlertsOptions): Promise<AlertsList> {
  const { alerts, audit, connections } = await currentAlerts(ctx, options);
  return {
    schemaVersion: 1,
    command: 'alerts list',
    alerts,
    severity: worstOpen(alerts),
    counts: countAlerts(alerts),
    connections,
    audit,
    database: ctx.store.location,
  };
}

/**
 * Acknowledges alerts in their current state: they are still shown, but do not affect the verdict until they expire or
 * change. Throws ConfigError when no alert matches.
 */
export async function acknowledgeAlerts(ctx: Context, options: AckOptions): Promise<AlertsChanged> {
  const kind = kindOf(options.alert);
  const { alerts } = await currentAlerts(ctx, { ...options, audit: VERIFIED_KINDS.has(kind) });
  const meant = alerts.filter((alert) => isMeant(alert, options.alert));
  if (meant.length === 0) throw noSuchAlert(options);
  const now = ctx.clock();
  const acks = meant.map((alert): AlertAck => ({
    alertId: alert.id,
    kind: alert.kind,
    connectionId: alert.connectionId,
    subject: alert.subject,
    state: alert.state,
    reason: options.reason ?? null,
    until: options.until ?? null,
    ackedBy: ctx.user,
    host: ctx.host,
    ackedAt: now,
  }));
  await writeAlertAcks(ctx.store.sql, acks);
  return changed(ctx, 'alerts ack', acknowledge(meant, acks, now));
}

/** Withdraws acknowledgements. Throws ConfigError when nothing matching was acknowledged. */
export async function unacknowledgeAlerts(
  ctx: Context,
  { alert, connection }: Meant,
): Promise<AlertsChanged> {
  kindOf(alert);
  const only = connection === undefined ? null : (await findConnection(ctx, connection)).id;
  const ids = (await readAlertAcks(ctx.store.sql))
    .filter((ack) => isMeant({ id: ack.alertId, kind: ack.kind }, alert))
    .filter(({ connectionId }) => only === null || connectionId === only)
    .map(({ alertId }) => alertId);
  if (ids.length === 0) {
    throw new ConfigError(`No alert '${alert}' was acknowledged.`, {
      code: 'alert_unknown',
      remedy: remedy('alerts list', [], 'lists the alerts, those that were acknowledged last'),
    });
  }
  await deleteAlertAcks(ctx.store.sql, ids);
  return { ...changed(ctx, 'alerts unack', []), ids };
}

async function currentAlerts(
  ctx: Context,
  { connection, audit, historyMinutes, silentHours }: AlertsOptions,
): Promise<Pick<AlertsList, 'alerts' | 'audit' | 'connections'>> {
  const verified = audit
    ? await verifyAll(ctx, { checks: new Set(CHECK_NAMES), enforce: false, connection, historyMinutes })
    : undefined;
  if (verified?.result.status === 'interrupted') {
    throw new UserError('Interrupted before everything was verified.', {
      code: 'interrupted',
      exitCode: EXIT.interrupted,
      remedy: remedy('alerts list', ['--no-audit'], 'is quick, and says nothing about losses'),
    });
  }
  const result = await report(ctx, {
    connection,
    days: DAYS,
    timeZone: 'UTC',
    runs: 1,
    historyMinutes,
    silentHours,
    audit: false,
    verified,
  });
  const alerts =
    connection === undefined
      ? result.alerts
      : result.alerts.filter(({ connectionId }) => connectionId === result.connections[0]?.id);
  return { alerts, audit: result.audit, connections: result.connections.map(({ name }) => name) };
}

/**
 * `silent`, `silent-0f3a9c1d` or `finding:raw_log`; dashes may replace a kind's underscores. Throws ConfigError for an
 * unknown one.
 */
function kindOf(typed: string): AlertKind {
  const word = wordOf(typed.replace(/-[0-9a-f]{8}$|(?<=^finding):.*$/i, ''));
  const kind = ALERT_KINDS.find((candidate) => candidate === word);
  if (kind !== undefined) return kind;
  throw new ConfigError(`'${typed}' is not an alert.`, {
    code: 'alert_unknown',
    remedy: `Give the id of one, as alerts list shows it, or a kind: ${ALERT_KINDS.join(', ')}.`,
  });
}

function isMeant({ id, kind }: { id: string; kind: string }, typed: string): boolean {
  return id === typed.toLowerCase() || wordOf(id) === wordOf(typed) || kind === wordOf(typed);
}

function wordOf(typed: string): string {
  return typed.toLowerCase().replaceAll('-', '_');
}

function noSuchAlert({ alert, connection }: Meant): ConfigError {
  const of = connection === undefined ? '' : ` of the connection '${connection}'`;
  return new ConfigError(`There is no alert '${alert}'${of} now.`, {
    code: 'alert_unknown',
    remedy: remedy('alerts list', [], 'lists the alerts with their ids'),
  });
}

function changed(ctx: Context, command: AlertsChanged['command'], alerts: Alert[]): AlertsChanged {
  return {
    schemaVersion: 1,
    command,
    alerts,
    ids: alerts.map(({ id }) => id),
    database: ctx.store.location,
  };
}
