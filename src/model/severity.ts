/**
 * How bad a finding is, the worst first. `loss`: a message is missing, doubled or different, a raw entry is gone or altered,
 * an item was rejected or cannot be read. `degraded`: something that should come does not. `note`: true, and nothing to do.
 */
export const SEVERITIES = ['loss', 'degraded', 'note'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Orders by severity, the worst first: `alerts.sort((a, b) => compareSeverity(a.severity, b.severity))`. */
export function compareSeverity(a: Severity, b: Severity): number {
  return SEVERITIES.indexOf(a) - SEVERITIES.indexOf(b);
}

/** Whether a severity is as bad as `threshold`, or worse. */
export function isAtLeast(severity: Severity, threshold: Severity): boolean {
  return compareSeverity(severity, threshold) <= 0;
}

/** The worst of them; null where there are none. */
export function worstSeverity(severities: readonly Severity[]): Severity | null {
  return SEVERITIES.find((severity) => severities.includes(severity)) ?? null;
}
