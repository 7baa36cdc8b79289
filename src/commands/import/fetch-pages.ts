import type { Context, ImportStep } from '../../context.js';
import { isProven } from '../../audit/owed-history.js';
import type { HistoryGap, MissingPart } from '../../store/tables/history.js';
import type { Anchor } from './find-anchor.js';
import { pause } from '../../whatsapp/wait.js';
import type { SavedPage } from './save-page.js';
import type { FetchOptions, FetchedPage, ImportOutcome } from './types.js';
import type { PageOutcome, PageRequest, Phone } from './phone.js';

/** The outcome of one contact's requests. */
export interface Fetched {
  outcome: ImportOutcome;
  reason: string | null;
  /** Requests sent, including repeats after a lost line. */
  requests: number;
  /** When the first one was sent, ms since 1970. */
  askedAt: number | null;
  pages: FetchedPage[];
  /** Parts of the chat that an answer left out, in this import and earlier ones. */
  gaps: FetchedGap[];
  /** The phone says that it has nothing older than this message (ms since 1970), without confirming it. */
  unconfirmedEnd: number | null;
  /** Problems with items of the pages. */
  problems: number;
  /** The address under which the phone last answered. */
  answeredAs: string | null;
}

export interface FetchedGap extends MissingPart {
  /** The phone was asked again, and the part has now arrived. */
  filled: boolean;
}

interface FetchWork {
  phone: Phone;
  anchor: Anchor;
  options: Pick<FetchOptions, 'pages' | 'count' | 'timeoutMs' | 'until' | 'pagePauseMs'>;
  /** Gaps left by earlier imports. */
  gaps: readonly HistoryGap[];
  /**
   * Stores an answer before asking for the next one, so that a kill costs one page. An answer requested only to detect
   * gaps is not `counted`.
   */
  save: (
    chunks: readonly Uint8Array[],
    addresses: readonly string[],
    how: { counted: boolean },
  ) => Promise<SavedPage>;
  /** Records a gap or a request, or that it is filled or answered. */
  recordGap: (gap: HistoryGap & { filled: boolean }) => Promise<void>;
  /** The phone has fully answered this request. */
  answered: (chatJid: string, anchorId: string) => Promise<void>;
  tell: (step: ImportStep) => void;
}

type Page = Extract<PageOutcome, { kind: 'page' }> & {
  /** The answer also had the message that it goes back from: nothing is left out between the two. */
  adjoins?: true;
};
type From = HistoryGap['anchor'];
type MessageKey = Pick<From, 'id' | 'fromMe'>;

/** What a look in front of an answer has shown. */
interface Look {
  /** Nothing is left out there; null when the phone does not say. */
  follows: boolean | null;
  /** The message that the phone has there. */
  newest: MessageKey | null;
}

const LEFT_OUT: Look = { follows: false, newest: null };

/** How many pages one attempt at a gap may take; the next import takes the rest. */
const GAP_PAGES = 3;
/** A check for gaps must be faster than a page. */
const LOOK_TIMEOUT_MS = 5_000;

/**
 * Goes back page by page, each from the oldest message of the previous one, until there are enough, `until` is reached,
 * or the phone has nothing older. Gaps of earlier imports come first. A silent phone is asked once more under the
 * contact's other address: it knows a chat by only one of the two, and ignores the other. Silence never counts as the
 * end.
 */
export function fetchPages(ctx: Context, work: FetchWork): Promise<Fetched> {
  return new PageFetch(ctx, work).run();
}

class PageFetch {
  private readonly fetched: Fetched = {
    outcome: 'empty',
    reason: null,
    requests: 0,
    askedAt: null,
    pages: [],
    gaps: [],
    unconfirmedEnd: null,
    problems: 0,
    answeredAs: null,
  };
  private address: string;
  private otherAddress: string | null;
  private triedOther = false;
  /** Gaps of earlier imports that begin at this import's start, until the phone has answered. */
  private readonly open: MissingPart[] = [];
  /** The oldest message that came. */
  private oldest: From | null = null;
  /** Why no request can go out any more; also where it was a look that found out. */
  private lost: 'conflict' | 'logged_out' | null = null;

