import type { Provider } from '../../model/enumerations.js';
import { ConfigError } from '../../model/errors.js';
import { violatedConstraint } from '../../store/sql-state.js';
import type { Store } from '../../store/store.js';
import {
  countPendingEntries,
  ensureOrganization,
  insertConnectionRecord,
  readConnectionRecords,
  type ConnectionFields,
} from '../../store/tables/connections.js';
import { createIdGenerator } from '../../store/uuid.js';
import type { Context } from '../../context.js';
import {
  assertReachable,
  assertUnique,
  checkFields,
  initialHistoryStatus,
  type TypedFields,
} from './validate.js';
import { viewOf, type ConnectionView } from './view.js';

export interface NewConnection extends TypedFields {
  /** Slug; an organization that does not exist yet is created. */
  organization: string;
}

export interface AddConnectionResult {
  schemaVersion: 1;
  command: 'connection add';
  connection: ConnectionView;
  /** True when the organization was created for it. */
  organizationCreated: boolean;
  waiting: WaitingEntries;
}

/** Stored entries that could not be filed for want of this connection. */
export interface WaitingEntries {
  /** They name its phone_number_id: `replay` files them. */
  named: number;
  /** They may be its: WhatsApp Web events that name no connection, and entries of an id that it does not have yet. */
  possible: number;
}

/** Adds a connection. Throws ConfigError for fields that are wrong or taken. */
export async function addConnection(ctx: Context, input: NewConnection): Promise<AddConnectionResult> {
  const { store } = ctx;
  const fields = checkFields(input);
  assertReachable(fields);
  const slug = checkSlug(input.organization);
  assertUnique(fields, slug, await readConnectionRecords(store.sql));
  const nextId = createIdGenerator(ctx.clock);
  const organization = await ensureOrganization(store.sql, slug, nextId());
  const id = nextId();
  await insert(store, id, organization.id, slug, fields);
  const [record] = await readConnectionRecords(store.sql, { id });
  if (record === undefined) throw new Error('the connection that was just stored is gone');
  return {
    schemaVersion: 1,
    command: 'connection add',
    connection: viewOf(record, []),
    organizationCreated: organization.isCreated,
    waiting: await countWaiting(store, fields),
  };
}

async function insert(
  store: Store,
  id: string,
  organizationId: string,
  slug: string,
  fields: ConnectionFields,
): Promise<void> {
  try {
    await insertConnectionRecord(store.sql, {
      ...fields,
      id,
      organizationId,
      historySyncStatus: initialHistoryStatus(fields.kind),
    });
  } catch (error) {
    // Somebody added it between our look and our insert: say so as if we had seen it.
    if (violatedConstraint(error)?.kind === 'unique')
      assertUnique(fields, slug, await readConnectionRecords(store.sql));
    throw error;
  }
}

/** How many stored entries a new or changed connection gives a home to. */
export async function countWaiting(
  store: Store,
  { kind, phoneNumberId }: Pick<ConnectionFields, 'kind' | 'phoneNumberId'>,
): Promise<WaitingEntries> {
  const providers: Provider[] = [
    ...(kind === 'cloud_api' ? [] : (['baileys'] as const)),
    ...(kind === 'baileys' || phoneNumberId !== null ? [] : (['meta'] as const)),
  ];
  const { named, ofProviders } = await countPendingEntries(store.sql, { phoneNumberId, providers });
  return { named, possible: ofProviders };
}

function checkSlug(typed: string): string {
  if (!/^[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?$/.test(typed)) {
    throw new ConfigError('An organization is named by a slug: small letters, digits, - and _.', {
      remedy: 'For example --organization acme; leave it out for the organization `default`.',
      code: 'invalid_organization',
    });
  }
  return typed;
}
