import type { ReportResult } from '../../core/report/result.js';
import type { VerifyResult } from '../../core/verify/result.js';
import type { Advice } from '../../model/remedy.js';
import { onDatabase } from '../shell-words.js';

/** The same findings, with remedies that work on the database that was verified. */
export function verifiedOn(result: VerifyResult, flags: readonly string[]): VerifyResult {
  return {
    ...result,
    checks: result.checks.map((check) => ({ ...check, remedy: complete(check.remedy, flags) })),
    enforced: result.enforced.map((index) =>
      index.remedy === undefined ? index : { ...index, remedy: complete(index.remedy, flags) },
    ),
  };
}

/** The same report, with remedies that work on the database that it is about. */
export function reportedOn(result: ReportResult, flags: readonly string[]): ReportResult {
  return {
    ...result,
    alerts: result.alerts.map((alert) => ({ ...alert, remedy: complete(alert.remedy, flags) })),
  };
}

function complete(remedy: Advice | null, flags: readonly string[]): Advice | null {
  return typeof remedy === 'string' ? onDatabase(remedy, flags) : remedy;
}
