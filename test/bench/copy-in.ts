import type { Client, Connection, Submittable } from 'pg';

declare module 'pg' {
  // In pg/lib/connection.js since COPY was supported; @types/pg 8 leaves them out.
  interface Connection {
    sendCopyFromChunk(chunk: Buffer): void;
    endCopyFrom(): void;
    sendCopyFail(message: string): void;
  }
}

/** Runs `copy … from stdin` with these chunks of COPY's text format; resolves when the server has stored them. */
export function copyIn(client: Client, statement: string, chunks: AsyncIterable<Buffer>): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query(new CopyIn(statement, chunks, resolve, reject));
  });
}

/** What pg's client asks of a query while the server takes in rows. */
class CopyIn implements Submittable {
  private error: unknown;

  constructor(
    private readonly statement: string,
    private readonly chunks: AsyncIterable<Buffer>,
    private readonly resolve: () => void,
    private readonly reject: (error: unknown) => void,
  ) {}

  submit(connection: Connection): void {
    connection.query(this.statement);
  }

  handleCopyInResponse(connection: Connection): void {
    this.send(connection).then(
      () => {
        connection.endCopyFrom();
      },
      (error: unknown) => {
        this.error = error;
        connection.sendCopyFail('the sender failed');
      },
    );
  }

  private async send(connection: Connection): Promise<void> {
    for await (const chunk of this.chunks) {
      connection.sendCopyFromChunk(chunk);
      if (connection.stream.writableNeedDrain) {
        await new Promise((resolve) => connection.stream.once('drain', resolve));
      }
    }
  }

  handleCommandComplete(): void {
    // The answer counts once the server is ready again.
  }

  handleError(error: unknown): void {
    this.error ??= error;
  }

  handleReadyForQuery(): void {
    if (this.error === undefined) this.resolve();
    else this.reject(this.error);
  }
}
