// Makes the call attempt of an INVITE, which the rules then judge.
import type { CallAttempt, SignallingSource } from "../../domain/attempt.ts";
import type { Millis } from "../../domain/time.ts";
import type { Trunk } from "../../domain/trunk.ts";
import type { AssertedIdentity } from "../../domain/identity.ts";
import { findUnreadBody } from "../bodies/unread-body.ts";
import { createAddressSpan, readAddress, readParam, readUri, type UriParts } from "../fields/name-addr.ts";
import { isEmergencyUrn, readCallee, readTarget, type CallTarget } from "./called.ts";
import { readPrivilege } from "./caller-category.ts";
import { Header } from "../header.ts";
import { isDiverted, readDiversion } from "./diversion.ts";
import { readCalling, readPrivacy, type NamedCallee } from "./sip-identity.ts";
import { headerValue, noteFault, type SipMessage } from "../message.ts";

const span = createAddressSpan();

/** Shared by all calls that were not diverted, which are most. */
const NOT_DIVERTED: readonly AssertedIdentity[] = [];

/** What is read of a request before its attempt is made. */
export interface KnownParts {
  /** The Request-URI. */
  readonly uri: UriParts;
  readonly fromTag: string;
  /** True inside a dialog: the peer writes the Request-URI as it likes, so no other field may refer to it. */
  readonly isContact: boolean;
}

/**
 * Makes the call attempt of an INVITE (RFC 3261 section 20, RFC 3325, RFC 3966, RFC 5031, RFC 5806, RFC 7044). Total:
 * whatever the message holds, an attempt is returned. What cannot be judged safely becomes
 * `message.fault`.
 * @param message the INVITE, scanned
 * @param trunk the trunk that the INVITE came from
 * @param at when it was received
 * @param origin where it came from, for evidence
 * @param known what has been read of the INVITE already
 */
export function readAttempt(
  message: SipMessage,
  trunk: Trunk,
  at: Millis,
  origin: SignallingSource,
  known?: KnownParts,
): CallAttempt {
  const uri = known?.uri ?? readUri(message.text, message.uriStart, message.uriEnd);
  const plan = trunk.dialPlan;
  const requestUri = message.text.slice(message.uriStart, message.uriEnd);
  if (uri.fault !== undefined || requestUri.charCodeAt(0) === 0x3c)
    noteFault(message, `Request-URI: ${uri.fault ?? "in brackets"}`);
  // Header fields are not allowed in a Request-URI (RFC 3261 section 19.1.1).
  if (uri.params.includes("?")) noteFault(message, "Request-URI: has header fields");
  const called = readCallee(uri, plan);
  const privacy = message.count[Header.privacy] === 0 ? 0 : readPrivacy(message);
  // Only these fields are compared with it.
  const isCompared = isDiverted(message) || message.count[Header.remotePartyId] !== 0;
  const target = isCompared && known?.isContact !== true ? readTarget(uri, called) : undefined;
  const callId = message.first[Header.callId]!;
  const unreadBody = trunk.side === "core" ? undefined : findUnreadBody(message, trunk.bodies);
  const privilege = readPrivilege(message);
  const attempt: CallAttempt = {
    at,
    trunk,
    origin,
    calling: readCalling(message, plan, privacy, findCallee(trunk, target)),
    called,
    emergencyUrn: isEmergencyUrn(uri),
    diversion: isDiverted(message) ? readDiversion(message, plan, target) : NOT_DIVERTED,
    privacy,
    callId: callId < 0 ? "" : headerValue(message, callId),
    fromTag: known?.fromTag ?? readFromTag(message),
    requestUri,
  };
  if (unreadBody === undefined && privilege === undefined) return attempt;
  return {
    ...attempt,
    ...(unreadBody === undefined ? {} : { unreadBody }),
    ...(privilege === undefined ? {} : { privilege }),
  };
}

/** Reads the tag of From. What makes it ambiguous is noted where the request is received. */
function readFromTag(message: SipMessage): string {
  const index = message.first[Header.from]!;
  if (index < 0) return "";
  const value = headerValue(message, index);
  readAddress(value, 0, span);
  return readParam(value, span.paramsStart, span.end, "tag") ?? "";
}

/**
 * Returns whom a Remote-Party-ID may name as the called party: the dialled number, if the call can
 * only go there.
 */
function findCallee({ side }: Trunk, target: CallTarget | undefined): NamedCallee {
  return side === "core" ? "anyone" : target?.number;
}
