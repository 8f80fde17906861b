import { Injectable } from '@nestjs/common';

/** When the application takes work in: its transports listen. For what must not begin before, such as publishing on a bus that drops what nobody has subscribed to yet. */
@Injectable()
export class Intake {
  #waiting: (() => void)[] = [];
  #isOpen = false;

  /** Runs as soon as work is taken in; at once when it is already. */
  onOpen(run: () => void): void {
    if (this.#isOpen) run();
    else this.#waiting.push(run);
  }

  /** Called by whoever starts the application, once. */
  open(): void {
    this.#isOpen = true;
    for (const run of this.#waiting.splice(0)) run();
  }
}
