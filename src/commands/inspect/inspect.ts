import { decodeEntry } from '../../decode/decode-entry.js';
import { openFileSource, type OpenedInput } from '../../inputs/file-source.js';
import type { DecodedEntry } from '../../model/facts.js';
import { formatOrigin, type SourceItem } from '../../model/raw-entry.js';
import { FileTally, Findings } from './file-tally.js';
import type { InspectOptions, InspectResult } from './types.js';

/** Entries between progress reports. */
const TELL_EVERY = 1_000;

/**
 * Reports each input's form, its contents and what is not understood, without a database: reads everything once,
 * decodes it as a replay does, and keeps only counts.
 */
export async function inspect(options: InspectOptions): Promise<InspectResult> {
  const { signal, emit } = options;
  const files = new Map<string, FileTally>();
  const all = new Findings();
  const fileOf = (path: string, input?: OpenedInput): FileTally => {
    const known = files.get(path);
    if (known !== undefined) return known;
    const file = new FileTally(path, input);
    files.set(path, file);
    return file;
  };
  let skippedBefore = 0;
  let opened: FileTally | undefined;
  const leave = (): void => {
    const skipped = source.skippedLines();
    if (opened !== undefined) opened.skippedLines = skipped - skippedBefore;
    skippedBefore = skipped;
  };
  const source = openFileSource(options.inputs, {
    stdin: options.stdin,
    signal,
    maxEntryBytes: options.maxEntryBytes,
    onPassedOver: options.onPassedOver,
    onOpened: (input) => {
      leave();
      opened = fileOf(input.path, input);
    },
  });
  for await (const item of source.items()) {
    const { origin } = item.kind === 'entry' ? item.entry : item.problem;
    take(item, fileOf(origin.kind === 'file' ? origin.path : formatOrigin(origin)), all);
    if (item.kind === 'entry' && all.entries % TELL_EVERY === 0) {
      emit({
        event: 'progress',
        bytesRead: source.bytesRead(),
        ...(source.totalBytes === undefined ? {} : { bytesTotal: source.totalBytes }),
        entries: all.entries,
        messages: all.counts.messages,
        origin: formatOrigin(origin),
      });
    }
  }
  leave();
  const notUnderstood = all.notUnderstoodList();
  return {
    schemaVersion: 1,
    command: 'inspect',
    status: signal.aborted ? 'interrupted' : notUnderstood.length > 0 ? 'partial' : 'completed',
    files: [...files.values()].map((file) => file.result()),
    entries: all.entries,
    counts: all.counts,
    connections: all.connections(),
    notUnderstood,
  };
}

function take(item: SourceItem, file: FileTally, all: Findings): void {
  const both = [file.findings, all];
  if (item.kind === 'problem') {
    const { reason, message, origin } = item.problem;
    const sample = { origin: formatOrigin(origin), path: '$', message, excerpt: '' };
    for (const findings of both) findings.notUnderstood(reason, sample);
    return;
  }
  const { bytes, origin, receivedAt } = item.entry;
  const place = formatOrigin(origin);
  const decoded = decodeEntry(bytes, {
    include: new Set(),
    ...(receivedAt === undefined ? {} : { receivedAt }),
  });
  for (const findings of both) {
    findings.entries++;
    findings.received.add(receivedAt);
    if (decoded.kind === 'decoded') findings.entry(decoded.entry, place);
    else {
      const { reason, message } = decoded;
      findings.notUnderstood(reason, { origin: place, path: '$', message, excerpt: '' });
    }
  }
  file.form(commonVia(decoded.kind === 'decoded' ? decoded.entry : undefined));
}

/** The wrappers shared by all bodies of an entry: an entry has one form, so a file's forms sum to its entries. */
function commonVia(entry: DecodedEntry | undefined): readonly string[] {
  const [first = [], ...others] = entry?.sections.map(({ via = [] }) => via) ?? [];
  const end = first.findIndex((step, i) => others.some((via) => via[i] !== step));
  return end === -1 ? first : first.slice(0, end);
}
