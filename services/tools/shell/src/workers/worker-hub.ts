// Brings calls and workers together: at once where a worker of this replica waits, else through the mailbox.
import { randomUUID } from 'node:crypto';
import type { WorkerCall, WorkerResult } from '@weft/contracts';
import type { Log } from '@weft/nest-platform';
import type { WorkerCallStore } from '../persist/worker-call.store.js';
import type { CallOutcome, OfferedCall } from './worker-call.js';
import { WorkerSession, type BroughtTool } from './worker-session.js';

export interface HubPorts {
  readonly store: WorkerCallStore;
  /** Without a sign of life for this long a worker counts as gone, milliseconds. */
  readonly leaseMs: number;
  /** How long a poll waits for calls, milliseconds. */
  readonly pollMs: number;
  readonly log: Log;
}

/** Somebody here waits for what comes of a call. */
interface Waiting {
  readonly offered: OfferedCall;
  readonly end: (outcome: CallOutcome) => void;
  /** The worker that has it is connected here; otherwise the mailbox knows. */
  isHere: boolean;
  /** It is not wanted any more: no worker that has not seen it may get it. */
  readonly halted: AbortSignal | undefined;
}

// How often results are looked for that no notification told about.
const LOOK_MS = 1_000;
const SWEEP_MS = 60_000;

export class WorkerHub {
  readonly #sessions = new Map<string, WorkerSession>();
  readonly #waiting = new Map<string, Waiting>();
  /** Calls whose results have come, and when that may be forgotten: a heartbeat on its way may still name them. */
  readonly #told = new Map<string, number>();
  /** Sources whose mailbox is being looked through; true: again afterwards. */
  readonly #seeking = new Map<string, boolean>();
  #posts: { readonly offered: OfferedCall; readonly timeLeftMs: number }[] = [];
  #timers: readonly NodeJS.Timeout[] = [];

  constructor(private readonly ports: HubPorts) {}

  /** Begins to look after leases and after what notifications may have missed. */
  start(): void {
    const { store, leaseMs } = this.ports;
    const often = (ms: number, work: () => Promise<unknown>): NodeJS.Timeout => setInterval(() => void work(), ms).unref();
    this.#timers = [often(Math.max(10, leaseMs / 4), () => this.#expireSessions()), often(LOOK_MS, () => this.#look()), often(SWEEP_MS, () => this.#attempt(() => store.sweep()))];
  }

  /** A worker that is there from now on. */
  register(source: string, worker: string, tools: ReadonlyMap<string, BroughtTool>): WorkerSession {
    const session = new WorkerSession(randomUUID(), source, worker, tools, this.ports.leaseMs, performance.now());
    this.#sessions.set(session.id, session);
    return session;
  }

  /** A session of this source that is there. */
  session(id: string, source: string): WorkerSession | undefined {
    const session = this.#sessions.get(id);
    return session?.source === source ? session : undefined;
  }