  constructor(
    private readonly ctx: Context,
    private readonly work: FetchWork,
  ) {
    ({ address: this.address, otherAddress: this.otherAddress } = work.anchor);
  }

  async run(): Promise<Fetched> {
    const { options, gaps, anchor } = this.work;
    for (const { reason, ...rest } of gaps) {
      const gap: MissingPart = { ...rest, reason: reason === 'asked' ? 'short' : reason };
      // The first page covers whatever may be older than everything stored.
      if (isBefore(gap, anchor)) {
        if (reason !== 'asked') this.open.push(gap);
      } else await this.fill({ ...gap, behind: gap.behind ?? anchor });
      if (this.ctx.signal.aborted) return this.end('interrupted');
    }
    let from: From = anchor;
    let newer: From | null = null;
    for (let page = 0; page < options.pages; page += 1) {
      if (this.fetched.pages.length > 0 && !(await this.pause())) return this.end('interrupted');
      const answer = await this.askBoth(from, newer);
      if (answer.kind !== 'page') return this.end(answer.kind, 'reason' in answer ? answer.reason : null);
      await this.take(answer);
      const oldest = answer.own.at(-1);
      this.oldest = oldest ?? this.oldest;
      if (oldest !== undefined || answer.endOfHistory) await this.closeOpen();
      else if (answer.moreRemain) await this.leaveOlder(from);
      if (oldest !== undefined) await this.checkForGaps(answer, from);
      else if (!answer.moreRemain && this.open.length === 0) await this.closeRequest(from);
      const isTheEnd = await this.isTheEnd(answer);
      if (isTheEnd === true) return this.end('end_of_history');
      if (isTheEnd === null) {
        await this.leaveEnd(answer);
        return this.end('fetched');
      }
      // A page that ends where it began would be requested forever.
      if (oldest === undefined || (oldest.id === from.id && oldest.fromMe === from.fromMe)) break;
      if (options.until !== undefined && oldest.timestampMs < options.until) break;
      from = oldest;
      newer = answer.own.at(-2) ?? null;
      if (this.ctx.signal.aborted) return this.end('interrupted');
    }
    return this.end(this.fetched.pages.some(hasMessages) ? 'fetched' : 'empty');
  }

  /**
   * Asks for what came before a message; retries a silent phone once under the other address. Where the message after it is
   * known, asks from that one: an answer that has the message itself leaves nothing out in front.
   */
  private async askBoth(from: From, newer: From | null): Promise<PageOutcome> {
    const answer = await this.askRecorded(from, newer);
    if (answer.kind !== 'silent' || this.triedOther) return answer;
    this.triedOther = true;
    // A contact known only from the Cloud API has no LID in the database, and the phone may know the chat by its LID.
    this.otherAddress ??= await this.work.phone.otherAddress(this.address);
    if (this.otherAddress === null) return answer;
    const silent = this.request(from);
    [this.address, this.otherAddress] = [this.otherAddress, this.address];
    const second = await this.askRecorded(from, newer);
    if (second.kind === 'page') await this.work.recordGap({ ...silent, filled: true });
    return second;
  }

  /** Records the request first: its answer may come in another session, and leave something out. */
  private async askRecorded(from: From, newer: From | null): Promise<PageOutcome> {
    await this.work.recordGap({ ...this.request(from), filled: false });
    if (newer === null) return this.ask(from);
    const answer = await this.ask(newer, { count: this.work.options.count + 1 });
    return answer.kind === 'page' ? behindMessage(answer, from) : answer;
  }

  private request({ id, fromMe, timestampMs }: From): HistoryGap {
    const { address: chatJid, otherAddress: otherJid } = this;
    return { chatJid, otherJid, anchor: { id, fromMe, timestampMs }, behind: null, reason: 'asked' };
  }

  /** The request was answered, and nothing is missing directly before its message. */
  private async closeRequest(from: From): Promise<void> {
    const { otherAddress } = this;
    const request = this.request(from);
    await this.work.recordGap({ ...request, filled: true });
    // A silent address was asked first.
    if (otherAddress !== null) await this.work.recordGap({ ...request, chatJid: otherAddress, filled: true });
  }

