// Keeps what a BYE of the filter needs of each dialog: from the 2xx of its INVITE on, and anew when its targets change.
import type { CallSlot } from "../../calls/calls.ts";
import { defaultPort, type Listener, type Target } from "../../routing/listener.ts";
import { hasOnlyOurs, noRoutesBeyond, routesBeyond } from "../../routing/recorded-routes.ts";
import { fromTagOf, toTagOf, type TransactionPath } from "../../routing/request-in-hand.ts";
import { Header } from "../../sip/header.ts";
import { headerValue, unfold } from "../../sip/message.ts";
import type { InviteHead } from "../memory/call-setup.ts";
import {
  readDialogs,
  renewTarget,
  writeDialogs,
  writePlace,
  type KeptDialog,
} from "../memory/kept-dialogs.ts";
import { contactOf, uriOfContact } from "../memory/remote-target.ts";
import type { ResponseTurn } from "../turn/turn.ts";

/** The caller's side of a transaction, and the listener that its request came in by. */
export interface DialogWay {
  readonly path: TransactionPath;
  readonly ingress: Listener;
}

/**
 * Keeps the dialog that a 2xx has begun. The first one takes the place of the head of the INVITE. Where there is no room,
 * the call goes on, and the filter can't end it.
 */
export function keepDialog(turn: ResponseTurn, slot: CallSlot, calledTag: string, way: DialogWay): void {
  const { calls } = turn.proxy;
  const setup = calls.setupOf(slot);
  const kept = calls.textOf(slot);
  if (setup === undefined || kept === undefined) return;
  const { head } = setup;
  setup.head = undefined;
  calls.noteSequence(slot, "caller", turn.message.cseq);
  const before = head === undefined ? readDialogs(kept) : [];
  const [other] = before;
  const caller = head === undefined ? other : callerIn(kept, head, hasChanges(setup.outcome));
  const dialog = caller === undefined ? undefined : dialogOf(turn, slot, calledTag, caller, way);
  const text = dialog === undefined ? undefined : writeDialogs([...before, dialog]);
  // Without the new dialog the call can't be ended whole.
  calls.keepText(slot, text ?? "");
}

/** What only the caller's own messages say. */
type CallerFields = Pick<KeptDialog, "callerFrom" | "callerContact" | "isup">;

function callerIn(
  text: string,
  { contactStart, contactEnd, fromStart, fromEnd, isup }: InviteHead,
  isChanged: boolean,
): CallerFields {
  return {
    // Nearly always the called side is shown the same.
    callerFrom: isChanged ? unfold(text.slice(fromStart, fromEnd)) : "",
    callerContact: contactEnd === 0 ? "" : uriOfContact(unfold(text.slice(contactStart, contactEnd))),
    isup,
  };
}

function hasChanges(outcome: { readonly kind: string; readonly changes?: unknown }): boolean {
  return outcome.changes !== undefined;
}

/** Returns the dialog that a 2xx has begun; undefined when its Record-Route can't be read. */
export function dialogOf(
  { proxy, message, listener, address, port }: ResponseTurn,
  slot: CallSlot,
  calledTag: string,
  caller: CallerFields,
  { path, ingress }: DialogWay,
): KeptDialog | undefined {
  const routes = hasOnlyOurs(message, ingress.route, listener.route)
    ? noRoutesBeyond
    : routesBeyond(message, proxy.callTags.writeHex(proxy.calls.nameOf(slot)));
  if (routes === undefined) return undefined;
  const from = headerValue(message, message.first[Header.from]!);
  return {
    callId: path.callId,
    from,
    to: headerValue(message, message.first[Header.to]!),
    calledTag,
    callerFrom: caller.callerFrom === from ? "" : caller.callerFrom,
    callerContact: caller.callerContact,
    calledContact: contactOf(message),
    callerRoutes: routes.caller,
    calledRoutes: routes.called,
    callerPlace: writePlace(ingress, callerPlace(path, ingress)),
    calledPlace: writePlace(listener, { transport: listener.transport, address, port }),
    isup: caller.isup,
  };
}

/** Returns where requests to the caller's side go, as the token of the dialog has it. */
function callerPlace({ via, replyAddress: address, replyPort }: TransactionPath, ingress: Listener): Target {
  const { transport, isReliable } = ingress;
  if (!isReliable) return { transport, address, port: replyPort };
  return { transport, address, port: via.port || defaultPort(transport), connection: replyPort };
}

/**
 * Notes the Contact of a 2xx to a re-INVITE or UPDATE: it is the new remote target of the side that answers (RFC 3261
 * section 12.2.1.2).
 */
export function noteNewTarget(turn: ResponseTurn, slot: CallSlot): void {
  const text = turn.proxy.calls.textOf(slot);
  if (text === undefined || turn.message.first[Header.contact]! < 0) return;
  const answering = toTagOf(turn.message);
  const asking = fromTagOf(turn.message);
  const contact = contactOf(turn.message);
  const dialogs = readDialogs(text);
  if (
    renewTarget(dialogs, "calledContact", answering, contact) ||
    renewTarget(dialogs, "callerContact", asking, contact)
  )
    turn.proxy.calls.keepText(slot, writeDialogs(dialogs) ?? "");
}
