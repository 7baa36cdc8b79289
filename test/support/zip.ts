import { crc32, deflateRawSync } from 'node:zlib';

export interface Member {
  name: string;
  content: string | Uint8Array;
  stored?: boolean;
  flags?: number;
  method?: number;
  /** What the directory says instead of the truth. */
  bytes?: number;
  offset?: number;
  crc32?: number;
}

/** A zip archive as the format's specification has it, with a comment at its end. */
export function zipOf(members: readonly Member[], comment = 'made by a test'): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const member of members) {
    const content = Buffer.from(member.content);
    const data = member.stored === true ? content : deflateRawSync(content);
    const name = Buffer.from(member.name);
    const method = member.method ?? (member.stored === true ? 0 : 8);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(8, 6);
    local.writeUInt16LE(method, 8);
    local.writeUInt16LE(name.length, 26);
    local.writeUInt16LE(4, 28);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(member.flags ?? 8, 8);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(member.crc32 ?? crc32(content), 16);
    entry.writeUInt32LE(data.length, 20);
    entry.writeUInt32LE(member.bytes ?? content.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(member.offset ?? offset, 42);
    directory.push(entry, name);
    parts.push(local, name, Buffer.from([1, 0, 0, 0]), data);
    offset += 30 + name.length + 4 + data.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...parts, central, end, Buffer.from(comment)]);
}
