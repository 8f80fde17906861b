/** An I/O fault of an adapter: the store, the bus or a peer did not do what was asked. Only the pipeline turns it into a retry. */
export class Fault extends Error {
  constructor(
    message: string,
    readonly retryable: boolean,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'Fault';
  }
}

/** A commit whose outcome is not known (the connection broke while it ran): ask by its id, never retry blindly. */
export class CommitUnknown extends Fault {
  constructor(
    readonly commitId: string,
    cause: unknown,
  ) {
    super(`the outcome of commit ${commitId} is unknown`, true, { cause });
    this.name = 'CommitUnknown';
  }
}
