/** A file of an archive; `type` as in its header. */
export interface TarFile {
  name: string;
  content?: string | Uint8Array;
  type?: string;
  link?: string;
  /** `v7`: without the word that later formats have. */
  format?: 'ustar' | 'gnu' | 'v7';
  /** What an extended header before it says. */
  pax?: Readonly<Record<string, string>>;
  /** Instead of the truth. */
  bytes?: number;
}

/** A tar archive as POSIX has it, with the two blocks of its end. */
export function tarOf(files: readonly TarFile[]): Buffer {
  return Buffer.concat([...files.map(fileOf), Buffer.alloc(1024)]);
}

function fileOf(file: TarFile): Buffer {
  const { name, content = '', pax } = file;
  const data = Buffer.from(content);
  const parts: Buffer[] = [];
  if (pax !== undefined) {
    const records = Buffer.from(Object.entries(pax).map(recordOf).join(''));
    parts.push(headerOf({ name: 'PaxHeader', type: 'x' }, records.length), filled(records));
  }
  if (Buffer.byteLength(name) > 100) {
    const long = Buffer.from(`${name}\0`);
    parts.push(headerOf({ name: '././@LongLink', type: 'L', format: 'gnu' }, long.length), filled(long));
  }
  return Buffer.concat([...parts, headerOf(file, file.bytes ?? data.length), filled(data)]);
}

/** Its length counts its own digits. */
function recordOf([key, value]: [string, string]): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + 1;
  while (rest + String(length).length !== length) length++;
  return `${length} ${key}=${value}\n`;
}

function headerOf({ name, type = '0', link = '', format = 'ustar' }: TarFile, bytes: number): Buffer {
  const header = Buffer.alloc(512);
  header.write(Buffer.from(name).subarray(0, 100).toString('latin1'), 0, 'latin1');
  header.write('0000644\0', 100);
  header.write(`${bytes.toString(8).padStart(11, '0')}\0`, 124);
  header.write('        ', 148);
  header.write(format === 'v7' && type === '0' ? '\0' : type, 156);
  header.write(link, 157);
  if (format !== 'v7') header.write(format === 'gnu' ? 'ustar  \0' : 'ustar\x0000', 257, 'latin1');
  const sum = header.reduce((all, byte) => all + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** Up to the next block. */
function filled(data: Buffer): Buffer {
  return Buffer.concat([data, Buffer.alloc((512 - (data.length % 512)) % 512)]);
}
