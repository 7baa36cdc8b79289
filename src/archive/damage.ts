/** A backup is not what was written: where, and how it shows. */
export class Damage extends Error {
  constructor(
    /** The damaged part's name in the archive; `archive` for what stands between the parts, `encryption` around them. */
    readonly part: string,
    readonly how: string,
  ) {
    super(`${part}: ${how}`);
    this.name = 'Damage';
  }
}
