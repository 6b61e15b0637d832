// The methods of a trunk: which requests pass, which are judged, and which are answered or refused.

/**
 * What is done with a request that begins no call. `dialog`: it passes inside a dialog of the filter only. `screen`:
 * its caller is judged as in an INVITE. `pass`: it passes, and nothing is judged. `answer`: the filter answers it.
 * `refuse`: the filter refuses it.
 */
export type Carriage = "dialog" | "screen" | "pass" | "answer" | "refuse";

/** Methods that carry events (RFC 6665, RFC 3903). */
export const eventMethods = ["SUBSCRIBE", "NOTIFY", "PUBLISH"] as const;
export type EventMethod = (typeof eventMethods)[number];

/** What an operator may set for methods. {@link createMethodTable} says what holds where a key is left out. */
export interface MethodChoices {
  readonly MESSAGE?: "refuse" | "screen";
  readonly REFER?: "refuse" | "screen";
  readonly REGISTER?: "refuse" | "screen";
  readonly OPTIONS?: "answer" | "pass";
  /** What is done with methods that no row names. */
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

/**
 * Methods that have a metric label of their own. All others share one label, since a peer can send any text as a
 * method.
 */
export const namedMethods: readonly string[] = [
  ...ofCalls,
  "OPTIONS",
  "MESSAGE",
  "REFER",
  "REGISTER",
  ...eventMethods,
];

/**
 * The table of a trunk. Calls and the requests of their dialogs pass. OPTIONS is answered here. Other requests are
 * refused unless `choices` names them. A redirecting trunk has no dialogs through the filter.
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

/** The table of a trunk whose operator chose nothing. */
export const ordinaryMethods: MethodTable = createMethodTable();

/** What is done with `method`. Methods are case-sensitive (RFC 3261 section 7.1). */
export function carriageOf(table: MethodTable, method: string): Carriage {
  return table.carriage.get(method) ?? table.other;
}
