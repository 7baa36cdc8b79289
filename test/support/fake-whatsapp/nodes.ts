import { randomBytes } from 'node:crypto';
import { type BinaryNode, getBinaryNodeChild, S_WHATSAPP_NET } from '@whiskeysockets/baileys';

/** A stanza, or a part of one. */
export function node(
  tag: string,
  attrs: Record<string, string> = {},
  content?: BinaryNode['content'],
): BinaryNode {
  return content === undefined ? { tag, attrs } : { tag, attrs, content };
}

/** The answer that settles a query. */
export function resultOf(query: BinaryNode, content: BinaryNode[] = []): BinaryNode {
  return node('iq', { id: attribute(query, 'id'), type: 'result', from: S_WHATSAPP_NET }, content);
}

export function child(of: BinaryNode, tag: string): BinaryNode | undefined {
  return getBinaryNodeChild(of, tag);
}

export function children(of: BinaryNode | undefined): BinaryNode[] {
  return Array.isArray(of?.content) ? of.content : [];
}

/** An attribute that the sender must have given; throws without it. */
export function attribute(of: BinaryNode, name: string): string {
  const value = of.attrs[name];
  if (value === undefined) throw new Error(`<${of.tag}> came without ${name}`);
  return value;
}

/** The bytes of a child that the sender must have given; throws without it. */
export function bytesOf(of: BinaryNode | undefined, tag: string): Buffer {
  const content = of === undefined ? undefined : child(of, tag)?.content;
  if (content === undefined || Array.isArray(content)) throw new Error(`<${tag}> came without content`);
  return Buffer.from(content);
}

/** A number of so many bytes, the most significant first, as WhatsApp writes key and registration ids. */
export function bigEndian(value: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUIntBE(value, 0, length);
  return bytes;
}

export function unixSeconds(): string {
  return String(Math.floor(Date.now() / 1000));
}

export function messageId(): string {
  return randomBytes(8).toString('hex').toUpperCase();
}
