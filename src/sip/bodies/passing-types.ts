// The media types of bodies that name no caller, and so pass unread from every trunk.

/**
 * Media types in lower case. No gateway and no telephone takes a calling number from a body of these types. A type that
 * is not here may name one, whatever it is for: QSIG, Q.931, BICC, GTD, a SIP message, a vCard, a picture.
 */
export const passingTypes: ReadonlySet<string> = new Set([
  // The session: RFC 4566, ICE candidates (RFC 8840), a request for a new picture (RFC 5168).
  "application/sdp",
  "application/trickle-ice-sdpfrag",
  "application/media_control+xml",
  // Keys that were pressed, in INFO; KPML (RFC 4730); tones that a PBX asks its telephones to play.
  "application/dtmf",
  "application/dtmf-relay",
  "application/vnd.nortelnetworks.digits",
  "application/hook-flash",
  "application/kpml-request+xml",
  "application/kpml-response+xml",
  "application/broadsoft",
  "audio/telephone-event",
  // Where the caller is (RFC 6442), and what an emergency centre is told (RFC 7852, RFC 8147, RFC 8148, RFC 8876).
  // Only emergency centres read the latter.
  "application/pidf+xml",
  "application/pidf-diff+xml",
  "application/emergencycalldata.cap+xml",
  "application/emergencycalldata.comment+xml",
  "application/emergencycalldata.control+xml",
  "application/emergencycalldata.deviceinfo+xml",
  "application/emergencycalldata.ecall.msd",
  "application/emergencycalldata.providerinfo+xml",
  "application/emergencycalldata.serviceinfo+xml",
  "application/emergencycalldata.subscriberinfo+xml",
  "application/emergencycalldata.veds+xml",
  // What a recorder is told of the call that it records (RFC 7865). Only recorders read it.
  "application/rs-metadata",
  "application/rs-metadata+xml",
  "application/rs-metadata-request",
  // What a call costs (3GPP TS 24.647), and how many messages wait (RFC 3842).
  "application/vnd.etsi.aoc+xml",
  "application/simple-message-summary",
  // Text for people, and what belongs to it (RFC 3994, RFC 5438).
  "text/plain",
  "text/html",
  "application/im-iscomposing+xml",
  "message/imdn+xml",
]);

/** Media types that are read and judged as ISUP, or refused as ISUP that can't be read (RFC 3204 section 3.1). */
export const isupTypes: ReadonlySet<string> = new Set(["application/isup", "application/x-isup"]);
