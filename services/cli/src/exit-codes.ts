/** How a command ended, for scripts. */
export const EXIT = {
  ok: 0,
  /** It ran and the answer is no: a faulted execution, a violated proof, a failed test. */
  failed: 1,
  /** The command line or a file it names is wrong. */
  usage: 2,
  /** Something it needs is not there: no running Weft, no server, no network. Source: sysexits.h EX_UNAVAILABLE. */
  unavailable: 69,
  interrupted: 130,
} as const;

/** Ends the command with a sentence and an exit code; never with a stack trace. */
export class CommandFailed extends Error {
  constructor(
    message: string,
    readonly exitCode: number = EXIT.failed,
  ) {
    super(message);
    this.name = 'CommandFailed';
  }
}
