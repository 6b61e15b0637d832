// Keeps the head of an INVITE that went on, as long as its call is in set-up: so the filter can end the call by order.
import { readIsupBody } from "../../sip/bodies/sip-i-body.ts";
import { Header } from "../../sip/header.ts";
import type { SipMessage } from "../../sip/message.ts";
import { isToken } from "../../sip/octet.ts";
import type { CallSlot } from "../../calls/calls.ts";
import type { RequestTurn } from "../turn/turn.ts";

/** Keeps the head of the INVITE of the turn. An emergency call is never ended by order, so nothing of it is kept. */
export function keepInviteHead(turn: RequestTurn, slot: CallSlot, isSipI: boolean): void {
  const { proxy, message, request } = turn;
  const { calls } = proxy;
  const setup = calls.setupOf(slot);
  if (setup === undefined || !calls.keepText(slot, message.text)) return;
  calls.noteSequence(slot, "caller", message.cseq);
  const { listener, address, port } = request;
  const contact = message.first[Header.contact]!;
  const from = message.first[Header.from]!;
  setup.head = {
    listener,
    address,
    port,
    contactStart: contact < 0 ? 0 : message.valueStart[contact]!,
    contactEnd: contact < 0 ? 0 : message.valueEnd[contact]!,
    fromStart: from < 0 ? 0 : message.valueStart[from]!,
    fromEnd: from < 0 ? 0 : message.valueEnd[from]!,
    isup: isSipI ? isupParams(message) : undefined,
  };
}

/** The parameters of the ISUP body of a message, as a body of ours has them: `;version=itu-t92+` (RFC 3204 section 3.1). */
function isupParams(message: SipMessage): string | undefined {
  const body = readIsupBody(message);
  if (typeof body === "string") return undefined;
  const { version, base } = body;
  if (!isWord(version) || !isWord(base)) return undefined;
  return (version === "" ? "" : `;version=${version}`) + (base === "" ? "" : `;base=${base}`);
}

function isWord(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (isToken[text.charCodeAt(i)] !== 1) return false;
  return true;
}
