import type { Store } from '../../src/store/store.js';

export interface ConnectionFields {
  name?: string;
  kind?: string;
  /** E.164. */
  number?: string;
  phoneNumberId?: string;
}

/** A connection as somebody entered it, before any entry named it; the coexistence number of the webhooks by default. */
export async function addConnection(store: Store, fields: ConnectionFields = {}): Promise<void> {
  const { name = 'loja', kind = 'coexistence', number = '+5511900000000', phoneNumberId } = fields;
  await store.sql.execute(
    `insert into connections (id, organization_id, name, kind, display_phone_number, phone_number_id, history_sync_status)
     select gen_random_uuid(), id, $1, $2, $3, $4, 'pending_consent' from organizations where slug = 'default'`,
    [name, kind, number, phoneNumberId ?? null],
  );
}
