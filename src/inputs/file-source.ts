import type { Readable } from 'node:stream';
import type { Position, Source, SourceItem, SourceProblemReason } from '../model/raw-entry.js';
import { membersOf, type ArchiveMember } from './archive-members.js';
import { DamagedInputError } from './decompress.js';
import { ItemQueue, type Place, type WhichText } from './item-queue.js';
import { namedAs, nameInside, PlacesInArchive } from './log-names.js';
import {
  openChunks,
  openText,
  type ArchiveBytes,
  type DatabaseBytes,
  type OpenOptions,
  type OpenText,
} from './open-text.js';
import { isSystemError, type ResolvedInput } from './resolve-inputs.js';
import { unpackDatabase } from './exports/packed-database.js';
import { isSqlite, readDatabase } from './exports/read-database.js';
import { RowJudge } from './row-judge.js';
import { createSplitter, namesRequests, sniffFormat, type Format } from './sniff-format.js';

export interface FileSourceOptions {
  /** Read where an input is `-`. */
  stdin: Readable;
  /** Ends the reading early, without an error and without an unfinished entry. */
  signal?: AbortSignal;
  /** A larger entry is skipped and reported as `entry_too_large`. */
  maxEntryBytes: number;
  /** The `after` of the last item that was processed; the caller passes the same inputs again. */
  resume?: Position;
  /** Most bytes of an input that are looked at at once. */
  chunkBytes?: number;
  /** Called when an input has been opened and its form is known, before its first entry. */
  onOpened?: (input: OpenedInput) => void;
  /**
   * Called at the end of an archive with the files in it that are not read: hidden, a link, or no log by its name; the first
   * of them, and how many more there are.
   */
  onPassedOver?: ((paths: readonly string[], more: number) => void) | undefined;
}

/** What an input is, by its content. */
export interface OpenedInput {
  /** As in the origins of its entries. */
  path: string;
  /** Bytes on disk; undefined for stdin. */
  size: number | undefined;
  /** What it is packed in, outermost first: `gzip`, `zstd`, `utf-16le`. */
  containers: readonly string[];
  /** How it holds its entries: `ndjson`, `values`, `csv`, `console`, or a log system (`docker`, `cri`, …). */
  format: string;
}

export interface FileSource extends Source {
  /** Lines of console logs and rows of CSV files that were skipped because they hold no JSON. */
  skippedLines(): number;
}

const CHUNK_BYTES = 256 * 1024;
const TABLE_WITHOUT_JSON =
  'This is a table in which no column holds a webhook. Export it with the column of the webhook bodies.';
const CHAT_TEXT =
  'This is a chat exported from WhatsApp. A chat export has no message ids; it cannot be replayed. A backup of the phone has them: WhatsApp-Chat-Exporter (--json) for Android, ChatStorage.sqlite of an iPhone.';
const DATABASE_IN_ARCHIVE =
  'This is an SQLite database in an archive that is read from its begin to its end. Unpack it, and give the database.';
const ARCHIVE_TOO_DEEP =
  'This is an archive in an archive in an archive. Unpack the outer one, and give the files in it.';
const NO_LOGS_IN_ARCHIVE =
  'This archive holds no logs. Give an archive with webhook logs, or the logs themselves.';
/** An archive may hold archives; those in them are not opened. */
const DEEPEST_ARCHIVE = 2;
const BEGINNING: Place = { offset: 0, line: 0, element: 0 };

/** A text of the inputs, as it is named and found again. */
interface TextOfInput {
  path: string;
  /** Bytes on disk, or in the archive; undefined for stdin. */
  size: number | undefined;
  which: WhichText;
}

/** The way through an archive and those in it. */
interface ArchiveWalk {
  input: number;
  /** The number of the next file. */
  next: number;
  /** Where a resumed run goes on. */
  from: number;
  start: Place;
  open: OpenOptions;
  places: PlacesInArchive;
  passedOver: string[];
  /** Passed over, and not kept by name. */
  passedOverMore: number;
}

/** A phone's backup has more pictures than anybody reads the names of. */
const MOST_NAMED = 100;

/**
 * Reads raw entries from files and standard input, one input after the other, in constant memory.
 *
 * Compression, encoding and format are detected by content. A damaged input gives a `problem` item and reading
 * continues with the next input; only a missing zstd decompressor throws (ConfigError). Resuming after an item gives
 * exactly the items after it, except that an entry cut off by the end of its file comes again: the file may have grown
 * since.
 */
export function openFileSource(inputs: readonly ResolvedInput[], options: FileSourceOptions): FileSource {
  return new InputReader(inputs, options);
}

