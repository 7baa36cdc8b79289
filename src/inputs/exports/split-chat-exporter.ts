import {
  ByteCollector,
  CLOSE_BRACE,
  COLON,
  COMMA,
  isBlank,
  NEWLINE,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from '../bytes.js';
import type { ItemQueue, Place, Splitter } from '../item-queue.js';
import { ValueScanner } from '../value-scanner.js';

/** A key is a JID or a row's number; a longer one is no export of this program. */
const LONGEST_KEY = 1024;
/** What a chat says about itself besides its messages: a name, a status, paths of pictures. */
const LARGEST_HEADER = 64 * 1024;
const OPENING = /^\s*\{\s*"(?:[^"\\@]{1,64}@[a-z.]{1,32}|0{15}|ExportedChat)"\s*:\s*\{/;

/** Whether a text begins as the JSON of WhatsApp-Chat-Exporter: chats by their JIDs, with their messages by row. */
export function looksLikeChatExporter(head: string): boolean {
  return (
    OPENING.test(head) &&
    /"messages"\s*:\s*\{/.test(head) &&
    /"(?:my_avatar|their_avatar|media_base|key_id)"\s*:/.test(head)
  );
}

/** Where in `{jid: {name, …, messages: {row: {…}}}}` the splitter is. */
type Level = 'file' | 'chats' | 'chat' | 'messages';
type Step = 'open' | 'key' | 'colon' | 'value' | 'next' | 'done';

/**
 * Splits the JSON of WhatsApp-Chat-Exporter into one entry per message and one per chat, whatever the file's size: it is one
 * value, often on one line. A message is kept byte for byte, in an envelope that names its chat (see
 * `src/decode/exports/decode-export.ts`).
 *
 * A message does not say whose it is, so the file is always read from its beginning: `resume` is the offset up to which the entries
 * are done.
 */
export class ChatExporterSplitter implements Splitter {
  line = 0;
  private level: Level = 'file';
  private step: Step = 'open';
  private base: number;
  private element = 0;
  private isBroken = false;
  private readonly scanner = new ValueScanner();
  private readonly key = new ByteCollector(LONGEST_KEY);
  private readonly value: ByteCollector;
  /** Key and value of the level that is read, as they stand in the file. */
  private keyText = '';
  private start = { offset: 0, line: 0 };
  private isScalar = false;
  /** Of the chat that is read. */
  private chat = '';
  private type = '';
  private header: string[] = [];
  private headerSize = 0;
  private isIntroduced = false;
  private readonly told = new Set<string>();

  constructor(
    private readonly queue: ItemQueue,
    offset: number,
    private readonly resume: number,
  ) {
    this.base = offset;
    this.value = new ByteCollector(queue.maxEntryBytes);
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.isBroken) at = this.read(chunk, at);
    this.base += chunk.length;
  }

  end(damaged: boolean): void {
    if (damaged || this.isBroken || this.step === 'done') return;
    this.problem(
      'truncated_input',
      'The file ends inside a chat; what came before is kept. Export it again, or fetch the file whole.',
      0,
    );
  }

  /** Reads one token, or a part of it; returns the index behind it. */
  private read(chunk: Buffer, at: number): number {
    if (this.step === 'key' && this.key.size > 0) return this.readKey(chunk, at);
    if (this.step === 'value' && (this.isScalar || this.value.size > 0)) return this.readValue(chunk, at);
    const byte = chunk[at] ?? 0;
    if (byte === NEWLINE) this.line++;
    if (isBlank(byte) || (this.step === 'open' && byte >= 0xbb)) return at + 1;
    switch (this.step) {
      case 'open':
        return byte === OPEN_BRACE ? this.enter('chats', at) : this.fail(at);
      case 'key':
        if (byte === CLOSE_BRACE) return this.leave(at);
        if (byte !== QUOTE) return this.fail(at);
        this.scanner.reset();
        return this.readKey(chunk, at);
      case 'colon':
        if (byte !== COLON) return this.fail(at);
        this.step = 'value';
        return at + 1;
      case 'value':
        return this.beginValue(chunk, at, byte);
      case 'next':
        if (byte === CLOSE_BRACE) return this.leave(at);
        if (byte !== COMMA) return this.fail(at);
        this.step = 'key';
        return at + 1;
      case 'done':
        return this.fail(at);
    }
  }

  private readKey(chunk: Buffer, from: number): number {
    const to = this.scanner.scan(chunk, from);
    this.key.add(chunk.subarray(from, to));
    if (this.scanner.status === 'open') return to;
    const text = this.key.take()?.toString();
    if (this.scanner.status === 'broken' || text === undefined) return this.fail(to);
    this.keyText = text;
    this.step = 'colon';
    return to;
  }

  private beginValue(chunk: Buffer, at: number, byte: number): number {
    if (this.level === 'chats') {
      if (byte !== OPEN_BRACE) return this.fail(at);
      this.chat = this.keyText;
      this.type = '';
      this.header = [];
      this.headerSize = 0;
      this.isIntroduced = false;
      return this.enter('chat', at);
    }
    if (this.level === 'chat' && this.keyText === '"messages"' && byte === OPEN_BRACE) {
      this.giveHeader(at + 1);
      return this.enter('messages', at);
    }
    this.start = { offset: this.base + at, line: this.line };
    this.isScalar = byte !== OPEN_BRACE && byte !== OPEN_BRACKET && byte !== QUOTE;
    this.scanner.reset();
    return this.readValue(chunk, at);
  }

  private readValue(chunk: Buffer, from: number): number {
    if (this.isScalar) return this.readScalar(chunk, from);
    const newlines = this.scanner.newlines;
    const to = this.scanner.scan(chunk, from);
    this.line += this.scanner.newlines - newlines;
    this.value.add(chunk.subarray(from, to));
    if (this.scanner.status === 'open') return to;
    if (this.scanner.status === 'broken') return this.fail(to);
    this.finishValue(to);
    return to;
  }

  private readScalar(chunk: Buffer, from: number): number {
    let to = from;
    for (; to < chunk.length; to++) {
      const byte = chunk[to] ?? 0;
      if (byte === COMMA || byte === CLOSE_BRACE || isBlank(byte)) break;
    }
    this.value.add(chunk.subarray(from, to));
    if (to === chunk.length) return to;
    if (this.value.size === 0) return this.fail(to);
    this.isScalar = false;
    this.finishValue(to);
    return to;
  }

  private finishValue(to: number): void {
    const size = this.value.size;
    const bytes = this.value.take();
    this.step = 'next';
    if (this.level === 'messages') this.giveMessage(bytes, size, to);
    else if (bytes !== undefined) this.keepOfHeader(bytes);
  }

  private keepOfHeader(bytes: Buffer): void {
    const text = bytes.toString();
    if (this.keyText === '"type"' && /^"\w{1,32}"$/.test(text)) this.type = text;
    this.headerSize += this.keyText.length + text.length;
    if (this.headerSize <= LARGEST_HEADER) this.header.push(`${this.keyText}:${text}`);
  }

  /** What a chat says about itself is an entry where it says more than that it exists. */
  private giveHeader(to: number): void {
    if (this.isIntroduced) return;
    const unusable = UNUSABLE.get(this.type);
    const isNamed = this.header.some((member) => /^"name":"[^"]/.test(member));
    this.isIntroduced = unusable !== undefined || isNamed;
    if (unusable !== undefined) {
      // Once for the file: a phone has hundreds of chats.
      if (!this.told.has(this.type)) this.problem('unreadable_input', unusable, to);
      this.told.add(this.type);
    } else if (isNamed) {
      const bytes = Buffer.from(`${this.envelope()},"header":{${this.header.join(',')}}}`);
      this.give(bytes, bytes.length, this.line + 1, to);
    }
  }

  private giveMessage(bytes: Buffer | undefined, size: number, to: number): void {
    // A problem has already said why.
    if (UNUSABLE.has(this.type)) return;
    const whole =
      bytes === undefined
        ? undefined
        : Buffer.concat([
            Buffer.from(`${this.envelope()},"row":${this.keyText},"message":`),
            bytes,
            Buffer.from('}'),
          ]);
    this.give(whole, size, this.start.line + 1, to);
  }

  private envelope(): string {
    const type = this.type === '' ? '' : `,"type":${this.type}`;
    return `{"whatsapp_chat_exporter":{"chat":${this.chat}${type}}`;
  }

  private give(bytes: Buffer | undefined, size: number, line: number, to: number): void {
    const element = this.element++;
    const after = this.placeAt(to);
    if (after.offset > this.resume) this.queue.entryWithin(bytes, size, line, after, { element });
  }

  private problem(
    reason: 'truncated_input' | 'unreadable_input' | 'not_json',
    message: string,
    to: number,
  ): void {
    const after = this.placeAt(to);
    if (after.offset > this.resume || reason === 'truncated_input')
      this.queue.problem(reason, message, this.line + 1, after);
  }

  private enter(level: Level, at: number): number {
    this.level = level;
    this.step = 'key';
    return at + 1;
  }

  private leave(at: number): number {
    // Its keys may be sorted: then its name stands behind its messages.
    if (this.level === 'chat') this.giveHeader(at + 1);
    this.step = this.level === 'chats' ? 'done' : 'next';
    this.level = this.level === 'messages' ? 'chat' : 'chats';
    return at + 1;
  }

  private fail(at: number): number {
    this.problem(
      'not_json',
      'The JSON of this export is damaged here; what came before is kept. Export it again.',
      at + 1,
    );
    this.isBroken = true;
    return at;
  }

  private placeAt(at: number): Place {
    return { offset: this.base + at, line: this.line, element: this.element };
  }
}

/** Kinds of chats whose messages have no ids. */
const UNUSABLE: ReadonlyMap<string, string> = new Map([
  [
    '"exported"',
    'Chats of this file were made from a text that WhatsApp exported: they have no message ids and cannot be replayed. Export the backup of the phone (--android or --ios).',
  ],
]);
