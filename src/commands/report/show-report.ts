import { recordRejected, type ShownItem } from '../access/record-rejected.js';
import type { Context } from '../../context.js';
import { report } from './report.js';
import type { RejectSample, ReportOptions, ReportResult } from './types.js';

/** The report, for somebody to read. Its list of what was rejected has the beginning of each item: that is an access. */
export async function showReport(ctx: Context, options: ReportOptions): Promise<ReportResult> {
  const result = await report(ctx, options);
  await recordRejected(ctx, 'report', result.rejected.map(shownReject));
  return result;
}

/** A rejected item of a report, for the access log. */
export function shownReject({ entry, path, reason, excerpt }: RejectSample): ShownItem {
  return { place: `${entry} ${path} ${reason}`, excerpt };
}
