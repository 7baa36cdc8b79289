/**
 * Names of the time at which a row was received, most reliable first. They are compared without case, blanks and `_-.@`: `Received At`,
 * `received-at` and `receivedAt` are one.
 */
const LISTED = [
  'receivedat',
  'receivedon',
  'received',
  'createdat',
  'createdon',
  'insertedat',
  'insertedon',
  'inserted',
  'ts',
  'timestamp',
  'time',
  // Programs' and log systems' own: n8n, HAR, Hookdeck, GCP, Pub/Sub, Kinesis, Azure, Active Job, Debezium, nginx.
  'startedat',
  'starttime',
  'starteddatetime',
  'ingestedat',
  'receivetimestamp',
  'publishtime',
  'approximatearrivaltimestamp',
  'enqueuedtimeutc',
  'eventtime',
  'enqueuedat',
  'tsms',
  'timeiso8601',
  'timelocal',
  'msec',
  'failedat',
  'loggedat',
  'datetime',
  'date',
  'created',
  'epoch',
  'when',
  'at',
  't',
  // journald.
  'realtimetimestamp',
  'sourcerealtimetimestamp',
] as const;

/** What a name says about the time under it. */
export interface TimeName {
  /** `listed`: when the row was received; `other`: another time; `time`: a time, of whatever; `silent`: nothing. */
  kind: 'listed' | 'other' | 'time' | 'silent';
  /** Of the listed ones, the lowest wins. */
  rank: number;
}

const RANKS: ReadonlyMap<string, number> = new Map(LISTED.map((name, rank) => [name, rank]));

/** Names of times at which a row was not received, in English, Portuguese and Spanish. */
const OTHER =
  /expir|until|valid|next|due|dead|updat|modif|chang|delet|finish|end|stop|complet|birth|retry|process|schedul|remov|atualiz|actualiz|alterad|exclu|elimin|venc|caduc|nasc|nacim/;
const OTHER_WORDS = /(?:^| )(?:last|dob|born)(?: |$)/;

/** The last word of a name under which a number is a time. */
const SAYS_TIME =
  /(?:^| )(?:at|ts|date|em|hora|horario|quando|fecha|momento|moment)$|(?:datetime|unixtime|(?:^| )time|(?:event|log|receive|arrival|insert)time|stamp|epoch)$/;
/** The unit of a number, behind what it is. */
const UNIT =
  / (?:s|secs?|seconds|ms|msec|millis|milliseconds|us|usec|micros|microseconds|ns|nanos|nanoseconds|utc|unix)$/;

const SILENT: TimeName = { kind: 'silent', rank: Infinity };
const LONGEST_NAME = 64;
/** Names come from anyone. */
const MOST_KNOWN = 2_000;
const known = new Map<string, TimeName>();

export function timeNameOf(name: string): TimeName {
  if (name.length > LONGEST_NAME) return SILENT;
  const before = known.get(name);
  if (before !== undefined) return before;
  const read = readName(name);
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(name, read);
  return read;
}

function readName(name: string): TimeName {
  const words = wordsOf(name);
  const rank = RANKS.get(words.replaceAll(' ', ''));
  if (rank !== undefined) return { kind: 'listed', rank };
  if (OTHER.test(words) || OTHER_WORDS.test(words)) return { kind: 'other', rank: Infinity };
  return SAYS_TIME.test(words.replace(UNIT, '')) ? { kind: 'time', rank: Infinity } : SILENT;
}

/** `receivedAt`, `RECEIVED_AT` and `@Received-At` as `received at`. */
function wordsOf(name: string): string {
  return name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replace(/[\s_.:@$#/-]+/g, ' ')
    .trim()
    .toLowerCase();
}