class InputReader implements FileSource {
  readonly totalBytes?: number;
  #inputs: readonly ResolvedInput[];
  #options: FileSourceOptions;
  #bytesOfFinished = 0;
  #bytesOfCurrent = 0;
  #skippedInFinished = 0;
  #current: ItemQueue | undefined;
  /** The last damage that was reported: an archive gives the same to the file that it stands in and to who asks for the next one. */
  #reported: unknown;

  constructor(inputs: readonly ResolvedInput[], options: FileSourceOptions) {
    this.#inputs = inputs;
    this.#options = options;
    if (inputs.every((input) => input.kind === 'file')) {
      this.totalBytes = inputs.reduce((sum, input) => sum + sizeOf(input), 0);
    }
  }

  bytesRead(): number {
    return this.#bytesOfFinished + this.#bytesOfCurrent;
  }

  skippedLines(): number {
    return this.#skippedInFinished + (this.#current?.skipped ?? 0);
  }

  async *items(): AsyncGenerator<SourceItem, void, undefined> {
    const { resume, signal } = this.#options;
    let found = resume !== undefined;
    for (const [index, input] of this.#inputs.entries()) {
      if (index >= (resume?.input ?? 0)) {
        for await (const items of this.#read(index, input)) {
          if (items.length > 0) found = true;
          for (const item of items) yield item;
        }
      }
      if (signal?.aborted === true) return;
      this.#bytesOfFinished += sizeOf(input);
      this.#bytesOfCurrent = 0;
      this.#skippedInFinished = this.skippedLines();
      this.#current = undefined;
    }
    const [first] = this.#inputs;
    if (!found && first !== undefined) {
      // One empty file among others is a quiet day; report a problem only if all files are empty.
      const queue = this.#queueFor(textOf(0, first), first.kind === 'file');
      const all = this.#inputs.length === 1 ? 'This input is empty.' : 'All inputs are empty.';
      queue.problem('no_log_entries', `${all} Check how the log was exported.`, 1);
      yield* queue.take();
    }
  }

