import { recordRejected, type ShownItem } from '../access/record-rejected.js';
import type { Context } from '../../context.js';
import { report } from './report.js';
import type { RejectSample, ReportOptions, ReportResult } from './types.js';

/**
 * The report, for somebody to read. Its list of what was rejected has the beginning of each item: where that is shown, it is an access.
 * `shows`: of which items the caller shows it; all, unless told otherwise.
 */
export async function showReport(
  ctx: Context,
  options: ReportOptions,
  shows: (result: ReportResult) => readonly RejectSample[] = ({ rejected }) => rejected,
): Promise<ReportResult> {
  const result = await report(ctx, options);
  await recordRejected(ctx, 'report', shows(result).map(shownReject));
  return result;
}

/** A rejected item of a report, for the access log. */
export function shownReject({ entry, path, reason, excerpt }: RejectSample): ShownItem {
  return { of: entry, path, reason, excerpt };
}