  private async ask(
    from: From,
    asked: Partial<PageRequest> = {},
    purpose: 'page' | 'look' = 'page',
  ): Promise<PageOutcome> {
    const { phone, options, tell } = this.work;
    const page = this.fetched.pages.length + (purpose === 'page' ? 1 : 0);
    const answer = await phone.fetchPage({
      chatJid: this.address,
      ...(this.otherAddress === null ? {} : { otherJid: this.otherAddress }),
      anchor: { ...from, remoteJid: this.address },
      count: options.count,
      timeoutMs: options.timeoutMs,
      signal: this.ctx.signal,
      onProgress: (step) => {
        if (step === 'asked') {
          this.fetched.requests += 1;
          this.fetched.askedAt ??= this.ctx.clock();
        }
        if (step === 'reconnecting') tell({ step });
        else if (purpose === 'page') tell(stepOf(step, page, options.timeoutMs));
        else if (step === 'asked') tell({ step: 'checking', page });
      },
      ...asked,
    });
    if (answer.kind === 'conflict' || answer.kind === 'logged_out') this.lost = answer.kind;
    return answer;
  }

  /** Puts an answer into the database. */
  private async take(answer: Page): Promise<void> {
    const { fetched, address } = this;
    const { tell } = this.work;
    const page = fetched.pages.length + 1;
    fetched.answeredAs = address;
    tell({ step: 'received', page, messages: answer.messages });
    const saved = await this.save(answer, true);
    tell({ step: 'saved', page, messages: saved.messages.created + saved.messages.updated });
    fetched.problems += saved.problems;
    fetched.pages.push({
      address,
      received: answer.messages,
      chunks: answer.chunks.length,
      messages: saved.messages,
      ofOthers: saved.ofOthers,
      endOfHistory: answer.endOfHistory,
      moreRemain: answer.moreRemain,
    });
  }

  private save(answer: Page, counted: boolean): Promise<SavedPage> {
    const { address, otherAddress } = this;
    const addresses = otherAddress === null ? [address] : [address, otherAddress];
    return this.work.save(answer.chunks, addresses, { counted });
  }

  /** Checks whether an answer leaves something out, before its newest message or between its chunks. */
  private async checkForGaps(answer: Page, from: From): Promise<void> {
    const request = { chatJid: this.address, otherJid: this.otherAddress, anchor: from };
    let isWhole = true;
    let isInFront = false;
    for (const gap of gapsIn(answer, request)) {
      // The answer alone proves nothing: ask the phone which message is directly before the anchor.
      const look = isProven(gap) ? LEFT_OUT : await this.look(answer, gap.anchor);
      if (look.follows === true) continue;
      isWhole = false;
      isInFront ||= gap.anchor.id === from.id;
      if (look.follows === false) await this.fill(gap, look.newest);
      // Nobody knows: the next import asks again, for a green line over messages that never came would be wrong.
      else await this.leaveOpen(gap);
    }
    if (!isInFront) await this.closeRequest(from);
    if (isWhole) await this.work.answered(this.address, from.id);
  }

  /**
   * Whether the phone has nothing older than an answer. Every chunk claims it, including the newest: the oldest may not
   * have arrived, even if a chunk came alone, unless it has everything requested. Null if the phone does not confirm
   * it.
   */
  private async isTheEnd(answer: Page): Promise<boolean | null> {
    if (!answer.endOfHistory) return false;
    const oldest = answer.own.at(-1);
    if (oldest === undefined || isFullChunk(answer, this.work.options.count)) return true;
    return (await this.look(answer, oldest)).follows;
  }

  /**
   * An end that the phone did not confirm. Goes on record if it sent several chunks with fewer messages than requested.
   */
  private async leaveEnd({ own, parts }: Page): Promise<void> {
    const anchor = own.at(-1);
    if (anchor === undefined) return;
    this.fetched.unconfirmedEnd = anchor.timestampMs;
    if (parts.length < 2 || own.length >= this.work.options.count) return;
    await this.leaveOlder(anchor);
  }

