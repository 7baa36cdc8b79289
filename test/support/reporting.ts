import type { ReportOptions } from '../../src/commands/report/types.js';

/** What `report` does when nothing is said, with days of the shop's own zone. */
export function reportOptions(parts: Partial<ReportOptions> = {}): ReportOptions {
  return { days: 14, timeZone: 'America/Sao_Paulo', runs: 10, historyMinutes: 60, audit: true, ...parts };
}
