import { describe, expect, it } from 'vitest';
import { matchConnections } from '../../../src/commands/compare/match-connections.js';
import type { CrmConnection } from '../../../src/crm/crm.js';
import { EVOLUTION } from '../../../src/crm/dialects/evolution.js';
import type { CrmSource } from '../../../src/crm/source.js';
import { readConnectionRecords } from '../../../src/store/tables/connections.js';
import { addConnection } from '../../support/connections.js';
import { useBackend } from '../../support/databases.js';

function instance(key: string, phoneNumberId: string): CrmConnection {
  return { key, name: key, phoneNumberId, phone: null, isCloudApi: true };
}

function crmWith(...connections: CrmConnection[]): CrmSource {
  async function* nothing() {}
  return {
    dialect: EVOLUTION,
    location: 'a test',
    connections,
    rows: nothing,
    missingContacts: [],
    passedOver: [],
    mayRepeatRows: false,
    pairs: nothing,
    close: () => Promise.resolve(),
  };
}

describe('the instances of a CRM', () => {
  const backend = useBackend('postgresql');

  it('that have one number are compared as --map names them: one, all, or none without it', async () => {
    const store = await backend.open();
    await addConnection(store, { name: 'loja', phoneNumberId: '800000000000001' });
    const records = await readConnectionRecords(store.sql, {});
    const crm = crmWith(instance('old', '800000000000001'), instance('new', '800000000000001'));
    const matched = (...keys: string[]): string[] =>
      matchConnections(crm, records, {
        map: keys.map((key) => ({ connection: 'loja', crm: key })),
        connection: undefined,
      }).matches.map((match) => match.crm.key);
    expect(() => matched()).toThrow(/has 2 that may be loja/);
    expect(matched('new')).toEqual(['new']);
    expect(matched('old')).toEqual(['old']);
    expect(matched('old', 'new')).toEqual(['old', 'new']);
  });

  it('are one connection each: the same for two is refused in these words, the same twice is not', async () => {
    const store = await backend.open();
    await addConnection(store, { name: 'loja', phoneNumberId: '800000000000001' });
    await addConnection(store, { name: 'shop', phoneNumberId: '800000000000002' });
    const records = await readConnectionRecords(store.sql, {});
    const crm = crmWith(instance('new', '800000000000001'));
    const matched = (...names: string[]): unknown[] =>
      matchConnections(crm, records, {
        map: names.map((connection) => ({ connection, crm: 'new' })),
        connection: undefined,
      }).matches.map(({ connection }) => connection.name);
    expect(() => matched('loja', 'shop')).toThrow(/'new' .*cannot be 2 connections: loja, shop/);
    expect(matched('shop', 'shop')).toEqual(['shop']);
  });

  it('are not listed where there are none: the export that names them is asked for', async () => {
    const store = await backend.open();
    await addConnection(store, { name: 'loja', phoneNumberId: '800000000000001' });
    const records = await readConnectionRecords(store.sql, {});
    const matching = (): unknown =>
      matchConnections(crmWith(), records, {
        map: [{ connection: 'loja', crm: '1' }],
        connection: undefined,
      });
    expect(matching).toThrow(
      expect.objectContaining({ remedy: expect.stringContaining('the export of Instance') as string }),
    );
  });

  it('without an id are not advised to be mapped: the export that names them, or the only connection', async () => {
    const store = await backend.open();
    await addConnection(store, { name: 'loja', phoneNumberId: '800000000000001' });
    await addConnection(store, { name: 'shop', phoneNumberId: '800000000000002' });
    const records = await readConnectionRecords(store.sql, {});
    const crm = crmWith({ key: '', name: '', phoneNumberId: null, phone: null, isCloudApi: null });
    const advice =
      'Give the export of Instance too, or name the only connection of these messages: --connection NAME.';
    for (const map of [[], [{ connection: 'loja', crm: '1' }]]) {
      expect(() => matchConnections(crm, records, { map, connection: undefined })).toThrow(
        expect.objectContaining({ remedy: expect.stringContaining(advice) as string }),
      );
    }
    const { matches } = matchConnections(crm, records, { map: [], connection: 'shop' });
    expect(matches.map(({ connection }) => connection.name)).toEqual(['shop']);
  });
});
