import { extname, join } from 'node:path';
import { copyKeptFile } from '../../commands/export/copy-file.js';
import type {
  ExportedConversation,
  ExportedFile,
  ExportedMessage,
  ExportSink,
} from '../../commands/export/types.js';
import type { Io } from '../io.js';
import { openItemsFile, type ItemsFile } from '../items-file.js';
import { writeFailed } from '../output.js';
import type { Form, FormWriter, IndexWriter, WrittenMessage } from './form.js';
import { fileNamePart } from './harmless.js';
import { stageDirectory, type StagedDirectory } from './staged-directory.js';
import { nameOf } from './words.js';

/** The place of an export: stdout, a file, or a directory with a file for each conversation. */
export type Target = { kind: 'stdout' } | { kind: 'file' | 'directory'; path: string };

export interface TranscriptOptions {
  target: Target;
  form: Form;
  /** Copies the kept files beside it. */
  media: boolean;
  writer: () => FormWriter;
  index: () => IndexWriter;
}

export interface Transcript extends ExportSink {
  /** Gives everything its name. */
  finish: () => Promise<void>;
  /** Leaves no trace; harmless after `finish`. */
  discard: () => Promise<void>;
  files: { copied: number; missing: number };
}

const MEDIA = 'media';

/** Opens the place of an export before the work. Throws ConfigError where nothing can be written. */
export async function openTranscript(
  options: TranscriptOptions,
  io: Pick<Io, 'cwd' | 'stdout'>,
): Promise<Transcript> {
  return options.target.kind === 'directory'
    ? openDirectory(options, options.target.path, io)
    : openFile(options, options.target.kind === 'stdout' ? '-' : options.target.path, io);
}

/** One file; copies lie in `NAME-media` beside it. */
async function openFile(
  { media, writer: open }: TranscriptOptions,
  path: string,
  io: Pick<Io, 'cwd' | 'stdout'>,
): Promise<Transcript> {
  const beside = media ? `${path.slice(0, path.length - extname(path).length)}-${MEDIA}` : undefined;
  const copies = new Copies(beside === undefined ? undefined : await stageDirectory(beside, io));
  const file = await openItemsFile('-o', path, io, { isPrivate: true }).catch(async (error: unknown) => {
    await copies.directory?.discard();
    throw error;
  });
  const writer = open();
  const prefix = beside === undefined ? '' : `${encodeURIComponent(lastPart(beside))}/`;
  return {
    files: copies.counts,
    begin: (conversation) => write(file, writer.begin(conversation)),
    messages: async (messages) => write(file, writer.messages(await copies.link(messages, prefix))),
    end: () => write(file, writer.end()),
    finish: async () => {
      await copies.finish();
      await file.finish();
    },
    discard: async () => {
      await file.discard();
      await copies.directory?.discard();
    },
  };
}

/** A file for each conversation, and one that lists them. */
async function openDirectory(
  { form, media, writer: open, index: openIndex }: TranscriptOptions,
  path: string,
  io: Pick<Io, 'cwd' | 'stdout'>,
): Promise<Transcript> {
  const directory = await stageDirectory(path, io);
  const create = (name: string): Promise<ItemsFile> =>
    openItemsFile('-o', join(directory.path, name), io, { isPrivate: true });
  try {
    const copies = new Copies(media ? await stageDirectory(join(directory.path, MEDIA), io) : undefined);
    const index = openIndex();
    const list = await create(`index.${form}`);
    await write(list, index.begin());
    const names = new Names(form);
    let file: ItemsFile | undefined;
    let writer = open();
    let name = '';
    return {
      files: copies.counts,
      begin: async (conversation) => {
        name = names.of(conversation);
        writer = open();
        file = await create(name);
        await write(file, writer.begin(conversation));
      },
      messages: async (messages) => {
        await write(file, writer.messages(await copies.link(messages, `${MEDIA}/`)));
      },
      end: async (conversation) => {
        await write(file, writer.end());
        await file?.finish();
        file = undefined;
        await write(list, index.entry({ conversation, file: name }));
      },
      finish: async () => {
        await write(list, index.end());
        await list.finish();
        await copies.finish();
        await directory.finish();
      },
      discard: async () => {
        await file?.discard();
        await list.discard();
        await directory.discard();
      },
    };
  } catch (error) {
    await directory.discard();
    throw error;
  }
}

async function write(file: ItemsFile | undefined, text: string): Promise<void> {
  if (file === undefined) throw new Error('a message before its conversation');
  if (text !== '') await file.line(text.replace(/\n$/, ''));
}

/** The copies of kept files. */
class Copies {
  readonly counts = { copied: 0, missing: 0 };

  constructor(readonly directory: StagedDirectory | undefined) {}

  async link(messages: readonly ExportedMessage[], prefix: string): Promise<WrittenMessage[]> {
    const linked: WrittenMessage[] = [];
    for (const message of messages) {
      const copy = message.file === null ? null : await this.copy(message.file);
      linked.push({ message, link: copy === null ? null : `${prefix}${copy}` });
    }
    return linked;
  }

  /** A directory without a file is none. */
  async finish(): Promise<void> {
    if (this.counts.copied > 0) await this.directory?.finish();
    else await this.directory?.discard();
  }

  private async copy(file: ExportedFile): Promise<string | null> {
    if (this.directory === undefined) return null;
    const { path, target } = this.directory;
    const name = await copyKeptFile(file, path).catch((error: unknown) => {
      throw writeFailed(target, error);
    });
    this.counts[name === null ? 'missing' : 'copied'] += 1;
    return name;
  }
}

/** Names of files: who it is, and the end of the conversation's id. */
class Names {
  private readonly taken = new Set<string>();

  constructor(private readonly form: Form) {}

  of(conversation: ExportedConversation): string {
    const id = conversation.ids.join('-').replaceAll('-', '');
    const who = fileNamePart(nameOf(conversation));
    const short = `${who}-${id.slice(-12)}`;
    // Some file systems do not tell capitals apart.
    const name = this.taken.has(short.toLowerCase()) ? `${who}-${id}` : short;
    this.taken.add(name.toLowerCase());
    return `${name.replace(/^-/, '')}.${this.form}`;
  }
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
