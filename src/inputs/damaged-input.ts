/** The rest of an input cannot be read; all that came before it is good. The message says what is wrong with the data. */
export class DamagedInputError extends Error {
  override readonly name = 'DamagedInputError';

  constructor(
    message: string,
    /** Whether the data stops too early, rather than being wrong. */
    readonly endsEarly: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
