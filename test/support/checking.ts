import { adviceLine, adviceText } from '../../src/cli/advice.js';
import type { VerifyView } from '../../src/commands/verify/check.js';
import { runCheck as runCheckOn } from '../../src/commands/verify/checks.js';
import {
  CHECK_NAMES,
  type CheckName,
  type CheckResult,
  type VerifiedItem,
} from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Advices } from '../../src/model/remedy.js';
import { inSnapshot } from '../../src/store/transactions.js';
import type { Store } from '../../src/store/store.js';
import { readConnections } from '../../src/store/tables/connections.js';
import { testContext } from './replaying.js';

export interface CheckedBy {
  /** With its remedy as it is typed. */
  result: Omit<CheckResult, 'remedy'> & { remedy: string | null };
  items: VerifiedItem[];
}

/** Runs one check as `verify` does, and keeps its items. `connection`: name of the only one to look at. */
export async function runCheck(
  store: Store,
  check: CheckName,
  {
    connection,
    ...narrowed
  }: Partial<Pick<VerifyView, 'since' | 'touchedSince' | 'signal' | 'now' | 'historyMinutes'>> & {
    connection?: string;
  } = {},
): Promise<CheckedBy> {
  const items: VerifiedItem[] = [];
  const result = await inSnapshot(store, async (sql) => {
    const connections = await readConnections(sql);
    return runCheckOn(check, {
      sql,
      connections: connections.filter(({ name }) => connection === undefined || name === connection),
      restricted: connection !== undefined,
      since: null,
      touchedSince: null,
      checks: new Set([check]),
      appSecrets: [],
      now: Date.now(),
      historyMinutes: 60,
      signal: new AbortController().signal,
      wantsItems: true,
      item: (item) => {
        items.push(item);
      },
      ...narrowed,
    });
  });
  return { result: { ...result, remedy: typed(result.remedy) }, items };
}

/** Advice as it is typed, without flags. */
export function typed(advice: Advices | null | undefined): string | null {
  return adviceText(
    advice,
    adviceLine(() => []),
  );
}

/** The items that are not as they should be, as lines: `+ wamid… file:1`. */
export function faults({ items }: CheckedBy): string[] {
  return items
    .filter(({ sign }) => sign !== '=')
    .map(({ sign, subject, detail }) => `${sign} ${subject} ${detail}`);
}

/** What `verify` finds, as lines, without what some of its checks say. */
export async function findingsBeside(store: Store, left: readonly CheckName[] = []): Promise<string[]> {
  const { checks } = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
  return checks
    .filter(({ check, status }) => !left.includes(check) && status === 'findings')
    .map(({ check, summary }) => `${check}: ${summary}`);
}