  async *#read(index: number, input: ResolvedInput): AsyncGenerator<SourceItem[], void, undefined> {
    const { resume, signal, stdin, chunkBytes = CHUNK_BYTES } = this.#options;
    const start = resume?.input === index && input.kind === 'file' ? resume : BEGINNING;
    const onRead = (bytes: number): void => {
      this.#bytesOfCurrent = bytes;
    };
    try {
      if (input.kind === 'file' && input.member === undefined && (await isSqlite(input.absolutePath))) {
        const queue = this.#queueFor(textOf(index, input), true);
        const { path, size } = input;
        this.#options.onOpened?.({ path, size, containers: [], format: 'sqlite' });
        yield* readDatabase(input.absolutePath, queue, { start, signal, onRead });
        return;
      }
      const open = { stdin, signal, chunkBytes, onRead };
      const text = await openText(input, RowJudge.fromOf(start.offset), open);
      if (text.kind === 'sqlite') {
        yield* this.#readPacked(index, input, text, start, open);
        return;
      }
      if (text.kind === 'tar' || text.kind === 'zip') {
        const from = resume?.input === index && start !== BEGINNING ? (resume.member ?? 0) : 0;
        const walk: ArchiveWalk = {
          ...{ input: index, next: 0, from, start, open },
          ...{ places: new PlacesInArchive(), passedOver: [], passedOverMore: 0 },
        };
        yield* this.#readArchive(walk, textOf(index, input).path, text, input);
        const { passedOver, passedOverMore } = walk;
        if (passedOver.length > 0) this.#options.onPassedOver?.(passedOver, passedOverMore);
        return;
      }
      const whole = textOf(index, input);
      const queue = this.#queueFor(whole, text.kind === 'text' && text.resumable, start);
      if (text.kind === 'text') {
        yield* this.#split(whole, text, start, queue);
      } else {
        if (text.kind === 'sqlite_log') await text.close();
        queue.problem('unreadable_input', text.message, 1);
        yield queue.take();
      }
    } catch (error) {
      if (signal?.aborted === true) return;
      if (!isSystemError(error)) throw error;
      const queue = this.#queueFor(textOf(index, input), input.kind === 'file');
      queue.problem('unreadable_input', describe(error), 1);
      yield queue.take();
    }
  }

  /** The files of an archive, in its order, each under its name. */
  async *#readArchive(
    walk: ArchiveWalk,
    path: string,
    archive: ArchiveBytes,
    input?: ResolvedInput,
  ): AsyncGenerator<SourceItem[], void, undefined> {
    const { chunkBytes, signal } = walk.open;
    const isOnDisk = input?.kind === 'file' && input.member === undefined && archive.containers.length === 0;
    const onDisk = isOnDisk && archive.resumable ? input.absolutePath : undefined;
    const { resumable } = archive;
    const before = walk.next;
    let last = '';
    try {
      for await (const member of membersOf(archive, { chunkBytes, signal, onDisk })) {
        if (signal?.aborted === true) return;
        const name = nameInside(member.name);
        const inside = `${path}/${name}`;
        if (member.kind === 'directory' || (member.kind === 'file' && member.bytes === 0)) continue;
        if (isPassedOver(member, name)) passOver(walk, inside);
        else yield* this.#readMember(walk, walk.places.placeOf(inside), member, archive);
        last = name;
      }
      if (signal?.aborted === true || walk.next > before) return;
      yield* this.#report(walk, path, resumable, 'no_log_entries', NO_LOGS_IN_ARCHIVE);
    } catch (error) {
      if (signal?.aborted === true || error === this.#reported) return;
      if (!(error instanceof DamagedInputError)) throw error;
      this.#reported = error;
      const where = last === '' ? 'Nothing of this archive could be read' : `Reading stopped behind ${last}`;
      const message = `${where}: ${error.message}. What came before is kept. Fetch the file whole and replay it again.`;
      const reason = error.endsEarly ? 'truncated_input' : 'unreadable_input';
      yield* this.#report(walk, path, resumable, reason, message);
    }
  }

  async *#readMember(
    walk: ArchiveWalk,
    path: string,
    { bytes, content, unread }: ArchiveMember,
    archive: ArchiveBytes,
  ): AsyncGenerator<SourceItem[], void, undefined> {
    const { resumable } = archive;
    if (unread !== undefined) {
      yield* this.#report(walk, path, resumable, 'unreadable_input', unread);
      return;
    }
    const start = walk.next === walk.from ? walk.start : BEGINNING;
    const offset = RowJudge.fromOf(start.offset);
    const containers = [...archive.containers, archive.kind];
    const text = await openChunks(content, { containers, offset, resumable });
    if (text.kind === 'tar' || text.kind === 'zip') {
      const depth = containers.filter((step) => step === 'tar' || step === 'zip').length;
      if (depth < DEEPEST_ARCHIVE) {
        yield* this.#readArchive(walk, path, text);
        return;
      }
    }
    if (text.kind !== 'text') {
      if (text.kind !== 'unreadable') await text.close();
      const message =
        text.kind === 'sqlite'
          ? DATABASE_IN_ARCHIVE
          : text.kind === 'tar' || text.kind === 'zip'
            ? ARCHIVE_TOO_DEEP
            : text.message;
      yield* this.#report(walk, path, resumable, 'unreadable_input', message);
      return;
    }
    const member = walk.next++;
    if (member < walk.from) {
      await text.close();
      return;
    }
    const whole: TextOfInput = { path, size: bytes, which: { input: walk.input, member } };
    yield* this.#split(whole, text, start, this.#queueFor(whole, resumable, start));
    this.#skippedInFinished = this.skippedLines();
    this.#current = undefined;
  }

  /** What is said of a file of an archive, or of all of it; counted as a file, so that a resumed run says it once. */
  *#report(
    walk: ArchiveWalk,
    path: string,
    resumable: boolean,
    reason: SourceProblemReason,
    message: string,
  ): Generator<SourceItem[], void, undefined> {
    const member = walk.next++;
    if (member < walk.from) return;
    const which = { input: walk.input, member };
    const queue = this.#queueFor({ path, size: undefined, which }, resumable);
    queue.problem(reason, message, 1);
    yield queue.take();
  }

  /** A database that SQLite cannot read where it is: in an archive, compressed, or from a pipe. */
  async *#readPacked(
    index: number,
    input: ResolvedInput,
    bytes: DatabaseBytes,
    start: Place,
    open: OpenOptions,
  ): AsyncGenerator<SourceItem[], void, undefined> {
    const whole = textOf(index, input);
    const queue = this.#queueFor(whole, bytes.resumable);
    const { path, size } = whole;
    this.#options.onOpened?.({ path, size, containers: bytes.containers, format: 'sqlite' });
    try {
      const copy = await unpackDatabase(input, bytes, open);
      try {
        yield* readDatabase(copy.path, queue, { start, signal: open.signal, onRead: () => undefined });
      } finally {
        await copy.remove();
      }
    } catch (error) {
      if (!(error instanceof DamagedInputError)) throw error;
      const reason = error.endsEarly ? 'truncated_input' : 'unreadable_input';
      queue.problem(reason, `The database in it cannot be unpacked: ${error.message}. Fetch it whole.`, 1);
      yield queue.take();
    }
  }

  async *#split(
    { path, size }: TextOfInput,
    text: OpenText,
    start: Place,
    queue: ItemQueue,
  ): AsyncGenerator<SourceItem[], void, undefined> {
    const { signal } = this.#options;
    const format = sniffFormat(text.head);
    this.#options.onOpened?.({
      path,
      size,
      containers: text.containers,
      format: format.kind === 'framed' ? format.form : format.kind,
    });
    if (format.kind === 'table_without_json' || format.kind === 'chat_text') {
      const message = format.kind === 'chat_text' ? CHAT_TEXT : TABLE_WITHOUT_JSON;
      queue.problem('unreadable_input', message, 1);
      await text.close();
      yield queue.take();
      return;
    }
    this.#current = queue;
    // What is before the place where a run resumes only shows how the lines are written.
    const offset = format.kind === 'chat_exporter' ? text.offset : Math.max(start.offset, text.offset);
    const splitter = createSplitter(format, queue, { ...start, offset }, start.offset);
    const judge = judgeFor(format, text.offset, { ...start, offset }, queue);
    const take = (): SourceItem[] => judge?.settle(queue.take()) ?? queue.take();
    let at = text.offset;
    try {
      for await (const chunk of text.chunks) {
        if (signal?.aborted === true) return;
        judge?.push(chunk);
        const before = Math.min(chunk.length, Math.max(0, offset - at));
        if (before < chunk.length) splitter.push(chunk.subarray(before));
        at += chunk.length;
        yield take();
      }
      splitter.end(false);
      queue.end();
      judge?.end(false);
    } catch (error) {
      if (signal?.aborted === true) return;
      const damaged = error instanceof DamagedInputError;
      if (!damaged && !isSystemError(error)) throw error;
      this.#reported = error;
      splitter.end(true);
      queue.end();
      judge?.end(true);
      queue.problem(damaged ? 'truncated_input' : 'unreadable_input', describe(error), splitter.line + 1);
      yield take();
      return;
    }
    const skipsLines = format.kind === 'console' || format.kind === 'framed' || format.kind === 'sql';
    const isChatter = format.kind === 'ndjson' && queue.skipped > 0;
    if ((skipsLines || isChatter) && queue.found === 0 && start.offset === 0) {
      queue.problem('no_log_entries', whyNothing(format.kind, text.head), 1);
    }
    yield take();
  }

  #queueFor({ path, which }: TextOfInput, resumable: boolean, start?: Place): ItemQueue {
    return new ItemQueue(path, which, resumable, this.#options.maxEntryBytes, start);
  }
}

