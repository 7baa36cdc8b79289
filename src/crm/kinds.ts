/**
 * What a row holds, as far as its CRM says so truthfully: a kind of message, a file of a MIME type, `other` for anything but a text, or `nothing` where its
 * content is gone.
 */
export const CONTENT_KINDS = [
  'text',
  'image',
  'video',
  'audio',
  'sticker',
  'document',
  'location',
  'contacts',
  'image_file',
  'video_file',
  'audio_file',
  'other',
  'nothing',
] as const;
export type ContentKind = (typeof CONTENT_KINDS)[number];

const TYPES: Readonly<Record<string, string>> = {
  application: 'document',
  chat: 'text',
  contact: 'contacts',
  contactcard: 'contacts',
  contactsarray: 'contacts',
  conversation: 'text',
  extendedtext: 'text',
  file: 'document',
  incoming: 'text',
  livelocation: 'location',
  ptt: 'audio',
  ptv: 'video',
  vcard: 'contacts',
  voice: 'audio',
};

/** Maps a CRM's name for a type to Meta's. */
export function metaTypeOf(word: string): string {
  const plain = word.replace(/(?:With\w+)?Message(?:V\d)?$/, '').toLowerCase();
  return TYPES[plain] ?? (plain === '' ? 'text' : plain);
}

/** Kinds that every channel names alike; of other contents one channel's copy may say `text` and another's `interactive`. */
const COMPARED: ReadonlySet<string> = new Set([
  'text',
  'image',
  'video',
  'audio',
  'sticker',
  'document',
  'location',
  'contacts',
]);

/** The kind of a type, a CRM's or ours; null for one that channels name differently. */
export function kindOfType(word: string): ContentKind | null {
  const type = metaTypeOf(word);
  if (type === 'poll' || type === 'pollcreation') return 'other';
  return CONTENT_KINDS.find((kind) => kind === type && COMPARED.has(kind)) ?? null;
}

/**
 * For a CRM whose word is the type of a file, or its own: all that it proves is that the row is no text.
 */
export function kindIfNoText(word: string): ContentKind[] {
  const kind = kindOfType(word);
  return kind === null || kind === 'text' ? [] : ['other', ...kindOfFile(word)];
}

/** For a word that is the type of a file, half of its MIME type. */
export function kindOfFile(word: string): ContentKind[] {
  const kind = kindOfType(word);
  return kind === 'image' || kind === 'video' || kind === 'audio' ? [`${kind}_file`] : [];
}

/** What a file of a MIME type can be sent as; a document is of any. */
const SENT_AS: ReadonlyMap<string, readonly ContentKind[]> = new Map([
  ['image_file', ['image', 'sticker']],
  ['video_file', ['video', 'sticker']],
  ['audio_file', ['audio']],
]);
/** Kinds of which the type of the file tells. */
const TOLD_BY_FILE: ReadonlySet<string> = new Set(['image', 'video', 'audio', 'sticker']);

const FILES: ReadonlySet<string> = new Set(['image', 'video', 'audio', 'sticker', 'document']);

/** Whether a row of these kinds is something else than a message of this type. */
export function isOtherKind(messageType: string, kinds: readonly string[]): boolean {
  const own = kindOfType(messageType);
  if (own === null || own === 'other') return false;
  return kinds.some((kind) => {
    if (kind === own) return false;
    if (kind === 'other') return own === 'text';
    const sentAs = SENT_AS.get(kind);
    if (sentAs !== undefined) return TOLD_BY_FILE.has(own) && !sentAs.includes(own);
    // What a CRM has no form for is a text that describes it.
    return kind !== 'text' || FILES.has(own);
  });
}

/** Files whose body is their caption. */
export const CAPTIONED: ReadonlySet<string> = new Set(['image', 'video', 'document']);
