/** Items in batches of about `size` rows; one that is larger by itself is a batch of its own, as none can be split. */
export function* packed<T>(items: Iterable<T>, rowsOf: (item: T) => number, size: number): Generator<T[]> {
  let batch: T[] = [];
  let rows = 0;
  for (const item of items) {
    const more = rowsOf(item);
    if (batch.length > 0 && rows + more > size) {
      yield batch;
      batch = [];
      rows = 0;
    }
    batch.push(item);
    rows += more;
  }
  if (batch.length > 0) yield batch;
}
