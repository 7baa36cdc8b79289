import { wallTimeAt, type WallTime } from '../../src/model/time.js';

/** A message as a phone shows it, before it is written into a chat export. Independent of how the tool reads one. */
export interface PhoneMessage {
  /** ms since 1970. */
  at: number;
  sender: string;
  shows:
    | { kind: 'text'; text: string; isEdited?: boolean }
    | { kind: 'file'; file: PhoneFile; caption: string; ownName?: string }
    | { kind: 'deleted' };
}

export type PhoneFile = 'image' | 'video' | 'audio' | 'sticker' | 'document';

/** How one kind of phone, in one language, writes a chat. */
export interface ChatForm {
  name: string;
  isIos: boolean;
  prefix: (time: WallTime) => string;
  omitted: Readonly<Record<PhoneFile, string>>;
  attached: (fileName: string) => string;
  edited: string;
  deleted: string;
}

const two = (value: number): string => String(value).padStart(2, '0');
const hour12 = (hour: number): number => (hour % 12 === 0 ? 12 : hour % 12);
const clock = ({ hour, minute }: WallTime): string => `${two(hour)}:${two(minute)}`;
const withSeconds = (time: WallTime): string => `${clock(time)}:${two(time.second)}`;
const everyKind = (words: string): ChatForm['omitted'] => ({
  image: words,
  video: words,
  audio: words,
  sticker: words,
  document: words,
});

export const CHAT_FORMS: readonly ChatForm[] = [
  {
    name: 'Android, Brazil',
    isIos: false,
    prefix: (t) => `${two(t.day)}/${two(t.month)}/${t.year} ${clock(t)} - `,
    omitted: everyKind('<Mídia oculta>'),
    attached: (file) => `${file} (arquivo anexado)`,
    edited: ' <Mensagem editada>',
    deleted: 'Mensagem apagada',
  },
  {
    name: 'Android, United States, 12 hours',
    isIos: false,
    prefix: (t) =>
      `${t.month}/${t.day}/${two(t.year % 100)}, ${hour12(t.hour)}:${two(t.minute)}\u202f${t.hour < 12 ? 'AM' : 'PM'} - `,
    omitted: everyKind('<Media omitted>'),
    attached: (file) => `\u200e${file} (file attached)`,
    edited: ' <This message was edited>',
    deleted: 'This message was deleted',
  },
  {
    name: 'Android, Spain, 12 hours',
    isIos: false,
    prefix: (t) =>
      `${t.day}/${t.month}/${t.year}, ${hour12(t.hour)}:${two(t.minute)} ${t.hour < 12 ? 'a' : 'p'}.\u00a0m. - `,
    omitted: everyKind('<Multimedia omitido>'),
    attached: (file) => `${file} (archivo adjunto)`,
    edited: ' <Este mensaje fue editado>',
    deleted: 'Se eliminó este mensaje.',
  },
  {
    name: 'Android, Germany',
    isIos: false,
    prefix: (t) => `${two(t.day)}.${two(t.month)}.${two(t.year % 100)}, ${clock(t)} - `,
    omitted: everyKind('<Medien ausgelassen>'),
    attached: (file) => `${file} (Datei angehängt)`,
    edited: ' <Diese Nachricht wurde bearbeitet.>',
    deleted: 'Diese Nachricht wurde gelöscht.',
  },
  {
    name: 'Android, Netherlands',
    isIos: false,
    prefix: (t) => `${two(t.day)}-${two(t.month)}-${t.year} ${clock(t)} - `,
    omitted: everyKind('<Media weggelaten>'),
    attached: (file) => `${file} (bestand bijgevoegd)`,
    edited: ' <Dit bericht is bewerkt>',
    deleted: 'Dit bericht is verwijderd',
  },
  {
    name: 'Android, Canada',
    isIos: false,
    prefix: (t) =>
      `${t.year}-${two(t.month)}-${two(t.day)}, ${hour12(t.hour)}:${two(t.minute)}\u202f${t.hour < 12 ? 'a' : 'p'}.m. - `,
    omitted: everyKind('<Media omitted>'),
    attached: (file) => `${file} (file attached)`,
    edited: ' <This message was edited>',
    deleted: 'You deleted this message',
  },
  {
    name: 'iPhone, Brazil',
    isIos: true,
    prefix: (t) => `[${two(t.day)}/${two(t.month)}/${t.year}, ${withSeconds(t)}] `,
    omitted: {
      image: 'imagem ocultada',
      video: 'vídeo omitido',
      audio: 'áudio ocultado',
      sticker: 'figurinha omitida',
      document: 'documento omitido',
    },
    attached: (file) => `<anexado: ${file}>`,
    edited: ' \u200e<Mensagem editada>',
    deleted: '\u200eMensagem apagada',
  },
  {
    name: 'iPhone, United States, 12 hours',
    isIos: true,
    prefix: (t) =>
      `[${t.month}/${t.day}/${two(t.year % 100)}, ${hour12(t.hour)}:${two(t.minute)}:${two(t.second)}\u202f${t.hour < 12 ? 'AM' : 'PM'}] `,
    omitted: {
      image: 'image omitted',
      video: 'video omitted',
      audio: 'audio omitted',
      sticker: 'sticker omitted',
      document: 'document omitted',
    },
    attached: (file) => `<attached: ${file}>`,
    edited: ' \u200e<This message was edited>',
    deleted: '\u200eYou deleted this message.',
  },
  {
    name: 'iPhone, Germany',
    isIos: true,
    prefix: (t) => `[${two(t.day)}.${two(t.month)}.${two(t.year % 100)}, ${withSeconds(t)}] `,
    omitted: {
      image: 'Bild weggelassen',
      video: 'Video weggelassen',
      audio: 'Audio weggelassen',
      sticker: 'Sticker weggelassen',
      document: 'Dokument weggelassen',
    },
    attached: (file) => `<Anhang: ${file}>`,
    edited: ' \u200e<Diese Nachricht wurde bearbeitet.>',
    deleted: '\u200eDiese Nachricht wurde gelöscht.',
  },
];

