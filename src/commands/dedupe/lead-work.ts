import { prepareLook, inSnapshot } from '../../store/transactions.js';
import { countThreadMessages } from '../../store/queries/duplicates.js';
import type { DuplicateWork, MergeRun, PlanView } from './duplicate-work.js';
import { findLeadGroups, leadsOf, movesOf, readThreadsByLead, type LeadGroup } from './lead-groups.js';
import { mergeLeadGroups } from './merge-leads.js';
import { packed } from './packed.js';

/** Groups whose conversations are looked up at a time. */
const PAGE = 1_000;

/** Class `lead`: two leads that are one person (I1, I3). */
export const LEAD_WORK: DuplicateWork = { name: 'lead', plan, apply };

async function plan(view: PlanView): Promise<void> {
  const groups = await findLeadGroups(view.sql, view);
  for (let at = 0; at < groups.length; at += PAGE) {
    const page = groups.slice(at, at + PAGE);
    const threads = await readThreadsByLead(view.sql, page.flatMap(leadsOf));
    for (const group of page) {
      const { survivor, goes, evidence } = group;
      view.account.merged({ class: 'lead', connectionId: null, survivor, goes, evidence: () => evidence });
      for (const { from, into } of movesOf(group, threads)) view.joined.set(from, into);
    }
  }
}

async function apply(run: MergeRun): Promise<void> {
  const { ctx, connections, connectionId } = run;
  const groups = await inSnapshot(ctx.store, async (sql) => {
    await prepareLook(sql);
    return findLeadGroups(sql, { connections, connectionId, signal: ctx.signal });
  });
  for (let at = 0; at < groups.length; at += PAGE) {
    const page = groups.slice(at, at + PAGE);
    const weights = await weigh(run, page);
    for (const batch of packed(page, (group) => weights.get(group) ?? 1, run.batchSize)) {
      if (run.stopped()) return;
      const organizations = new Set(batch.map((group) => group.organizationId));
      await run.batch(
        {
          class: 'lead',
          connectionIds: connections
            .filter((connection) => organizations.has(connection.organizationId))
            .map((connection) => connection.id),
        },
        (tx) => mergeLeadGroups(tx, run.runId, batch),
      );
    }
  }
}

/** What merging a group costs, in rows: its leads, and the messages of those that go. */
async function weigh({ ctx }: MergeRun, groups: readonly LeadGroup[]): Promise<Map<LeadGroup, number>> {
  const { sql } = ctx.store;
  const threads = await readThreadsByLead(
    sql,
    groups.flatMap((group) => group.goes),
  );
  const messages = await countThreadMessages(
    sql,
    [...threads.values()].flatMap((own) => own.map(({ id }) => id)),
  );
  return new Map(
    groups.map((group) => {
      const moved = group.goes.flatMap((id) => threads.get(id) ?? []);
      return [group, moved.reduce((sum, { id }) => sum + (messages.get(id) ?? 0), group.goes.length + 1)];
    }),
  );
}
