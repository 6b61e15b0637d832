// The time stamps of captures: ticks of a file to seconds, milliseconds and text.

/**
 * A moment of a capture: whole seconds since the Unix epoch, and the nanoseconds within the second.
 */
export interface CaptureTime {
  readonly seconds: number;
  readonly nanos: number;
}

/** The last second that ISO 8601 can write with a year of four digits: 9999-12-31T23:59:59Z. */
const LAST_SECOND = 253_402_300_799;
const FIRST_SECOND = -62_135_596_800;

/** Returns milliseconds since the Unix epoch, as a double. Microseconds remain as fractions. */
export function toMillis(time: CaptureTime): number {
  return time.seconds * 1000 + time.nanos / 1e6;
}

let writtenSecond = Number.NaN;
let writtenPrefix = "";

/** Writes a time for people and logs, to the microsecond: `2026-10-03T08:15:02.123456Z`. */
export function formatTime(time: CaptureTime): string {
  if (time.seconds !== writtenSecond) {
    // Many packets share a second, and Date is the costly part.
    writtenSecond = time.seconds;
    writtenPrefix = new Date(time.seconds * 1000).toISOString().slice(0, 19);
  }
  // A one in front keeps the zeros.
  return `${writtenPrefix}.${String(1_000_000 + Math.floor(time.nanos / 1000)).slice(1)}Z`;
}

/** Keeps a damaged time stamp within what a calendar can write. */
export function clampSeconds(seconds: number): number {
  return Math.min(Math.max(seconds, FIRST_SECOND), LAST_SECOND);
}

/** How an interface of a pcapng file counts time (draft-ietf-opsawg-pcapng section 4.2). */
export interface Clock {
  readonly ticksPerSecond: bigint;
  /** The same as a double where long division in doubles is exact, else undefined. */
  readonly exactTicks: number | undefined;
  /** Seconds that are added to every time stamp (if_tsoffset). */
  readonly offsetSeconds: number;
}

/** Creates a clock from if_tsresol, whose top bit chooses powers of two, and if_tsoffset. */
export function createClock(resolution: number, offsetSeconds: number): Clock {
  const exponent = resolution & 0x7f;
  const binary = (resolution & 0x80) !== 0;
  const ticksPerSecond = (binary ? 2n : 10n) ** BigInt(exponent);
  const exact = binary ? exponent <= 20 : exponent <= 9;
  return { ticksPerSecond, exactTicks: exact ? Number(ticksPerSecond) : undefined, offsetSeconds };
}

/** Writes the time of a 64-bit tick count, given as two 32-bit halves, into `target`. */
export function setTime(
  target: { seconds: number; nanos: number },
  clock: Clock,
  high: number,
  low: number,
): void {
  const ticks = clock.exactTicks;
  if (ticks === undefined) {
    const all = (BigInt(high) << 32n) | BigInt(low);
    target.seconds = clampSeconds(Number(all / clock.ticksPerSecond) + clock.offsetSeconds);
    target.nanos = Number(((all % clock.ticksPerSecond) * 1_000_000_000n) / clock.ticksPerSecond);
    return;
  }
  // Long division by 16-bit digits. Today's count of nanoseconds does not fit a double; a remainder
  // times 65,536 does.
  const first = Math.floor(high / ticks);
  let rest = (high - first * ticks) * 65_536 + (low >>> 16);
  const second = Math.floor(rest / ticks);
  rest = (rest - second * ticks) * 65_536 + (low & 0xffff);
  const third = Math.floor(rest / ticks);
  rest -= third * ticks;
  const seconds = first * 4_294_967_296 + second * 65_536 + third;
  target.seconds = clampSeconds(seconds + clock.offsetSeconds);
  target.nanos = Math.floor((rest * 1e9) / ticks);
}