export interface ChatWriting {
  form: ChatForm;
  timeZone: string;
  /** Whether the chat was exported with its files. */
  withFiles: boolean;
}

/** Writes a chat; `lineOf` says on which line each message begins. */
export function writeChat(
  messages: readonly PhoneMessage[],
  { form, timeZone, withFiles }: ChatWriting,
): { text: string; lineOf: number[] } {
  const lines: string[] = [];
  const lineOf = messages.map((message, index) => {
    const begins = lines.length + 1;
    const words = wordsOf(message, index, form, withFiles);
    const isMarked = form.isIos && words.startsWith('\u200e');
    const time = wallTimeAt(message.at, timeZone);
    const line = `${isMarked ? '\u200e' : ''}${form.prefix(time)}${message.sender}: ${words}`;
    lines.push(...line.split('\n'));
    return begins;
  });
  return { text: `${lines.join('\n')}\n`, lineOf };
}

function wordsOf({ shows, at }: PhoneMessage, index: number, form: ChatForm, withFiles: boolean): string {
  switch (shows.kind) {
    case 'text':
      return shows.isEdited === true ? `${shows.text}${form.edited}` : shows.text;
    case 'deleted':
      return form.deleted;
    case 'file': {
      const { file, caption, ownName } = shows;
      if (!withFiles) {
        // Android drops the caption with the file.
        if (!form.isIos) return form.omitted[file];
        return `${caption === '' ? '' : `${caption} `}\u200e${form.omitted[file]}`;
      }
      const attached = form.attached(ownName ?? fileName(file, at, index, form.isIos));
      if (form.isIos) return `${caption === '' ? '' : `${caption} `}\u200e${attached}`;
      return caption === '' ? attached : `${attached}\n${caption}`;
    }
  }
}

const ANDROID_NAMES = {
  image: ['IMG', 'jpg'],
  video: ['VID', 'mp4'],
  audio: ['PTT', 'opus'],
  sticker: ['STK', 'webp'],
  document: ['DOC', 'pdf'],
} as const;
const IOS_NAMES = {
  image: 'PHOTO',
  video: 'VIDEO',
  audio: 'AUDIO',
  sticker: 'STICKER',
  document: 'DOC',
} as const;

function fileName(file: PhoneFile, at: number, index: number, isIos: boolean): string {
  const day = new Date(at).toISOString().slice(0, 10);
  const [token, extension] = ANDROID_NAMES[file];
  const number = String(index).padStart(isIos ? 8 : 4, '0');
  return isIos
    ? `${number}-${IOS_NAMES[file]}-${day}-08-14-02.${extension}`
    : `${token}-${day.replaceAll('-', '')}-WA${number}.${extension}`;
}
