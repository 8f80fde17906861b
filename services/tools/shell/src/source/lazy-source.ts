// A source whose code is loaded when it is first asked: what nobody declares costs no start anything.
import type { Json } from '@weft/kernel';
import type { OfferedTool } from '@weft/tools/core';
import type { Sent } from '../carry-out/work.js';
import { SourceUnavailable, type SourceCall, type ToolSource } from './tool-source.js';

export class LazySource implements ToolSource {
  readonly #listeners: (() => void)[] = [];
  #opening: Promise<ToolSource> | undefined;
  #isClosed = false;

  constructor(
    readonly name: string,
    readonly identity: Json,
    private readonly open: () => Promise<ToolSource>,
  ) {}

  async list(signal: AbortSignal): Promise<readonly OfferedTool[]> {
    return (await this.#opened()).list(signal);
  }

  async call(call: SourceCall): Promise<Sent> {
    return (await this.#opened()).call(call);
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    // What could not be opened has nothing to end.
    await (await this.#opening?.catch(() => undefined))?.close();
  }

  #opened(): Promise<ToolSource> {
    return (this.#opening ??= this.#openNow());
  }

  async #openNow(): Promise<ToolSource> {
    if (this.#isClosed) throw new SourceUnavailable(`Expected source ${this.name} to be asked before it was closed.`);
    const source = await this.open();
    source.onChange?.(() => this.#listeners.forEach((listener) => listener()));
    return source;
  }
}
