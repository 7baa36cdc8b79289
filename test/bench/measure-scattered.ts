import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import type { Store } from '../../src/store/store.js';
import { writeLog } from './generate-log.js';
import type { Plan } from './measure-target.js';
import { rateOf } from './measured.js';
import { format, type Verdict } from './report.js';
import { replayOnce, type MeasuredReplay } from './run-binary.js';
import type { Target } from './target.js';

/** A replay of a log in which nearly every batch meets other people. */
export interface ScatteredFigures {
  title: string;
  replay: MeasuredReplay;
  leads: number;
  /** Messages per second while the first and the last tenth of the messages were stored. */
  firstTenth: number;
  lastTenth: number;
}

const TENTH = 0.1;
const POLL_MS = 50;

/** The target is empty. */
export async function measureScattered(target: Target, plan: Plan): Promise<ScatteredFigures> {
  const { messages, directory, say } = plan;
  const log = join(directory, 'scattered.ndjson');
  await writeLog(log, { messages, seed: 2, isScattered: true });
  say(`${target.title}: replay of a scattered log`);
  const store = await target.open();
  try {
    const watch = new Progress(store);
    const watching = watch.start();
    const replay = await replayOnce(log, messages, { env: target.env, directory });
    watch.stop();
    await watching;
    const [row] = await store.sql.query('select count(*)::int as leads from leads');
    return {
      title: target.title,
      replay,
      leads: Number(row?.['leads']),
      firstTenth: watch.rate(0, messages * TENTH),
      lastTenth: watch.rate(messages * (1 - TENTH), messages),
    };
  } finally {
    await store.close();
  }
}

/** How many messages a run has stored by when, read beside it from its checkpoints. */
class Progress {
  private readonly seen: { at: number; messages: number }[] = [];
  private isDone = false;

  constructor(private readonly store: Store) {}

  async start(): Promise<void> {
    let known = -1;
    while (!this.isDone) {
      await delay(POLL_MS);
      const [row] = await this.store.sql.query(
        `select coalesce((counters -> 'messages' ->> 'created')::int, 0) as messages from sync_runs where command = 'replay'`,
      );
      if (row === undefined) continue;
      const messages = Number(row['messages']);
      if (messages === known) continue;
      known = messages;
      this.seen.push({ at: performance.now(), messages });
    }
  }

  stop(): void {
    this.isDone = true;
  }

  /** Messages per second between two counts. */
  rate(from: number, until: number): number {
    return ((until - from) / (this.timeOf(until) - this.timeOf(from))) * 1000;
  }

  /** When so many messages were stored, between two batches by proportion. */
  private timeOf(messages: number): number {
    const after = this.seen.findIndex((point) => point.messages >= messages);
    const [before, reached] = [this.seen[Math.max(0, after - 1)], this.seen.at(after)];
    if (before === undefined || reached === undefined) throw new Error('the run was too short to be watched');
    const share = (messages - before.messages) / Math.max(1, reached.messages - before.messages);
    return before.at + share * (reached.at - before.at);
  }
}

export const SCATTERED_HEADER = ['database', 'way', 'messages/s', 'leads', 'first tenth', 'last tenth'];

export function scatteredRatesOf({
  title,
  replay,
  leads,
  firstTenth,
  lastTenth,
}: ScatteredFigures): string[] {
  const rates = [rateOf(replay), leads, firstTenth, lastTenth].map(format);
  return [title, 'replay of a scattered log, first time', ...rates];
}

export function judgeScattered({ title, replay, firstTenth, lastTenth }: ScatteredFigures): Verdict {
  const share = lastTenth / firstTenth;
  return {
    title,
    budget: 'the last tenth of 1,000,000 scattered messages at 0.8 of the first or more',
    measured: `${share.toFixed(2)}, ${(replay.peakBytes / 1024 / 1024).toFixed(0)} MB`,
    pass: replay.messages >= 1_000_000 ? share >= 0.8 : null,
  };
}
