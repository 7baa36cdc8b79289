import type { Remedy } from '../../model/remedy.js';
import type { VerifyView } from './check.js';
import type { CheckName, CheckResult, Finding, ItemSign } from './result.js';
import { severityOf } from './severity.js';

/** How many samples of a check are shown. */
const SAMPLES = 5;

/** What an item is about: `connectionId` null for what belongs to none. */
export interface Subject {
  connectionId: string | null;
  subject: string;
  detail: string;
}

/** Keeps a check's accounts: counts, the first few samples, and every item for `--items`. */
export class Recorder {
  /** How many items were looked at; the check counts them itself. */
  checked = 0;
  found = 0;
  noted = 0;
  private readonly findings: Finding[] = [];
  private readonly notes: Finding[] = [];
  private readonly names: ReadonlyMap<string, string>;

  constructor(
    private readonly view: VerifyView,
    private readonly check: CheckName,
  ) {
    this.names = new Map(view.connections.map(({ id, name }) => [id, name]));
  }

  /** As it should be: told to `--items` alone. */
  async good(item: Subject): Promise<void> {
    if (this.view.wantsItems) await this.tell('=', this.nameOf(item), item);
  }

  /** Something to mend; `weight` where one item stands for several findings. */
  async finding(sign: Exclude<ItemSign, '='>, item: Subject, weight = 1): Promise<void> {
    this.found += weight;
    await this.add(this.findings, sign, item);
  }

  /** Worth knowing, nothing to mend. */
  async note(sign: Exclude<ItemSign, '='>, item: Subject): Promise<void> {
    this.noted += 1;
    await this.add(this.notes, sign, item);
  }

  /** The check's result; `summary` and `remedy` are the check's own words for these accounts. */
  result(summary: string, remedy: Remedy | null): CheckResult {
    const status = this.found > 0 ? 'findings' : this.noted > 0 ? 'note' : 'ok';
    return {
      check: this.check,
      status,
      severity: severityOf(this.check, status),
      checked: this.checked,
      found: status === 'findings' ? this.found : this.noted,
      samples: status === 'findings' ? this.findings : this.notes,
      summary,
      remedy,
    };
  }

  private async add(samples: Finding[], sign: ItemSign, item: Subject): Promise<void> {
    const connection = this.nameOf(item);
    if (samples.length < SAMPLES) samples.push({ connection, subject: item.subject, detail: item.detail });
    await this.tell(sign, connection, item);
  }

  private async tell(sign: ItemSign, connection: string | null, { subject, detail }: Subject): Promise<void> {
    await this.view.item({ sign, check: this.check, connection, subject, detail });
  }

  /** A connection that is gone (no foreign key, a restored dump) is named by its id. */
  private nameOf({ connectionId }: Subject): string | null {
    return connectionId === null ? null : (this.names.get(connectionId) ?? connectionId);
  }
}
