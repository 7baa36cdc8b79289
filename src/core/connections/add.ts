import { Prisma } from '../../store/generated/client.js';
import type { Store } from '../../store/store.js';
import { createIdGenerator } from '../../store/uuid.js';
import { ConfigError } from '../../model/errors.js';
import type { Context } from '../context.js';
import {
  assertReachable,
  assertUnique,
  checkFields,
  initialHistoryStatus,
  type CheckedFields,
  type ConnectionFields,
} from './validate.js';
import { findRecord, findRecords, viewOf, type ConnectionView } from './view.js';

export interface NewConnection extends ConnectionFields {
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
  assertUnique(fields, slug, await findRecords(store));
  const nextId = createIdGenerator(ctx.clock);
  const known = await store.prisma.organization.findUnique({ where: { slug } });
  const organization =
    known ??
    (await store.prisma.organization.upsert({
      where: { slug },
      create: { id: nextId(), slug, name: slug },
      update: {},
    }));
  const id = nextId();
  await insert(store, id, organization.id, slug, fields);
  const record = await findRecord(store, id);
  if (record === null) throw new Error('the connection that was just stored is gone');
  return {
    schemaVersion: 1,
    command: 'connection add',
    connection: viewOf(record, []),
    organizationCreated: known === null,
    waiting: await countWaiting(store, fields),
  };
}

async function insert(
  store: Store,
  id: string,
  organizationId: string,
  slug: string,
  fields: CheckedFields,
): Promise<void> {
  try {
    await store.prisma.connection.create({
      data: { ...fields, id, organizationId, historySyncStatus: initialHistoryStatus(fields.kind) },
    });
  } catch (error) {
    // Somebody added it between our look and our insert: say so as if we had seen it.
    if (isKnownError(error, 'P2002')) assertUnique(fields, slug, await findRecords(store));
    throw error;
  }
}

/** True for an error that Prisma has this word for: P2002 is a unique violation, P2003 one of a foreign key. */
export function isKnownError(error: unknown, code: 'P2002' | 'P2003'): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === code;
}

/** How many stored entries a new or changed connection gives a home to. */
export async function countWaiting(
  store: Store,
  { kind, phoneNumberId }: Pick<CheckedFields, 'kind' | 'phoneNumberId'>,
): Promise<WaitingEntries> {
  const pending = { status: 'pending' };
  const providers = [
    ...(kind === 'cloud_api' ? [] : ['baileys']),
    ...(kind === 'baileys' || phoneNumberId !== null ? [] : ['meta']),
  ];
  const [named, possible] = await Promise.all([
    phoneNumberId === null
      ? 0
      : store.prisma.webhookLog.count({ where: { ...pending, phoneNumberIds: { has: phoneNumberId } } }),
    providers.length === 0
      ? 0
      : store.prisma.webhookLog.count({ where: { ...pending, provider: { in: providers } } }),
  ]);
  return { named, possible };
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
