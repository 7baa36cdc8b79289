import { z } from 'zod';

/** How much of its quota an app has used, as the headers of an answer say. */
export interface GraphUsage {
  /** The highest of all percentages; 100 is the limit. Null where the answer does not say. */
  percent: number | null;
  /** How long Meta refuses further requests; null where it does not. */
  regainMs: number | null;
}

const Percentages = z.looseObject({
  call_count: z.number().optional().catch(undefined),
  total_time: z.number().optional().catch(undefined),
  total_cputime: z.number().optional().catch(undefined),
  /** Minutes. */
  estimated_time_to_regain_access: z.number().optional().catch(undefined),
});
const AppUsage = Percentages;
/** By account; one entry per kind of limit. */
const BusinessUsage = z.record(z.string(), z.array(Percentages));

const MINUTE_MS = 60_000;
const LIMIT = 100;
/** Meta counts by the hour: where it does not say when the app may go on, it may by then. */
const WINDOW_MS = 60 * MINUTE_MS;

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Reads `X-App-Usage` and `X-Business-Use-Case-Usage`; a header that is not understood says nothing. */
export function readUsage(headers: Headers): GraphUsage {
  const app = AppUsage.safeParse(jsonIn(headers['x-app-usage']));
  const business = BusinessUsage.safeParse(jsonIn(headers['x-business-use-case-usage']));
  const all = [
    ...(app.success ? [app.data] : []),
    ...(business.success ? Object.values(business.data).flat() : []),
  ];
  const percents = all
    .flatMap(({ call_count: calls, total_time: time, total_cputime: cpu }) => [calls, time, cpu])
    .filter((percent) => percent !== undefined);
  const minutes = all.flatMap(({ estimated_time_to_regain_access: time }) => time ?? []);
  const percent = percents.length === 0 ? null : Math.max(...percents);
  const longest = Math.max(0, ...minutes);
  if (longest > 0) return { percent, regainMs: longest * MINUTE_MS };
  return { percent, regainMs: percent !== null && percent >= LIMIT ? WINDOW_MS : null };
}

/** `Retry-After` in ms: seconds, or a date; null where there is none. */
export function readRetryAfter(headers: Headers, now: number): number | null {
  const value = single(headers['retry-after']);
  if (value === undefined) return null;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}

/** The one value of a header. */
export function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function jsonIn(header: string | string[] | undefined): unknown {
  const text = single(header);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
