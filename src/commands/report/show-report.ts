import { recordAccess } from '../access/record-access.js';
import { REPORTING } from '../../store/tables/access-log.js';
import type { Context } from '../../context.js';
import { report } from './report.js';
import type { ReportOptions, ReportResult } from './types.js';

/**
 * The report, for somebody to read. Its list of what was rejected has the beginning of each item, which may be a message: that is an
 * access. The item has no row, so it may be anybody's: it counts for everybody.
 */
export async function showReport(ctx: Context, options: ReportOptions): Promise<ReportResult> {
  const result = await report(ctx, options);
  const excerpts = result.rejected.filter(({ excerpt }) => excerpt !== '').length;
  await recordAccess(ctx, { command: REPORTING, shown: [{ leadId: null, messages: excerpts }] });
  return result;
}
