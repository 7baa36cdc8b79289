import { canonicalPhone } from '../../identity/phone.js';
import { deleteNames, type LeadFields } from '../../store/changes/merge-leads.js';
import type { Sql } from '../../store/sql.js';
import { writeIdentities, type IdentityRow } from '../../store/tables/leads.js';
import { groupBy } from '../../rules/group-by.js';
import { absorbEvidence, noEvidence, nodeKey, type IdentityEvidence } from '../../rules/identity-evidence.js';
import { identityRow, storedIdentity } from '../../rules/people.js';

/**
 * Gives the survivors the phones of the merged leads as names, canonical (I1): leads of other programs have none, and their
 * phone would go with their row. What only such a row says, its name and username, was given by people: it counts as an
 * address-book name, only older than any. Names stored in another spelling become the canonical one. Called when the leads'
 * names have been moved already; `survivorOf` tells each lead's survivor. Gives the number of names written.
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
      if (survivor === undefined || phone === undefined || names.isSaid(lead.id, phone, stored)) continue;
      names.add(survivor, phone, saidByRow(lead), false);
    }
    await deleteNames(tx, gone);
    written += gone.length + (await writeIdentities(tx, organizationId, names.changed()));
  }
  return written;
}

/** What a row without names says about its person. */
function saidByRow({ pushName, username }: LeadFields): Partial<IdentityEvidence> {
  return {
    bookName: pushName === null ? null : { value: pushName, at: 0 },
    username: username === null ? null : { value: username, at: 0 },
  };
}

class Names {
  private readonly byKey = new Map<string, { survivor: string; value: string; evidence: IdentityEvidence }>();
  private readonly dirty = new Set<string>();

  /** `isStored`: the row is there under this very name, with this evidence. */
  add(survivor: string, value: string, evidence: Partial<IdentityEvidence>, isStored: boolean): void {
    const key = nodeKey({ kind: 'phone', value });
    const known = this.byKey.get(key);
    const name = known ?? { survivor, value, evidence: noEvidence() };
    this.byKey.set(key, name);
    const changed = absorbEvidence(name.evidence, evidence);
    // A stored row that comes first is what is stored; whatever else comes, before or after, makes the name another one.
    if (!isStored || (known !== undefined && (changed || this.dirty.has(key)))) this.dirty.add(key);
  }

  /** Whether the lead has names of its own that say what its row says. */
  isSaid(leadId: string, phone: string, stored: readonly IdentityRow[]): boolean {
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
