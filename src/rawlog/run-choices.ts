import { INCLUDABLE_CHATS } from '../model/enumerations.js';
import type { Sql } from '../store/sql.js';
import type { ConnectionRow } from '../store/tables/connections.js';
import { readRunChoices } from '../store/tables/sync-runs.js';
import type { StoredAs } from '../ingest/batch/prepare-entry.js';

type Choice = Pick<StoredAs, 'connectionId' | 'include'>;

const NONE: Choice = { connectionId: null, include: new Set() };

/** The read options of the runs that stored entries. Looked up once per run. */
export class RunChoices {
  private readonly known = new Map<string, Choice>();

  constructor(
    private readonly sql: Sql,
    private readonly connections: readonly ConnectionRow[],
  ) {}

  /** Looks up the runs of these entries that are not known yet, in one statement. */
  async load(entries: readonly { runId: string | null }[]): Promise<void> {
    const ids = new Set<string>();
    for (const { runId } of entries) if (runId !== null && !this.known.has(runId)) ids.add(runId);
    if (ids.size === 0) return;
    const choices = await readRunChoices(this.sql, [...ids]);
    for (const id of ids) {
      const choice = choices.get(id);
      this.known.set(
        id,
        choice === undefined ? NONE : { include: choice.include, connectionId: this.idOf(choice.connection) },
      );
    }
  }

  /** The choices of the run that stored the entry, with the chats that later runs brought in from it. */
  of({ runId, included }: { runId: string | null; included: readonly string[] }): Choice {
    const choice = (runId === null ? undefined : this.known.get(runId)) ?? NONE;
    const more = INCLUDABLE_CHATS.filter((chat) => included.includes(chat));
    return more.length === 0 ? choice : { ...choice, include: new Set([...choice.include, ...more]) };
  }

  private idOf(named: string | null): string | null {
    const found =
      this.connections.find(({ id, name }) => name === named || id === named) ??
      // Called by its phone_number_id until its number became known.
      this.connections.find(({ phoneNumberId }) => named !== null && phoneNumberId === named);
    return found?.id ?? null;
  }
}
