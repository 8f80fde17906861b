// What passes between the process of the sandbox and who asks it: one line of JSON each way, texts only.

/** One script to run. */
export interface SandboxRequest {
  /** Body of a function of `input`. */
  readonly source: string;
  /** JSON text. */
  readonly input: string;
  readonly timeoutMs: number;
  readonly memoryBytes: number;
  readonly outputBytesMax: number;
}

/** What came of it. `output`: JSON text. `logs`: lines that the script wrote, cut to their bound. */
export type SandboxReply =
  | { readonly kind: 'returned'; readonly output: string; readonly logs: readonly string[] }
  | { readonly kind: 'threw'; readonly message: string; readonly logs: readonly string[] }
  | { readonly kind: 'timeout' | 'memory' | 'output' };
