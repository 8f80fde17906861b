/** A fault of a document at a JSON Pointer; the sentence has no full stop yet, as its place in the text follows. */
export interface Problem {
  readonly pointer: string;
  readonly message: string;
}
