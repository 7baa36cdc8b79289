import { canonicalPhone } from '../../identity/phone.js';
import { deleteNames, type LeadFields } from '../../store/changes/merge-leads.js';
import type { Sql } from '../../store/sql.js';
import { writeIdentities, type IdentityRow } from '../../store/tables/leads.js';
import { groupBy } from '../../rules/group-by.js';
import { absorbEvidence, noEvidence, nodeKey, type IdentityEvidence } from '../../rules/identity-evidence.js';
import { identityRow, storedIdentity } from '../../rules/people.js';

/**
 * Gives the survivors the phones of the merged leads as identities, canonical (I1): leads of other programs have none,
 * and deleting their row would lose their phone. People entered the name and username of these rows: they count as
 * address-book names, older than any other. Identities in another spelling become the canonical one. Call it after the
 * leads' identities have moved; `survivorOf` maps each lead to its survivor. Returns the number of identities written.
 */
export async function adoptNames(
  tx: Sql,
  leads: readonly LeadFields[],
  stored: readonly IdentityRow[],
  survivorOf: ReadonlyMap<string, string>,
): Promise<number> {
  let written = 0;
  const organizations = new Map(leads.map((lead) => [lead.id, lead.organizationId]));
  for (const [organizationId, own] of groupBy(leads, (lead) => lead.organizationId)) {
    const names = new Names();
    const gone: { organizationId: string; kind: 'phone'; value: string }[] = [];
    for (const row of stored) {
      const survivor = survivorOf.get(row.personId);
      if (survivor === undefined || organizations.get(survivor) !== organizationId || row.kind !== 'phone')
        continue;
      const canonical = canonicalPhone(row.value);
      names.add(survivor, canonical ?? row.value, storedIdentity(row).evidence, canonical === row.value);
      if (canonical === undefined || canonical === row.value) continue;
      gone.push({ organizationId, kind: 'phone', value: row.value });
    }
    for (const lead of own) {
      const survivor = survivorOf.get(lead.id);
      const phone = lead.phoneNumber === null ? undefined : canonicalPhone(lead.phoneNumber);
      if (survivor === undefined || phone === undefined || names.hasIdentity(lead.id, phone, stored))
        continue;
      names.add(survivor, phone, evidenceOfRow(lead), false);
    }
    await deleteNames(tx, gone);
    written += gone.length + (await writeIdentities(tx, organizationId, names.changed()));
  }
  return written;
}

/** The evidence in a lead's row that has no identities. */
function evidenceOfRow({ pushName, username }: LeadFields): Partial<IdentityEvidence> {
  return {
    bookName: pushName === null ? null : { value: pushName, at: 0 },
    username: username === null ? null : { value: username, at: 0 },
  };
}

class Names {
  private readonly byKey = new Map<string, { survivor: string; value: string; evidence: IdentityEvidence }>();
  private readonly dirty = new Set<string>();

  /** `isStored`: the identity is stored with this value and this evidence. */
  add(survivor: string, value: string, evidence: Partial<IdentityEvidence>, isStored: boolean): void {
    const key = nodeKey({ kind: 'phone', value });
    const known = this.byKey.get(key);
    const name = known ?? { survivor, value, evidence: noEvidence() };
    this.byKey.set(key, name);
    const changed = absorbEvidence(name.evidence, evidence);
    // The first stored row needs no write; any other evidence changes the identity.
    if (!isStored || (known !== undefined && (changed || this.dirty.has(key)))) this.dirty.add(key);
  }

  /** Whether the lead has an identity with its row's phone. */
  hasIdentity(leadId: string, phone: string, stored: readonly IdentityRow[]): boolean {
    return stored.some(
      (row) => row.personId === leadId && row.kind === 'phone' && canonicalPhone(row.value) === phone,
    );
  }

  changed(): IdentityRow[] {
    return [...this.byKey]
      .filter(([key]) => this.dirty.has(key))
      .map(([, { survivor, value, evidence }]) =>
        identityRow({ kind: 'phone', value, evidence }, { id: survivor, isLead: true }),
      )
      .sort((a, b) => (a.value < b.value ? -1 : 1));
  }
}
