// The engines, and what each of them can do with a call and with a message.

/** What carries the calls. */
export type EngineName = "embedded" | "drachtio" | "m3ua";

/**
 * What an engine can do with a call and with a message. `check` reports a policy that asks for more. When a verdict
 * asks for more, the action tells what was done instead.
 */
export interface Capabilities {
  /** Refuse by silence (`drop`). */
  readonly silence: boolean;
  /** Pass bodies and untouched fields byte for byte. */
  readonly exactBytes: boolean;
  /** Take header fields and parts of them out of a message: `strip`, a withheld number, a misleading display name. */
  readonly removesFields: boolean;
  /** Judge the requests of a dialog that may name another caller: re-INVITE and UPDATE. */
  readonly judgesDialogs: boolean;
  /** Carry requests other than calls: MESSAGE, REGISTER, SUBSCRIBE … */
  readonly carriesRequests: boolean;
  /** Read ISUP in the body of a SIP message (SIP-I, SIP-T). */
  readonly sipI: boolean;
  /** Statuses from 400 on that it can answer with; undefined: every one. */
  readonly statuses: ReadonlySet<number> | undefined;
}

const everything: Capabilities = {
  silence: true,
  exactBytes: true,
  removesFields: true,
  judgesDialogs: true,
  carriesRequests: true,
  sipI: true,
  statuses: undefined,
};

/** Statuses that drachtio-srf 5.0.29 sends; it throws on others. */
const drachtioStatuses: readonly number[] =
  "400 401 402 403 404 405 406 407 408 409 410 411 412 413 414 415 416 417 420 421 422 423 424 428 429 430 433 436 437 438 439 470 480 481 482 483 484 485 486 487 488 489 491 493 494 500 501 502 503 504 505 513 580 600 603 604 606"
    .split(" ")
    .map(Number);

/** The capabilities of every engine. */
export const capabilitiesOf: Readonly<Record<EngineName, Capabilities>> = {
  embedded: everything,
  drachtio: {
    // The server answers 100 before it asks the filter.
    silence: false,
    exactBytes: false,
    // The server's proxy appends fields and replaces some. It removes none.
    removesFields: false,
    // The server passes requests with a To tag and a Route without asking the filter.
    judgesDialogs: false,
    carriesRequests: false,
    // Every real ISUP body has a NUL, and the server answers it with 400. Other octets arrive as U+FFFD.
    sipI: false,
    statuses: new Set(drachtioStatuses),
  },
  m3ua: everything,
};

const words: readonly (readonly [keyof Capabilities, string])[] = [
  ["silence", "silence"],
  ["exactBytes", "exact bytes"],
  ["removesFields", "removing header fields"],
  ["judgesDialogs", "judging inside dialogs"],
  ["carriesRequests", "requests other than calls"],
  ["sipI", "SIP-I"],
];

/** What an engine can't do, in words for operators. Empty for an engine that can do everything. */
export function missingOf(engine: EngineName): readonly string[] {
  const capabilities = capabilitiesOf[engine];
  return words.filter(([capability]) => capabilities[capability] === false).map(([, text]) => text);
}
