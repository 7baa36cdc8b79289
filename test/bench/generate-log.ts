import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { encodeWamid, WAMID_MARKERS } from '../../src/identity/wamid.js';
import { writeName, writeText } from './phrases.js';
import { createRandom, type Random } from './random.js';
import {
  addressBookBody,
  BUSINESS_PHONE,
  echoBody,
  followUpBody,
  historyBody,
  liveBody,
  type StatusBody,
  type BookEntry,
  type ChunkMetadata,
  type MessageBody,
  type Thread,
} from './webhook-bodies.js';

export interface LogOptions {
  /** Rows that the log gives: four of five in history chunks, the fifth live. Statuses and media contents come on top. */
  messages: number;
  seed: number;
  /** Few messages per contact, so that nearly each batch meets other people: the hardest log there is. Default: threads as Meta sends them. */
  isScattered?: boolean;
}

const MESSAGES_PER_CHUNK = 200;
const LIVE_PER_CHUNK = MESSAGES_PER_CHUNK / 4;
/** So many messages of a contact lie in the history; a quarter as many come live. */
const THREAD_LENGTH = [80, 160] as const;
const SCATTERED_LENGTH = [1, 4] as const;
const DAY = 86_400;
/** When the number was linked, in seconds since 1970: history lies before it, live messages after it. */
const LINKED_AT = 1_758_000_000;

/** Writes the log as NDJSON, one webhook per line. Memory does not grow with the log. */
export async function writeLog(path: string, options: LogOptions): Promise<void> {
  await pipeline(Readable.from(generateLog(options)), createWriteStream(path));
}

/** The lines of the log, the same for the same options. */
export function* generateLog({ messages, seed, isScattered = false }: LogOptions): Generator<string> {
  const random = createRandom(seed);
  const history = new HistoryWriter(
    random,
    Math.ceil((messages * 4) / 5),
    isScattered ? SCATTERED_LENGTH : THREAD_LENGTH,
  );
  const live = new LiveWriter(random);
  let left = messages - history.left;
  while (history.left > 0) {
    for (const line of history.nextChunk()) yield `${line}\n`;
    const due = history.left > 0 ? Math.min(left, LIVE_PER_CHUNK) : left;
    for (let i = 0; i < due; i += 1) {
      for (const line of live.next(random.between(0, history.contacts - 1))) yield `${line}\n`;
    }
    left -= due;
  }
}

/** The phone of the nth contact; made from its number, so that no list of contacts is kept. */
function phoneOf(contact: number): string {
  const areaCode = 11 + (contact % 17);
  return `55${areaCode}9${String(10_000_000 + ((contact * 7_919) % 89_999_999)).padStart(8, '0')}`;
}

function wamid(random: Random, phone: string, isOutbound: boolean): string {
  return encodeWamid(
    phone,
    `3A${random.hex(18)}`,
    isOutbound ? WAMID_MARKERS.business : WAMID_MARKERS.customer,
  );
}

function imageContent(random: Random): { caption: string; mime_type: string; sha256: string; id: string } {
  return {
    caption: writeText(random).slice(0, 40),
    mime_type: 'image/jpeg',
    sha256: random.hex(64).toLowerCase(),
    id: String(random.between(1e15, 9e15)),
  };
}

class HistoryWriter {
  /** Contacts that have appeared so far. */
  contacts = 0;
  private phone = '';
  private leftInThread = 0;
  private clock = 0;
  private chunks = 0;
  private readonly total: number;

  constructor(
    private readonly random: Random,
    public left: number,
    private readonly threadLength: readonly [number, number],
  ) {
    this.total = left;
  }

  /** The address book's entries of new contacts, one chunk, and the contents of some of its placeholders. */
  nextChunk(): string[] {
    const threads: Thread[] = [];
    const book: BookEntry[] = [];
    const followUps: string[] = [];
    for (let i = 0; i < MESSAGES_PER_CHUNK && this.left > 0; i += 1, this.left -= 1) {
      if (this.leftInThread === 0) this.openThread(book);
      if (threads.at(-1)?.id !== this.phone) threads.push({ id: this.phone, messages: [] });
      threads.at(-1)?.messages.push(this.message(followUps));
      this.leftInThread -= 1;
    }
    const chunk = historyBody(this.metadata(), threads);
    return [...(book.length === 0 ? [] : [addressBookBody(book)]), chunk, ...followUps];
  }

  private openThread(book: BookEntry[]): void {
    const { random } = this;
    this.phone = phoneOf(this.contacts);
    this.contacts += 1;
    this.leftInThread = random.between(...this.threadLength);
    this.clock = LINKED_AT - random.between(30, 180) * DAY;
    if (random.chance(0.4)) {
      book.push({ phone: this.phone, name: writeName(random), timestamp: String(LINKED_AT) });
    }
  }

  private message(followUps: string[]): Thread['messages'][number] {
    const { random, phone } = this;
    const isOutbound = random.chance(0.5);
    this.clock += random.between(5, DAY / 4);
    const head = {
      from: isOutbound ? BUSINESS_PHONE : phone,
      id: wamid(random, phone, isOutbound),
      timestamp: String(this.clock),
    };
    const history_context = {
      status: random.pick(['READ', 'DELIVERED', 'SENT']),
      ...(isOutbound ? { from_me: true as const } : {}),
    };
    if (random.chance(0.05)) {
      if (!isOutbound && random.chance(0.5)) {
        followUps.push(followUpBody(media(random, head)));
      }
      return { ...head, type: 'media_placeholder', history_context };
    }
    return { ...text(random, head), history_context };
  }

  /** Phase 0 is the last day, phase 1 the last three months, phase 2 what is older. */
  private metadata(): ChunkMetadata {
    const done = 1 - this.left / this.total;
    this.chunks += 1;
    return {
      phase: done < 0.02 ? 0 : done < 0.6 ? 1 : 2,
      chunk_order: this.chunks,
      progress: Math.floor(done * 100),
    };
  }
}

class LiveWriter {
  private clock = LINKED_AT;
  /** Of messages sent since the last inbound one. */
  private statuses: StatusBody[] = [];

  constructor(private readonly random: Random) {}

  /** One live message of the contact; what became of ours comes with the next one of theirs. */
  next(contact: number): string[] {
    const { random } = this;
    const phone = phoneOf(contact);
    const isOutbound = random.chance(0.4);
    this.clock += random.between(0, 20);
    const timestamp = String(this.clock);
    const head = {
      from: isOutbound ? BUSINESS_PHONE : phone,
      id: wamid(random, phone, isOutbound),
      timestamp,
    };
    const message = random.chance(0.05) ? media(random, head) : text(random, head);
    if (!isOutbound) return [liveBody(writeName(createRandom(contact)), message, this.statuses.splice(0))];
    const statuses = random.chance(0.6) ? (['delivered', 'read'] as const) : (['delivered'] as const);
    for (const [i, status] of statuses.entries()) {
      this.statuses.push({ id: head.id, status, timestamp: String(this.clock + i + 1), recipient_id: phone });
    }
    return [echoBody(phone, message)];
  }
}

type Head = Pick<MessageBody, 'from' | 'id' | 'timestamp'>;

function text(random: Random, head: Head): MessageBody & { text: { body: string } } {
  return { ...head, type: 'text', text: { body: writeText(random) } };
}

function media(random: Random, head: Head): MessageBody & { image: ReturnType<typeof imageContent> } {
  return { ...head, type: 'image', image: imageContent(random) };
}
