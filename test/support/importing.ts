import { expect } from 'vitest';
import type { Context, ProgressEvent } from '../../src/context.js';
import { importContact } from '../../src/commands/import/import-contact.js';
import type { ImportOptions, ImportResult } from '../../src/commands/import/types.js';
import type { Store } from '../../src/store/store.js';
import type { FakePhones } from './history-pages.js';
import { testContext } from './replaying.js';
import { ANA } from './webhooks.js';

export interface Asked extends Partial<ImportOptions> {
  clock?: () => number;
  signal?: AbortSignal;
  onEvent?: (event: ProgressEvent) => void;
  secretKey?: Context['secretKey'];
}

/** Imports one contact as the command does, Ana unless told otherwise; whatever happens, no socket stays open. */
export async function importOf(store: Store, phones: FakePhones, asked: Asked = {}): Promise<ImportResult> {
  const { clock, signal, onEvent, secretKey, ...options } = asked;
  const ctx = testContext(store, {
    ...(clock === undefined ? {} : { clock }),
    ...(signal === undefined ? {} : { signal }),
    ...(onEvent === undefined ? {} : { onEvent }),
    ...(secretKey === undefined ? {} : { secretKey }),
  });
  try {
    return await importContact(ctx, { ...USUAL, ...options }, phones);
  } finally {
    expect(phones.isOpen).toBe(false);
  }
}

export const USUAL: ImportOptions = {
  contact: ANA,
  phase: 'auto',
  pages: 1,
  count: 50,
  timeoutMs: 1000,
  force: false,
  pagePauseMs: 0,
  batchSize: 1000,
  dryRun: false,
  recordedOptions: {},
};

/** A device that is linked to a connection, as far as anybody sees who does not log in with it. */
export async function linkDevice(store: Store, connection = 'loja'): Promise<void> {
  await store.sql.execute(
    `insert into linked_devices (connection_id, account_id, credentials, updated_at)
     select id, name || ':1@s.whatsapp.net', '\\x00'::bytea, now() from connections where name = $1`,
    [connection],
  );
}
