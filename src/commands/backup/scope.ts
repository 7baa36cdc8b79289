import type { Context } from '../../context.js';
import { ConfigError } from '../../model/errors.js';
import type { DumpScope } from '../../store/dump/scope.js';
import { findOrganization, readConnectionRecords } from '../../store/tables/connections.js';
import { findConnection } from '../connections/find.js';

/** Which rows are meant, and how the file says it. */
export interface FoundScope {
  rows: Omit<DumpScope, 'removesBodies'>;
  named: { organization?: string; connection?: string };
  /** The same for the same part, whatever it was named by, and after it got another name. */
  identity: string;
}

/** What was named; null for everything. Throws ConfigError for what there is not. */
export async function findScope(
  ctx: Context,
  { organization, connection }: { organization?: string | undefined; connection?: string | undefined },
): Promise<FoundScope | null> {
  if (connection !== undefined) {
    const { id } = await findConnection(ctx, connection, organization);
    return scopeOf(ctx, { id }, false);
  }
  return organization === undefined ? null : scopeOf(ctx, { organization }, true);
}

async function scopeOf(
  ctx: Context,
  only: { id?: string; organization?: string },
  wholeOrganizations: boolean,
): Promise<FoundScope> {
  const records = await readConnectionRecords(ctx.store.sql, only);
  const slugs =
    only.organization === undefined ? records.map(({ organization: slug }) => slug) : [only.organization];
  const organizationIds: string[] = [];
  for (const slug of new Set(slugs)) {
    const id = await findOrganization(ctx.store.sql, slug);
    if (id === undefined) {
      throw new ConfigError(`There is no organization '${slug}'.`, { code: 'organization_unknown' });
    }
    organizationIds.push(id);
  }
  const [first] = records;
  return {
    rows: {
      organizationIds,
      connectionIds: records.map(({ id }) => id),
      phoneNumberIds: records.flatMap(({ phoneNumberId }) => phoneNumberId ?? []),
      wholeOrganizations,
    },
    named: wholeOrganizations
      ? { organization: only.organization ?? '' }
      : { organization: first?.organization ?? '', connection: first?.name ?? '' },
    identity: wholeOrganizations
      ? `organization ${organizationIds.join()}`
      : `connection ${records.map(({ id }) => id).join()}`,
  };
}
