import { describe, expect, test } from 'vitest';
import { resolveContact, theOneLead } from '../../src/commands/contacts/resolve-contact.js';
import { parseContact } from '../../src/commands/contacts/typed-contact.js';
import { ConfigError } from '../../src/model/errors.js';
import type { Store } from '../../src/store/store.js';
import { describeOnServer } from '../support/databases.js';
import { replayBodies } from '../support/replaying.js';
import { ANA, ANA_BSUID, ANA_LID, BRU, live, status, webLive } from '../support/webhooks.js';

const BRAZIL = '+5511987654321';
const MEXICO = '+525512345678';
const ARGENTINA = '+5491123456789';

describe('what a person types for a contact', () => {
  test.each([
    ['+5511987654321', BRAZIL],
    ['5511987654321', BRAZIL],
    ['+55 (11) 98765-4321', BRAZIL],
    ['0055 11 98765.4321', BRAZIL],
    ['551187654321', BRAZIL],
    ['5511987654321@s.whatsapp.net', BRAZIL],
    ['551187654321:12@s.whatsapp.net', BRAZIL],
    ['tel:+5511987654321', BRAZIL],
    ['+521 55 1234 5678', MEXICO],
    ['+54 9 11 2345-6789', ARGENTINA],
    ['+54 11 2345-6789', ARGENTINA],
    [ANA_BSUID, ANA_BSUID],
    [ANA_LID, ANA_LID],
    ['111000000000001', ANA_LID],
    [' 111000000000001:3@lid ', ANA_LID],
  ])('%s is looked for as %s', (typed, name) => {
    expect(parseContact(typed)).toMatchObject({
      kind: 'names',
      names: expect.arrayContaining([name]) as unknown,
    });
  });

  test.each(['', 'Ana', '@lid', "'; drop table leads", '5511 98765 4321 ext 2', '\u0000'])(
    '%j is no contact, and the error says what is one',
    (typed) => {
      expect(() => parseContact(typed)).toThrow(ConfigError);
      expect(() => parseContact(typed)).toThrow(
        expect.objectContaining({
          code: 'invalid_contact',
          remedy: expect.stringContaining('lead id') as unknown,
        }),
      );
    },
  );
});

async function addLead(store: Store, phone: string, name: string, organization = 'default'): Promise<string> {
  await store.sql.execute(
    `insert into organizations (id, slug, name) values (gen_random_uuid(), $1, $1) on conflict do nothing`,
    [organization],
  );
  const [row] = await store.sql.query(
    `insert into leads (id, organization_id, phone_number, push_name, source, first_seen_at)
     select gen_random_uuid(), id, $1, $2, 'direct_creation', '2026-01-01' from organizations where slug = $3
     returning id`,
    [phone, name, organization],
  );
  return String(row?.id);
}

