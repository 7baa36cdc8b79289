import { z } from 'zod';
import { alert, type Alert } from '../../audit/alert.js';
import { amount, count } from '../../model/amount.js';
import { COMPARISON_CLASSES, type ComparisonCounts } from '../../model/enumerations.js';
import { remedy } from '../../model/remedy.js';
import type { SavedComparison } from '../../store/tables/saved-comparisons.js';
import type { ComparisonReport } from './types.js';
import { rfc3339 } from '../../model/time.js';

/** A nightly comparison is overdue after two nights. */
const OVERDUE_MS = 48 * 3_600_000;

const Result = z.object({
  counts: z.record(z.enum(COMPARISON_CLASSES), z.number()),
  absent: z.array(z.object({ connection: z.string(), messages: z.number() })).default([]),
  gone: z.array(z.string()).default([]),
});

/** The last findings for each CRM compared nightly. */
export function reportComparisons(saved: readonly SavedComparison[]): ComparisonReport[] {
  return saved.map(({ name, crm, comparedAt, error, result }) => {
    const last = Result.safeParse(result).data;
    return {
      name,
      crm,
      comparedAt: rfc3339(comparedAt),
      error,
      counts: last?.counts ?? null,
      absent: last?.absent ?? [],
      gone: last?.gone ?? [],
    };
  });
}

/** What a CRM lacks, doubles or files under another contact; and comparisons that do not run. */
export function comparisonAlerts(comparisons: readonly ComparisonReport[], now: number): Alert[] {
  return comparisons.flatMap((one) => [...differenceAlert(one), ...missingAlert(one, now)]);
}

function differenceAlert({ name, crm, comparedAt, counts, gone }: ComparisonReport): Alert[] {
  if (counts === null) return [];
  const { lost, differs, other_contact: other, doubled } = counts;
  const total = lost + differs + other + doubled;
  if (total === 0) return [];
  const found: readonly (readonly [number, string])[] = [
    [lost, 'lost'],
    [differs, 'different'],
    [other, 'under another contact'],
    [doubled, 'duplicated'],
  ];
  const parts = found.filter(([some]) => some > 0).map(([some, words]) => `${count(some)} ${words}`);
  return [
    alert('crm_differs', null, {
      subject: name,
      since: comparedAt === null ? null : Date.parse(comparedAt),
      state: [lost, differs, other, doubled, ...gone].join('/'),
      count: total,
      message: `The CRM ${name} (${crm}) has ${parts.join(', ')} of ${amount(comparedMessages(counts), 'message')}.${
        gone.length === 0 ? '' : ` It no longer has ${gone.join(' and ')}.`
      }`,
      remedy: remedy('compare', [name], 'compares it again, and shows the people and the causes'),
    }),
  ];
}

/** Our messages: the sum of all classes except the CRM's own rows. */
export function comparedMessages({
  same,
  lost,
  not_kept_by_design: notKept,
  differs,
  other_contact: other,
}: ComparisonCounts): number {
  return same + lost + notKept + differs + other;
}

function missingAlert({ name, crm, comparedAt, error, absent }: ComparisonReport, now: number): Alert[] {
  const since = comparedAt === null ? null : Date.parse(comparedAt);
  const isOverdue = since === null || now - since > OVERDUE_MS;
  if (error === null && !isOverdue) {
    if (absent.length === 0) return [];
    const messages = absent.reduce((sum, one) => sum + one.messages, 0);
    return [
      alert('crm_not_compared', null, {
        subject: name,
        since,
        state: absent.map(({ connection }) => connection).join('/'),
        message: `The CRM ${name} (${crm}) has nothing of ${absent.map(({ connection }) => connection).join(' and ')}: ${amount(messages, 'message')} not compared.`,
        remedy: remedy('compare', [name], 'shows how to connect it, or to say that this CRM never had it'),
      }),
    ];
  }
  return [
    alert('crm_not_compared', null, {
      subject: name,
      since,
      state: error ?? 'overdue',
      message:
        error === null
          ? `The CRM ${name} is to be compared every night, and ${since === null ? 'never was' : 'has not been for two days'}.`
          : `The CRM ${name} could not be compared: ${error}`,
      remedy: remedy('reconcile', ['--compare', name], 'compares it as part of the nightly run'),
    }),
  ];
}
