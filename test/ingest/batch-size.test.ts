import { expect, test } from 'vitest';
import { BatchSize } from '../../src/ingest/batch/batch.js';

/** The sizes of the next batches, one after each of these commits. */
function sizesAfter(size: BatchSize, conflicts: readonly number[]): number[] {
  return conflicts.map((count) => {
    size.committed(count);
    return size.current();
  });
}

test('batches grow to 4000 messages while nobody else writes', () => {
  const size = new BatchSize();
  expect(size.current()).toBe(1000);
  expect(sizesAfter(size, [0, 0, 0, 0])).toEqual([2000, 4000, 4000, 4000]);
});

test('a batch that met another writer makes the next ones small again', () => {
  expect(sizesAfter(new BatchSize(), [0, 0, 3, 0, 1])).toEqual([2000, 4000, 1000, 2000, 1000]);
});

test('a size that somebody asked for stays', () => {
  expect(sizesAfter(new BatchSize(50), [0, 0, 2, 0])).toEqual([50, 50, 50, 50]);
});