describeOnServer('contacts', (backend) => {
  test('are found by every name they have, and come with all of them', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      live('A', 0, { from_user_id: ANA_BSUID }),
      webLive('B', 10, {}, { remoteJid: ANA_LID, senderPn: `${ANA}@s.whatsapp.net` }),
    ]);
    const byPhone = await resolveContact(store.sql, '+55 11 90000-0001');
    expect(byPhone.leads).toHaveLength(1);
    expect(byPhone.leads[0]).toMatchObject({ organization: 'default', phone: `+${ANA}` });
    expect(byPhone.names).toEqual(expect.arrayContaining([`+${ANA}`, ANA_BSUID]));
    const leadId = byPhone.leads[0]?.leadId ?? '';
    for (const typed of [ANA, `${ANA}@s.whatsapp.net`, ANA_BSUID, leadId, leadId.toUpperCase()]) {
      const contact = await resolveContact(store.sql, typed);
      expect(contact.leads).toEqual(byPhone.leads);
      expect((await theOneLead(store.sql, contact, undefined)).leadId).toBe(leadId);
      expect(new Set(contact.names)).toEqual(new Set(byPhone.names));
    }
  });

  test('I1: of other programs are found by their phone, however either side writes it', async () => {
    const store = await backend.open();
    const brazil = await addLead(store, '+551187654321', 'without the ninth digit');
    const mexico = await addLead(store, '+5215512345678', 'with the 1');
    const argentina = await addLead(store, ARGENTINA, 'mobile');
    const landline = await addLead(store, '+551133334444', 'landline');
    const found = async (typed: string): Promise<unknown> =>
      (await resolveContact(store.sql, typed)).leads.map((lead) => lead.leadId);
    expect(await found('+55 11 98765-4321')).toEqual([brazil]);
    expect(await found('551187654321')).toEqual([brazil]);
    expect(await found('525512345678')).toEqual([mexico]);
    expect(await found('5215512345678')).toEqual([mexico]);
    expect(await found('541123456789')).toEqual([argentina]);
    expect(await found('55 11 93333-4444')).toEqual([landline]);
    expect((await resolveContact(store.sql, brazil)).names).toContain(BRAZIL);
  });

  test('are found by a phone that somebody wrote into their row, unless it is the phone of another lead', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A', 0), live('B', 10, { from: BRU })]);
    const { sql } = store;
    const one = async (typed: string) => theOneLead(sql, await resolveContact(sql, typed), undefined);
    const [ana, bru] = [await one(ANA), await one(BRU)];
    await sql.execute(`update leads set phone_number = '+5599999999999' where id = $1`, [ana.leadId]);
    for (const typed of ['+5599999999999', ANA]) expect((await one(typed)).leadId).toBe(ana.leadId);
    expect((await resolveContact(sql, '+5599999999999')).names).toContain(`+${ANA}`);
    await sql.execute(`update leads set phone_number = '+5511900009999' where id = $1`, [bru.leadId]);
    await sql.execute(`update leads set phone_number = $2 where id = $1`, [ana.leadId, `+${BRU}`]);
    for (const typed of ['+5511900009999', BRU]) expect((await one(typed)).leadId).toBe(bru.leadId);
  });

  test('are ambiguous when two organizations have them, until one is named', async () => {
    const store = await backend.open();
    const ours = await addLead(store, BRAZIL, 'Ana');
    const theirs = await addLead(store, BRAZIL, 'Ana Souza', 'acme');
    const contact = await resolveContact(store.sql, BRAZIL);
    const error: unknown = await theOneLead(store.sql, contact, undefined).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({
      code: 'ambiguous_contact',
      exitCode: 2,
      message: [`2 leads match '${BRAZIL}':`, `  acme  ${theirs}  Ana Souza`, `  default  ${ours}  Ana`].join(
        '\n',
      ),
      remedy: expect.stringContaining('--connection') as unknown,
    });
    const organizationId = contact.leads.find((lead) => lead.leadId === theirs)?.organizationId ?? '';
    const one = await resolveContact(store.sql, BRAZIL, { organizationId });
    expect((await theOneLead(store.sql, one, undefined)).leadId).toBe(theirs);
  });

  test('that nobody knows are an error, which says whether the raw log does', async () => {
    const store = await backend.open();
    const nobody = await resolveContact(store.sql, BRAZIL);
    expect(nobody).toEqual({ typed: BRAZIL, names: [BRAZIL], leads: [] });
    await expect(theOneLead(store.sql, nobody, undefined)).rejects.toMatchObject({
      code: 'unknown_contact',
      exitCode: 2,
      message: `No contact found for '${BRAZIL}', in the leads or in the raw log.`,
    });
    // Without --register the entry waits, and there is no lead.
    await replayBodies(store, [live('A', 0), status('A', 'read', 1)], { register: false });
    await expect(
      theOneLead(store.sql, await resolveContact(store.sql, ANA), undefined),
    ).rejects.toMatchObject({
      code: 'unknown_contact',
      message: expect.stringContaining('the raw log has 2 entries') as unknown,
      remedy: { command: 'explain' },
    });
  });

  test('I3: whose lead was merged are found under the old id, with a word about it', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      live('A', 0),
      live('B', 100, { from: undefined, from_user_id: ANA_BSUID, id: 'wamid.B' }),
    ]);
    const [old] = (await resolveContact(store.sql, ANA_BSUID)).leads;
    await replayBodies(store, [live('C', 200, { from_user_id: ANA_BSUID })]);
    const contact = await resolveContact(store.sql, old?.leadId ?? '');
    expect(contact.leads).toMatchObject([{ phone: `+${ANA}` }]);
    expect(contact.leads[0]?.leadId).not.toBe(old?.leadId);
    expect(contact.notice).toContain(`was merged into ${contact.leads[0]?.leadId ?? ''}`);
    expect(contact.names).toEqual(expect.arrayContaining([`+${ANA}`, ANA_BSUID]));
  });

  test('by an id that no lead ever had are an error', async () => {
    const store = await backend.open();
    await expect(resolveContact(store.sql, '01990000-0000-7000-8000-000000000001')).rejects.toMatchObject({
      code: 'unknown_contact',
      exitCode: 2,
    });
  });
});
