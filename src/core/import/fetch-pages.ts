import type { Context, ImportStep } from '../context.js';
import type { Anchor } from './find-anchor.js';
import type { FetchOptions } from './options.js';
import { pause } from './pause.js';
import type { PageOutcome, PageRequest, Phone } from './phone.js';
import type { FetchedPage, ImportOutcome } from './result.js';
import type { SavedPage } from './save-page.js';

/** What one contact's requests came to. */
export interface Fetched {
  outcome: ImportOutcome;
  reason: string | null;
  /** That went out, again after a line was lost, too. */
  requests: number;
  /** When the first of them went out, ms since 1970. */
  askedAt: number | null;
  pages: FetchedPage[];
  /** What was wrong with items of the pages. */
  problems: number;
  /** The address under which the phone answered last. */
  answeredAs: string | null;
}

export interface FetchWork {
  phone: Phone;
  anchor: Anchor;
  options: Pick<FetchOptions, 'pages' | 'count' | 'timeoutMs' | 'until' | 'pagePauseMs'>;
  /** Puts a page into the database; the next one is asked for only then, so that a kill costs one page. */
  save: (raw: Uint8Array, addresses: readonly string[]) => Promise<SavedPage>;
  tell: (step: ImportStep) => void;
}

type Page = Extract<PageOutcome, { kind: 'page' }>;

/**
 * Goes back page by page, each from the oldest message of the one before, until there are enough, `until` is reached, or the
 * phone has nothing older. A phone that stays silent is asked once more under the contact's other address: it knows a chat
 * by one of the two only, and says nothing about the other. Silence is never taken for the end.
 */
export async function fetchPages(ctx: Context, work: FetchWork): Promise<Fetched> {
  const { phone, options, save, tell } = work;
  const fetched: Fetched = {
    outcome: 'empty',
    reason: null,
    requests: 0,
    askedAt: null,
    pages: [],
    problems: 0,
    answeredAs: null,
  };
  let { address, otherAddress } = work.anchor;
  let from: PageRequest['anchor'] = { ...work.anchor, remoteJid: address };
  let triedOther = false;

  async function ask(page: number): Promise<PageOutcome> {
    return phone.fetchPage({
      chatJid: address,
      ...(otherAddress === null ? {} : { otherJid: otherAddress }),
      anchor: { ...from, remoteJid: address },
      count: options.count,
      timeoutMs: options.timeoutMs,
      signal: ctx.signal,
      onProgress: (step) => {
        if (step === 'asked') {
          fetched.requests += 1;
          fetched.askedAt ??= ctx.clock();
        }
        tell(step === 'reconnecting' ? { step } : stepOf(step, page, options.timeoutMs));
      },
    });
  }

  while (fetched.pages.length < options.pages) {
    const number = fetched.pages.length + 1;
    if (number > 1 && !(await pauseBetween(ctx, work))) return end(fetched, 'interrupted');
    let answer = await ask(number);
    if (answer.kind === 'silent' && !triedOther) {
      triedOther = true;
      // Whoever is known from the Cloud API alone has no LID in the database, and the phone may know the chat by it.
      otherAddress ??= await phone.otherAddress(address);
      if (otherAddress !== null) {
        [address, otherAddress] = [otherAddress, address];
        answer = await ask(number);
      }
    }
    if (answer.kind !== 'page') {
      return end(fetched, answer.kind, 'reason' in answer ? answer.reason : null);
    }
    fetched.answeredAs = address;
    tell({ step: 'received', page: number, messages: answer.messages });
    const saved = await save(answer.raw, otherAddress === null ? [address] : [address, otherAddress]);
    tell({ step: 'saved', page: number, messages: saved.messages.created + saved.messages.updated });
    fetched.problems += saved.tally.problemCount;
    fetched.pages.push(pageOf(address, answer, saved));
    if (answer.endOfHistory) return end(fetched, 'end_of_history');
    const next = answer.anchorOfNext;
    if (next === undefined || isSame(next, from)) break;
    if (options.until !== undefined && next.timestampMs < options.until) break;
    from = next;
    if (ctx.signal.aborted) return end(fetched, 'interrupted');
  }
  return end(fetched, fetched.pages.some(hasMessages) ? 'fetched' : 'empty');
}

function pauseBetween(ctx: Context, { options, tell }: FetchWork): Promise<boolean> {
  tell({ step: 'pausing', waitMs: options.pagePauseMs });
  return pause(options.pagePauseMs, ctx.signal);
}

function stepOf(step: 'asked' | 'answered', page: number, waitMs: number): ImportStep {
  return step === 'asked' ? { step, page, waitMs } : { step, page };
}

function pageOf(address: string, answer: Page, saved: SavedPage): FetchedPage {
  return {
    address,
    received: answer.messages,
    messages: saved.messages,
    ofOthers: saved.ofOthers,
    endOfHistory: answer.endOfHistory,
  };
}

function hasMessages({ messages: { created, updated, unchanged } }: FetchedPage): boolean {
  return created + updated + unchanged > 0;
}

/** A page that goes back to where it began would be asked for without end. */
function isSame(next: PageRequest['anchor'], from: PageRequest['anchor']): boolean {
  return next.id === from.id && next.fromMe === from.fromMe;
}

function end(fetched: Fetched, outcome: ImportOutcome, reason: string | null = null): Fetched {
  return { ...fetched, outcome, reason };
}
