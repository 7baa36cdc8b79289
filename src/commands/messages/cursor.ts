import { createHash } from 'node:crypto';
import { ConfigError } from '../../model/errors.js';
import type { PagePosition, TimeWindow } from '../../store/queries/message-pages.js';

/** What a cursor carries between pages. */
export interface Cursor {
  /** The last message of the previous page. */
  position: PagePosition;
  /** As resolved for the first page: `2d` must not move while a person turns pages. */
  window: TimeWindow;
  /**
   * As counted for the first page: counting 100,000 messages again for each of 1000 pages would cost more than the
   * pages.
   */
  total: number;
  totalMessages: number;
}

const VERSION = 1;
/** Version, check, binding, flags, then: timestamp, id, from, to, total, totalMessages. */
const CHECK_AT = 1;
const BINDING_AT = 5;
const FLAGS_AT = 11;
const BODY_AT = 12;
const LENGTH = BODY_AT + 6 + 16 + 4 * 6;
const HAS_FROM = 1;
const HAS_TO = 2;

/** An opaque word for URLs and shells. `binding`: everything else that the next request must repeat. */
export function encodeCursor(cursor: Cursor, binding: string): string {
  const bytes = Buffer.alloc(LENGTH);
  bytes.writeUInt8(VERSION, 0);
  bindingOf(binding).copy(bytes, BINDING_AT);
  const { from, to } = cursor.window;
  bytes.writeUInt8((from === undefined ? 0 : HAS_FROM) | (to === undefined ? 0 : HAS_TO), FLAGS_AT);
  bytes.writeIntBE(cursor.position.timestamp, BODY_AT, 6);
  bytes.write(cursor.position.id.replaceAll('-', ''), BODY_AT + 6, 'hex');
  [from ?? 0, to ?? 0, cursor.total, cursor.totalMessages].forEach((value, index) => {
    bytes.writeIntBE(value, BODY_AT + 22 + 6 * index, 6);
  });
  checkOf(bytes).copy(bytes, CHECK_AT);
  return bytes.toString('base64url');
}

/** Throws ConfigError `invalid_cursor` for a damaged cursor, and for one of another contact or other filters. */
export function decodeCursor(text: string, binding: string): Cursor {
  const bytes = Buffer.from(text, 'base64url');
  // Buffer ignores invalid base64: only text that round-trips is a cursor.
  const whole = bytes.length === LENGTH && bytes.toString('base64url') === text;
  if (
    !whole ||
    bytes.readUInt8(0) !== VERSION ||
    !checkOf(bytes).equals(bytes.subarray(CHECK_AT, BINDING_AT))
  ) {
    throw invalidCursor('This cursor is damaged, or another version made it.');
  }
  if (!bindingOf(binding).equals(bytes.subarray(BINDING_AT, FLAGS_AT))) {
    throw invalidCursor('This cursor belongs to another contact, or to other filters.');
  }
  const flags = bytes.readUInt8(FLAGS_AT);
  const at = (index: number): number => bytes.readIntBE(BODY_AT + 22 + 6 * index, 6);
  return {
    position: {
      timestamp: bytes.readIntBE(BODY_AT, 6),
      id: uuidOf(bytes.toString('hex', BODY_AT + 6, BODY_AT + 22)),
    },
    window: {
      ...((flags & HAS_FROM) === 0 ? {} : { from: at(0) }),
      ...((flags & HAS_TO) === 0 ? {} : { to: at(1) }),
    },
    total: at(2),
    totalMessages: at(3),
  };
}

function invalidCursor(message: string): ConfigError {
  return new ConfigError(message, {
    code: 'invalid_cursor',
    remedy:
      'Give the cursor of the last page with the same contact, --since, --until and --connection; or leave it out to begin with the newest page.',
    inProgram:
      'Give the cursor of the last page with the same contact, since, until and connection; or leave it out to begin with the newest page.',
  });
}

/** Four bytes to detect a cut or mistyped cursor. */
function checkOf(bytes: Buffer): Buffer {
  return digest(bytes.subarray(BINDING_AT)).subarray(0, BINDING_AT - CHECK_AT);
}

function bindingOf(binding: string): Buffer {
  return digest(binding).subarray(0, FLAGS_AT - BINDING_AT);
}

function digest(data: string | Buffer): Buffer {
  return createHash('sha256').update(data).digest();
}

function uuidOf(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