/** Who tells how the lines of a log are written that can be read in two ways; a table and a dump tell it themselves. */
function judgeFor({ kind }: Format, from: number, start: Place, queue: ItemQueue): RowJudge | undefined {
  if (kind !== 'ndjson' && kind !== 'console' && kind !== 'framed') return undefined;
  return new RowJudge({
    from,
    start,
    after: queue.begin,
    maxLineBytes: queue.maxEntryBytes,
    inCells: kind !== 'console',
  });
}

/** Why a text of lines holds no entry, and what to provide instead. */
function whyNothing(kind: string, head: Buffer): string {
  if (namesRequests(head)) {
    return 'This is the log of nginx or another web server without the bodies of its requests. nginx keeps them with $request_body in its log_format and a client_body_buffer_size larger than any of them.';
  }
  const what = kind === 'ndjson' ? 'These are only lines of a program’s logger.' : 'This text holds no JSON.';
  return `${what} Give the log of the webhook bodies.`;
}

function textOf(index: number, input: ResolvedInput): TextOfInput {
  const which = { input: index };
  return input.kind === 'stdin'
    ? { path: 'stdin', size: undefined, which }
    : { path: input.path, size: input.size, which };
}

function passOver(walk: ArchiveWalk, path: string): void {
  if (walk.passedOver.length < MOST_NAMED) walk.passedOver.push(path);
  else walk.passedOverMore++;
}

function isPassedOver({ kind }: ArchiveMember, name: string): boolean {
  if (kind !== 'file' || /-(?:wal|shm|journal)$/i.test(name)) return true;
  const named = namedAs(name);
  return named === 'left_behind' || named === 'hidden' || named === 'no_log';
}

function sizeOf(input: ResolvedInput): number {
  return input.kind === 'file' ? input.size : 0;
}

function describe(error: Error): string {
  return error instanceof DamagedInputError
    ? `Reading stopped in this line: ${error.message}. What came before is kept. Fetch the file whole and replay it again.`
    : `This cannot be read: ${error.message}`;
}
