// The unit of time: milliseconds.

/** Milliseconds since the Unix epoch. Time is always an argument: nothing below the engines reads a clock. */
export type Millis = number;
