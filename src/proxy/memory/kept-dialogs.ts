// What is kept of an answered call for a BYE of the filter: one text, with a record for each dialog of a fork.
import { Buffer } from "node:buffer";
import type { Listener, Target } from "../../routing/listener.ts";

/** One confirmed dialog, as both of its sides know it. */
export interface KeptDialog {
  readonly callId: string;
  /** From and To as the called side has them, with their tags. */
  readonly from: string;
  readonly to: string;
  /** The called party's tag. */
  readonly calledTag: string;
  /** From as the caller wrote it, where the called side was shown another one; else "". */
  readonly callerFrom: string;
  /** The remote target of either side: a URI (RFC 3261 section 12.1); "": it gave none that can be used. */
  readonly callerContact: string;
  readonly calledContact: string;
  /** Route values beyond us, nearest first, separated by commas. */
  readonly callerRoutes: string;
  readonly calledRoutes: string;
  /** The listener and the place that messages of either side come from, see {@link writePlace}. */
  readonly callerPlace: string;
  readonly calledPlace: string;
  /** Parameters of the ISUP bodies of the call: `;version=itu-t92+`. Undefined: it is no SIP-I call. */
  readonly isup: string | undefined;
}

const FIELDS = 12;
/** Stands in front of the parameters of an ISUP body, which may be none. */
const ISUP = "i";

/** Used for every text in turn: none is longer. */
const scratch = Buffer.allocUnsafeSlow(16_384);

/**
 * Writes records of dialogs. Values hold no line break, since they are header values without folds.
 *
 * @returns a text of its own, no part of a message; undefined when it is too long
 */
export function writeDialogs(dialogs: readonly KeptDialog[]): string | undefined {
  let text = "";
  for (const each of dialogs) text += (text === "" ? "" : "\n") + writeDialog(each);
  if (text.length > scratch.length) return undefined;
  return scratch.toString("latin1", 0, scratch.write(text, 0, "latin1"));
}

function writeDialog(dialog: KeptDialog): string {
  const { callId, from, to, calledTag, callerFrom, callerContact, calledContact } = dialog;
  const { callerRoutes, calledRoutes, callerPlace, calledPlace, isup } = dialog;
  const body = isup === undefined ? "" : ISUP + isup;
  return `${callId}\n${from}\n${to}\n${calledTag}\n${callerFrom}\n${callerContact}\n${calledContact}\n${callerRoutes}\n${calledRoutes}\n${callerPlace}\n${calledPlace}\n${body}`;
}

/** Reads what {@link writeDialogs} wrote. Anything else gives no dialog. */
export function readDialogs(text: string): KeptDialog[] {
  const fields = text.split("\n");
  const dialogs: KeptDialog[] = [];
  if (fields.length % FIELDS !== 0) return dialogs;
  for (let at = 0; at < fields.length; at += FIELDS) {
    const body = fields[at + 11]!;
    dialogs.push({
      callId: fields[at]!,
      from: fields[at + 1]!,
      to: fields[at + 2]!,
      calledTag: fields[at + 3]!,
      callerFrom: fields[at + 4]!,
      callerContact: fields[at + 5]!,
      calledContact: fields[at + 6]!,
      callerRoutes: fields[at + 7]!,
      calledRoutes: fields[at + 8]!,
      callerPlace: fields[at + 9]!,
      calledPlace: fields[at + 10]!,
      isup: body === "" ? undefined : body.slice(ISUP.length),
    });
  }
  return dialogs;
}

/** Changes a target of the dialog with this called tag. @returns false when nothing has changed */
export function renewTarget(
  dialogs: KeptDialog[],
  field: "calledContact" | "callerContact",
  calledTag: string,
  contact: string,
): boolean {
  const index = dialogs.findIndex((dialog) => dialog.calledTag === calledTag);
  const dialog = dialogs[index];
  if (dialog === undefined || contact === "" || dialog[field] === contact) return false;
  dialogs[index] = { ...dialog, [field]: contact };
  return true;
}

/** Writes a listener and a place that is reached by it: `INDEX PORT CONNECTION ADDRESS`. */
export function writePlace({ index }: Listener, { address, port, connection }: Target): string {
  return `${index} ${port} ${connection ?? ""} ${address}`;
}

/** Reads what {@link writePlace} wrote; undefined when there is no such listener. */
export function readPlace(
  listeners: readonly Listener[],
  text: string,
): { readonly listener: Listener; readonly target: Target } | undefined {
  const [index, port, connection, address = ""] = text.split(" ");
  const listener = listeners[Number(index)];
  if (listener === undefined) return undefined;
  const target = { transport: listener.transport, address, port: Number(port) };
  return { listener, target: connection === "" ? target : { ...target, connection: Number(connection) } };
}
