// The methods of a trunk: which requests pass, which are judged, and which are answered or refused.

/**
 * What becomes of a request that begins no call. `dialog`: part of a call, so it passes inside a dialog of ours and
 * nowhere else; `screen`: the caller is judged as in an INVITE; `pass`: nobody is judged; `answer`: the filter answers.
 */
export type Carriage = "dialog" | "screen" | "pass" | "answer" | "refuse";

/** Methods that carry events (RFC 6665, RFC 3903). */
export const eventMethods = ["SUBSCRIBE", "NOTIFY", "PUBLISH"] as const;
export type EventMethod = (typeof eventMethods)[number];

/** What an operator may say about methods; what is left out is as in the table of {@link createMethodTable}. */
export interface MethodChoices {
  readonly MESSAGE?: "refuse" | "screen";
  readonly REFER?: "refuse" | "screen";
  readonly REGISTER?: "refuse" | "screen";
  readonly OPTIONS?: "answer" | "pass";
  /** Methods that no row names. */
  readonly other?: "refuse" | "pass";
  /** Event packages that pass, by method; a method without any is refused. */
  readonly SUBSCRIBE?: readonly string[];
  readonly NOTIFY?: readonly string[];
  readonly PUBLISH?: readonly string[];
}

/** The methods of one trunk. */
export interface MethodTable {
  readonly carriage: ReadonlyMap<string, Carriage>;
  readonly other: Carriage;
  /** Event packages (RFC 6665 section 7.2) that pass, by method. */
  readonly events: ReadonlyMap<string, ReadonlySet<string>>;
  /** Value of the Allow field: what the trunk may really send (RFC 3261 section 20.5). */
  readonly allow: string;
}

/** RFC 3261, 3262, 3311, 6086: the methods that a call is made of, apart from the INVITE that begins it. */
const ofCalls = ["INVITE", "ACK", "BYE", "CANCEL", "PRACK", "UPDATE", "INFO"] as const;

/** Methods that label a metric by name; all others share one label, since peers may write what they like. */
export const namedMethods: readonly string[] = [
  ...ofCalls,
  "OPTIONS",
  "MESSAGE",
  "REFER",
  "REGISTER",
  ...eventMethods,
];

/**
 * The table of a trunk: calls and everything inside their dialogs, OPTIONS answered here, all else refused unless it is chosen.
 * A redirecting trunk has no dialogs through here.
 */
export function createMethodTable(choices: MethodChoices = {}, isRedirecting = false): MethodTable {
  const events = new Map<string, ReadonlySet<string>>();
  for (const method of eventMethods) {
    const packages = choices[method];
    if (packages !== undefined) events.set(method, new Set(packages));
  }
  const carriage = new Map<string, Carriage>(ofCalls.map((method) => [method, "dialog"]));
  carriage.set("OPTIONS", choices.OPTIONS ?? "answer");
  for (const method of ["MESSAGE", "REFER", "REGISTER"] as const)
    carriage.set(method, choices[method] ?? "refuse");
  for (const method of eventMethods) carriage.set(method, events.has(method) ? "screen" : "refuse");
  const goesThrough = (method: string): boolean =>
    !isRedirecting || method === "INVITE" || method === "ACK" || method === "CANCEL";
  const allow = [...carriage]
    .filter(([method, how]) => how !== "refuse" && (how !== "dialog" || goesThrough(method)))
    .map(([method]) => method)
    .join(", ");
  return Object.freeze({ carriage, other: choices.other ?? "refuse", events, allow });
}

/** The table where nothing was chosen. */
export const ordinaryMethods: MethodTable = createMethodTable();

/** What becomes of `method`; methods are case-sensitive (RFC 3261 section 7.1). */
export function carriageOf(table: MethodTable, method: string): Carriage {
  return table.carriage.get(method) ?? table.other;
}
