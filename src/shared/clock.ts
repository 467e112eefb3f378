/** Time, injected so that tests decide it. */
export interface Clock {
  /** Wall-clock time, for timestamps that people read. */
  now(): Date;
  /** Milliseconds that only ever grow, for deadlines: no clock jump shortens or lengthens a wait. It counts on while the process is stopped. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => Number(process.hrtime.bigint() / 1_000_000n),
};

/** The time in which one thing may happen: opened now, closed `durationMs` later by the monotonic clock. */
export class TimeWindow {
  private constructor(private readonly clock: Clock, private readonly closesAtMs: number) {}

  static open(clock: Clock, durationMs: number): TimeWindow {
    return new TimeWindow(clock, clock.monotonicMs() + durationMs);
  }

  /** A window that closes with this one or after `durationMs`, whichever comes first. */
  narrowedTo(durationMs: number): TimeWindow {
    return new TimeWindow(this.clock, Math.min(this.closesAtMs, this.clock.monotonicMs() + durationMs));
  }

  remainingMs(): number {
    return Math.max(0, this.closesAtMs - this.clock.monotonicMs());
  }

  isOpen(): boolean {
    return this.remainingMs() > 0;
  }
}
