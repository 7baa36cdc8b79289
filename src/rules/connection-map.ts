/**
 * Values by connection and id. Two look-ups: one key of both would be a text of a hundred characters, which would have to be put
 * together and hashed several times for each message of a batch.
 */
export class ConnectionMap<V> {
  private readonly byConnection = new Map<string, Map<string, V>>();

  get(connectionId: string, id: string): V | undefined {
    return this.byConnection.get(connectionId)?.get(id);
  }

  set(connectionId: string, id: string, value: V): void {
    const values = this.byConnection.get(connectionId);
    if (values === undefined) this.byConnection.set(connectionId, new Map([[id, value]]));
    else values.set(id, value);
  }

  delete(connectionId: string, id: string): void {
    this.byConnection.get(connectionId)?.delete(id);
  }

  *values(): Generator<V> {
    for (const values of this.byConnection.values()) yield* values.values();
  }

  /** The keys in a fixed order, whatever the order of the log: rows come back in it, and two runs lock rows alike. */
  sortedKeys(): { connectionId: string; id: string }[] {
    return [...this.byConnection.keys()].sort().flatMap((connectionId) => {
      const ids = [...(this.byConnection.get(connectionId)?.keys() ?? [])].sort();
      return ids.map((id) => ({ connectionId, id }));
    });
  }
}