  /** Records that what is older than a message did not come, unless the gap that begins there is known. */
  private async leaveOlder({ id, fromMe, timestampMs }: From): Promise<void> {
    if (this.open.length > 0) return;
    const gap = {
      chatJid: this.address,
      otherJid: this.otherAddress,
      behind: null,
      reason: 'short',
    } as const;
    await this.leaveOpen({ ...gap, anchor: { id, fromMe, timestampMs } });
  }

  /** What is older than the anchor has come: the gaps that begin there are filled. */
  private async closeOpen(): Promise<void> {
    for (const gap of this.open.splice(0)) await this.work.recordGap({ ...gap, filled: true });
  }

  /** Asks which message the phone has directly before `from`, and looks whether the answer has it. */
  private async look(answer: Page, from: From): Promise<Look> {
    if (this.ctx.signal.aborted) return { follows: null, newest: null };
    const timeoutMs = Math.min(this.work.options.timeoutMs, LOOK_TIMEOUT_MS);
    const look = await this.ask(from, { count: 1, timeoutMs, isFurther: true }, 'look');
    if (look.kind !== 'page') return { follows: null, newest: null };
    const follows = followsOn(look, answer, from);
    await this.save(look, follows === false);
    return { follows, newest: look.own[0] ?? null };
  }

  private async leaveOpen(gap: MissingPart): Promise<void> {
    const open = { ...gap, filled: false };
    await this.work.recordGap(open);
    this.fetched.gaps.push(open);
  }

  /**
   * Asks again for what is missing. The gap is recorded before, so that a kill does not lose it. `known` is a message in it,
   * where the phone has shown one.
   */
  private async fill(gap: MissingPart, known: MessageKey | null = null): Promise<void> {
    const { recordGap } = this.work;
    await recordGap({ ...gap, filled: false });
    const rest = await this.fillPages(gap, known);
    if (rest !== gap) await recordGap({ ...gap, filled: true });
    if (rest !== null && rest !== gap) await recordGap({ ...rest, filled: false });
    this.fetched.gaps.push({ ...(rest ?? gap), filled: rest === null });
  }

  /** Goes back from one side of a gap to the other; gives what is still missing, null when nothing is. */
  private async fillPages(gap: MissingPart, known: MessageKey | null): Promise<MissingPart | null> {
    const { chatJid, otherJid, behind } = gap;
    const asked = { chatJid, ...(otherJid === null ? {} : { otherJid }) };
    let rest = gap;
    for (let page = 0; page < GAP_PAGES; page += 1) {
      const from = rest.anchor;
      if (this.fetched.pages.length > 0 && !(await this.pause())) return rest;
      const answer = await this.ask(from, {
        ...asked,
        anchor: { ...from, remoteJid: chatJid },
        isFurther: true,
      });
      if (answer.kind !== 'page') return rest;
      await this.take(answer);
      const oldest = answer.own.at(-1);
      if (oldest === undefined) return rest;
      // As many messages as were asked for prove nothing where one that belongs in front of them is not there.
      if (page === 0 && known !== null && !hasMessage(answer, known)) return rest;
      for (const left of gapsIn(answer, rest)) {
        // The message shown before is in the answer: nothing is left out in front of it.
        if (page === 0 && known !== null && !isProven(left) && left.anchor.id === from.id) continue;
        if (isProven(left) || (await this.look(answer, left.anchor)).follows !== true) return rest;
      }
      await this.work.answered(chatJid, from.id);
      const isThrough =
        behind !== null &&
        (oldest.timestampMs < behind.timestampMs || answer.own.some(({ id }) => id === behind.id));
      if (isThrough || answer.endOfHistory) return null;
      const { id, fromMe, timestampMs } = oldest;
      rest = { ...rest, anchor: { id, fromMe, timestampMs } };
    }
    return rest;
  }

  private pause(): Promise<boolean> {
    const { options, tell } = this.work;
    tell({ step: 'pausing', waitMs: options.pagePauseMs });
    return pause(options.pagePauseMs, this.ctx.signal);
  }

