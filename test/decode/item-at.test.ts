import { describe, expect, it } from 'vitest';
import { itemAt } from '../../src/decode/item-at.js';

function at(value: unknown, path: string): unknown {
  return itemAt(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), path);
}

describe('the item that a path names', () => {
  const body = { entry: [{ changes: [{ value: { messages: [{ id: 'A' }, { id: 'B' }] } }] }] };

  it('is found in a body as it is', () => {
    expect(at(body, '$.entry[0].changes[0].value.messages[1]')).toEqual({ id: 'B' });
    expect(at(body, '$')).toEqual(body);
  });

  it('is found through texts of JSON, base64 and words before the JSON', () => {
    expect(at({ payload: JSON.stringify(body) }, '$.payload.entry[0].changes[0].value.messages[0].id')).toBe(
      'A',
    );
    const hidden = Buffer.from(JSON.stringify(body)).toString('base64');
    expect(
      at({ body: hidden, isBase64Encoded: true }, '$.body.entry[0].changes[0].value.messages[0].id'),
    ).toBe('A');
    expect(at(`2025-09-16 INFO ${JSON.stringify(body)}`, '$.entry[0].changes[0].value.messages[0].id')).toBe(
      'A',
    );
  });

  it('is found under names with dots', () => {
    expect(at({ 'messages.upsert': { messages: [1, 2] } }, '$["messages.upsert"].messages[1]')).toBe(2);
  });

  it('is nothing where the path leads nowhere, and no inherited property', () => {
    for (const path of [
      '$.entry[7]',
      '$.nothing.there',
      '$.__proto__',
      '$.entry.constructor',
      '$..x',
      '$.entry[0',
    ]) {
      expect(at(body, path)).toBeUndefined();
    }
    expect(at('no JSON', '$.entry')).toBeUndefined();
  });
});