  /** Workers that are connected here. */
  sessions(): readonly WorkerSession[] {
    return [...this.#sessions.values()];
  }

  /** Waits for calls for a worker. */
  async poll(session: WorkerSession, callsMax: number): Promise<WorkerCall[]> {
    session.renew(performance.now());
    const calls = session.poll(callsMax, this.ports.pollMs);
    void this.#seek(session.source);
    const handed = await calls;
    session.renew(performance.now());
    return handed;
  }

  /** An answer with calls that reached nobody: they are given to somebody else. */
  takeBack(session: WorkerSession, calls: readonly WorkerCall[]): void {
    const elsewhere: string[] = [];
    for (const { id } of calls) {
      const held = session.held.get(id);
      session.held.delete(id);
      if (held && this.#waiting.has(id)) this.#place(held.offered, held.untilMs);
      else if (held) elsewhere.push(id);
    }
    if (elsewhere.length > 0) void this.#attempt(() => this.ports.store.putBack(elsewhere));
  }

  /** The worker is there and has these calls. @returns those that it may stop. */
  async heartbeat(session: WorkerSession, callIds: readonly string[]): Promise<readonly string[]> {
    const now = performance.now();
    session.renew(now);
    const named = new Set(callIds);
    for (const [id, { handedAtMs }] of session.held) {
      // The answer that it was handed over with never arrived, or the worker forgot it.
      if (!named.has(id) && now - handedAtMs > this.ports.leaseMs / 2) this.#lose(session, id);
    }
    const elsewhere = callIds.filter((id) => !this.#waiting.has(id) && !session.abandoned.has(id) && !this.#told.has(id));
    if (elsewhere.length > 0) await this.ports.store.renew(session.source, elsewhere, this.ports.leaseMs);
    const cancelled = callIds.filter((id) => session.abandoned.has(id));
    for (const id of session.abandoned) if (!named.has(id)) session.abandoned.delete(id);
    return cancelled;
  }

  /** What came of calls; of those that were handed over elsewhere too. */
  async complete(source: string, results: readonly WorkerResult[]): Promise<void> {
    for (const result of results) {
      this.#told.set(result.callId, performance.now() + this.ports.leaseMs);
      const holder = this.sessions().find((session) => session.source === source && (session.held.has(result.callId) || session.abandoned.has(result.callId)));
      const isAbandoned = holder?.abandoned.delete(result.callId) ?? false;
      holder?.held.delete(result.callId);
      const waiting = this.#waiting.get(result.callId);
      if (waiting?.offered.source === source) waiting.end({ kind: 'answered', result });
      else if (!isAbandoned) await this.ports.store.leaveResult(source, result);
    }
    // A tool with a limit of its own has room again.
    void this.#seek(source);
  }

  /** The worker takes no more calls, and goes when those that it has are done. */
  leave(session: WorkerSession): void {
    session.leave();
    if (session.held.size === 0) this.#sessions.delete(session.id);
  }

  /**
   * Has a call carried out by a worker, wherever one is connected.
   * @param untilMs monotonic instant after which nobody waits any more.
   * @param halted aborted: it is taken back from where it waits; a worker that has it already is waited for. Never rejects.
   */
  call(offered: OfferedCall, untilMs: number, halted?: AbortSignal): Promise<CallOutcome> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => void this.#timeOut(offered.id), Math.max(0, untilMs - performance.now()));
      const halt = (): void => void this.#halt([offered.id]);
      halted?.addEventListener('abort', halt, { once: true });
      this.#waiting.set(offered.id, {
        offered,
        isHere: false,
        halted,
        end: (outcome) => {
          clearTimeout(timer);
          halted?.removeEventListener('abort', halt);
          this.#waiting.delete(offered.id);
          resolve(outcome);
        },
      });
      this.#place(offered, untilMs);
    });
  }

  /** Calls of a source wait in the mailbox. An empty name: of some source. */
  hearCalls(source: string): void {
    for (const name of source === '' ? new Set(this.sessions().map((session) => session.source)) : [source]) void this.#seek(name);
  }

  /** A result came. An empty id: some may have. */
  hearResult(id: string): void {
    if (id === '') void this.#look();
    else if (this.#waiting.has(id)) void this.#collect([id]);
  }

  /** Ends all polls; workers go to another replica. */
  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    for (const session of this.sessions()) session.endPoll();
    this.#sessions.clear();
  }

  #place(offered: OfferedCall, untilMs: number): void {
    const now = performance.now();
    const waiting = this.#waiting.get(offered.id);
    if (waiting?.halted?.aborted) return waiting.end({ kind: 'notTaken' });
    const session = this.#roomiest(offered);
    if (session) {
      if (waiting) waiting.isHere = true;
      session.hand(offered, untilMs, now);
      return;
    }
    if (waiting) waiting.isHere = false;
    this.#posts.push({ offered, timeLeftMs: untilMs - now });
    // All of one tick go together.
    if (this.#posts.length === 1) setImmediate(() => void this.#post());
  }

  #roomiest({ source, tool, digest }: OfferedCall): WorkerSession | undefined {
    let best: WorkerSession | undefined;
    for (const session of this.#sessions.values()) {
      if (session.source === source && session.roomFor(tool, digest) > 0 && session.room > (best?.room ?? 0)) best = session;
    }
    return best;
  }

  async #post(): Promise<void> {
    const posts = this.#posts;
    this.#posts = [];
    try {
      await this.ports.store.post(posts);
    } catch (error) {
      this.ports.log.warn('calls for workers could not be posted', { error });
      // The statement may yet have come through: only what is found untouched is known not to be done.
      for (const { offered } of posts) void this.#end(offered.id, 'gone');
      return;
    }
    // What was halted while it was being posted was not there to be taken back.
    const halted = posts.filter(({ offered }) => this.#waiting.get(offered.id)?.halted?.aborted);
    if (halted.length > 0) await this.#halt(halted.map(({ offered }) => offered.id));
  }

  /** Takes calls back that wait in the mailbox. One that a worker has is waited for: nobody knows how far it is. */
  async #halt(ids: readonly string[]): Promise<void> {
    const untaken = await this.#attempt(() => this.ports.store.takeBack(ids));
    for (const id of untaken ?? []) this.#waiting.get(id)?.end({ kind: 'notTaken' });
  }

  /** Takes calls out of the mailbox for workers that wait here. */
  async #seek(source: string): Promise<void> {
    if (this.#seeking.has(source)) {
      this.#seeking.set(source, true);
      return;
    }
    do {
      this.#seeking.set(source, false);
      for (const session of this.sessions()) {
        if (session.source !== source || session.room <= 0) continue;
        const rooms = [...session.tools].flatMap(([tool, { digest }]) => {
          const room = session.roomFor(tool, digest);
          return room > 0 ? [{ tool, digest, room }] : [];
        });
        if (rooms.length === 0) continue;
        const taken = (await this.#attempt(() => this.ports.store.take(source, rooms, session.room, this.ports.leaseMs))) ?? [];
        const unplaced: string[] = [];
        for (const { offered, timeLeftMs } of taken) {
          const now = performance.now();
          // The worker may have been given something else meanwhile.
          const willing = session.roomFor(offered.tool, offered.digest) > 0 ? session : this.#roomiest(offered);
          if (!willing) {
            unplaced.push(offered.id);
            continue;
          }
          willing.hand(offered, now + timeLeftMs, now);
          const own = this.#waiting.get(offered.id);
          if (!own) continue;
          // Posted here and taken here: nobody else needs to know of it.
          own.isHere = true;
          void this.#attempt(() => this.ports.store.withdraw(offered.id));
        }
        if (unplaced.length > 0) await this.#attempt(() => this.ports.store.putBack(unplaced));
      }
    } while (this.#seeking.get(source));
    this.#seeking.delete(source);
  }

  async #timeOut(id: string): Promise<void> {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    if (!waiting.isHere) return this.#end(id, 'timeout');
    const holder = this.sessions().find(({ held }) => held.has(id));
    if (holder) this.#abandon(holder, id);
    waiting.end({ kind: 'lost', reason: 'timeout' });
  }

  /** Takes a call out of the mailbox and tells what is known about it. */
  async #end(id: string, reason: 'gone' | 'timeout'): Promise<void> {
    const end = await this.#attempt(() => this.ports.store.withdraw(id));
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    if (end?.state === 'done') waiting.end({ kind: 'answered', result: end.result });
    else waiting.end(end?.state === 'waiting' ? { kind: 'notTaken' } : { kind: 'lost', reason });
  }

  #lose(session: WorkerSession, id: string): void {
    this.#abandon(session, id);
    this.#waiting.get(id)?.end({ kind: 'lost', reason: 'gone' });
  }

  #abandon(session: WorkerSession, id: string): void {
    session.held.delete(id);
    session.abandoned.add(id);
  }

  async #expireSessions(): Promise<void> {
    const now = performance.now();
    for (const [id, untilMs] of this.#told) if (untilMs < now) this.#told.delete(id);
    const gone = this.sessions().filter((session) => !session.isAlive(now));
    for (const session of gone) {
      this.#sessions.delete(session.id);
      session.endPoll();
      if (!session.isLeaving) this.ports.log.warn('a worker is gone', { source: session.source, worker: session.worker, calls: session.held.size });
    }
    const ids = gone.flatMap(({ held }) => [...held.keys()]).filter((id) => this.#waiting.has(id));
    if (ids.length === 0) return;
    // The worker may be alive and connected to another replica.
    const held = (await this.#attempt(() => this.ports.store.held(ids))) ?? new Set<string>();
    for (const id of ids) {
      const waiting = this.#waiting.get(id);
      if (!waiting) continue;
      if (held.has(id)) waiting.isHere = false;
      else waiting.end({ kind: 'lost', reason: 'gone' });
    }
  }

  async #look(): Promise<void> {
    const elsewhere = [...this.#waiting].filter(([, { isHere }]) => !isHere);
    if (elsewhere.length > 0) await this.#collect(elsewhere.map(([id]) => id));
    // The store may have been away when they were halted.
    const halted = elsewhere.filter(([, { halted: signal }]) => signal?.aborted);
    if (halted.length > 0) await this.#halt(halted.map(([id]) => id));
  }

  async #collect(ids: readonly string[]): Promise<void> {
    const ends = await this.#attempt(() => this.ports.store.collect(ids));
    for (const [id, end] of ends ?? []) {
      this.#waiting.get(id)?.end(end.state === 'done' ? { kind: 'answered', result: end.result } : { kind: 'lost', reason: 'gone' });
    }
  }

  /** The store may be away: what is not done now is done by a later look, or ends with its time. */
  async #attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.ports.log.warn('the mailbox of workers is not reached', { error });
      return undefined;
    }
  }
}