  private async end(how: ImportOutcome, why: string | null = null): Promise<Fetched> {
    // A look or a wait that the user has cut short shows nothing: the import is not as far as it was meant to go.
    const [outcome, reason] = this.ctx.signal.aborted
      ? (['interrupted', null] as const)
      : ([how, why] as const);
    // More of the last answer may still come, when nobody looks any more whether it follows.
    if (this.oldest !== null && outcome !== 'end_of_history')
      await this.work.recordGap({ ...this.request(this.oldest), filled: false });
    const open = this.open.map((gap) => ({ ...gap, filled: false }));
    const gaps = [...this.fetched.gaps, ...open];
    // What is advised after pages that came fails without the device.
    if (this.lost !== null && outcome !== 'interrupted')
      return { ...this.fetched, gaps, outcome: this.lost, reason: null };
    return { ...this.fetched, gaps, outcome, reason };
  }
}

function stepOf(step: 'asked' | 'answered', page: number, waitMs: number): ImportStep {
  return step === 'asked' ? { step, page, waitMs } : { step, page };
}

function hasMessages({ messages: { created, updated, unchanged } }: FetchedPage): boolean {
  return created + updated + unchanged > 0;
}

/**
 * What an answer may leave out: between the message asked from and its newest one, also where it has as many as requested,
 * and between its chunks. WhatsApp does not number messages, so without a `missing` these are only suspicions.
 */
function gapsIn(
  answer: Page,
  { chatJid, otherJid, anchor }: Pick<HistoryGap, 'chatJid' | 'otherJid' | 'anchor'>,
): MissingPart[] {
  const [newest] = answer.own;
  if (newest === undefined) return [];
  const gap = (
    from: From,
    behind: { id: string; timestampMs: number },
    reason: MissingPart['reason'],
  ): MissingPart => ({
    chatJid,
    otherJid,
    anchor: { id: from.id, fromMe: from.fromMe, timestampMs: from.timestampMs },
    behind: { id: behind.id, timestampMs: behind.timestampMs },
    reason,
  });
  // A part requested again from its very start brings everything behind it.
  if (answer.missing !== null) return [gap(anchor, newest, answer.missing)];
  const gaps: MissingPart[] = [];
  let from: From = anchor;
  for (const part of answer.parts) {
    const [first] = part;
    const last = part.at(-1);
    // If one chunk overlaps the one in front, nothing is left out between them.
    const isKnown = answer.adjoins === true && from === anchor;
    if (!isKnown && first !== undefined && first.timestampMs < from.timestampMs)
      gaps.push(gap(from, first, 'short'));
    if (last !== undefined && last.timestampMs < from.timestampMs) from = last;
  }
  return gaps;
}

/** A phone sends at most what was requested: behind one chunk with all of it no other one is missing. */
function isFullChunk({ parts, own }: Page, count: number): boolean {
  return parts.length < 2 && own.length >= count;
}

/** Whether a gap has nothing behind it, so that an import going back from `anchor` passes through it. */
function isBefore({ behind, anchor: { id } }: HistoryGap, anchor: From): boolean {
  return behind === null && id === anchor.id;
}

/**
 * Whether what the phone has directly before `from` is in the answer. A look that came back empty is no confirmation where
 * the answer has older messages: then nobody knows (null). Nor is it one where the phone says that more remain.
 */
function followsOn(look: Page, answer: Page, from: From): boolean | null {
  const [newest] = look.own;
  if (newest !== undefined) return hasMessage(answer, newest);
  if (answer.own.some(({ timestampMs }) => timestampMs < from.timestampMs)) return null;
  return !look.moreRemain;
}

/** An answer without the message that it goes back from, if it has that one. */
function behindMessage(answer: Page, from: MessageKey): Page {
  if (!hasMessage(answer, from)) return answer;
  const isOlder = ({ id, fromMe }: MessageKey): boolean => id !== from.id || fromMe !== from.fromMe;
  const parts = answer.parts.map((part) => part.filter(isOlder)).filter((part) => part.length > 0);
  return { ...answer, own: answer.own.filter(isOlder), parts, adjoins: true };
}

function hasMessage({ own }: Page, { id, fromMe }: MessageKey): boolean {
  return own.some((message) => message.id === id && message.fromMe === fromMe);
}
