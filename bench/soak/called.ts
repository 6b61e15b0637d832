/**
 * The called side of the soak, a process that may be killed at any moment: `node out/bench/soak/called.js FOLDER ADDRESS
 * TRANSPORT:PORT...`; FOLDER has the certificates of TLS.
 * It answers every INVITE with 100, 180 and 200, repeats the 200 until its ACK, and answers BYE. What its answers say of an
 * INVITE's way (`X-Way`, µs) it has measured on the clock that the caller has too.
 */
import { nowMicros } from "./clock.ts";
import { readIdentity } from "./identity.ts";
import { field, lines, sentAt } from "./message.ts";
import { serveWire, transports } from "./wire.ts";

const [folder = "", address = "127.0.0.1", ...places] = process.argv.slice(2);

/** Answers that wait for their ACK, by Call-ID: RFC 3261 section 13.3.1.4. */
interface Pending {
  readonly answer: () => void;
  repeats: number;
  next: number;
}
const pending = new Map<string, Pending>();

type Send = (text: string) => void;

function reply(contact: string, request: string, status: string, extra: string, send: Send): void {
  const to = field(request, "To");
  const tag = to.includes("tag=") || status.startsWith("100") ? "" : ";tag=core";
  const text = [
    `SIP/2.0 ${status}\r\n`,
    ...lines(request, "Via"),
    ...lines(request, "Record-Route"),
    `From: ${field(request, "From")}\r\nTo: ${to}${tag}\r\n`,
    `Call-ID: ${field(request, "Call-ID")}\r\nCSeq: ${field(request, "CSeq")}\r\n`,
    `Contact: <${contact}>\r\n${extra}X-Sent: ${nowMicros().toFixed(1)}\r\nContent-Length: 0\r\n\r\n`,
  ].join("");
  send(text);
}

function hear(contact: string, text: string, send: Send): void {
  const arrived = nowMicros();
  const say = (status: string, extra: string): void => reply(contact, text, status, extra, send);
  const callId = field(text, "Call-ID");
  if (text.startsWith("INVITE ")) {
    say("100 Trying", `X-Way: ${(arrived - sentAt(text)).toFixed(1)}\r\n`);
    say("180 Ringing", "");
    const answer = (): void => say("200 OK", "");
    answer();
    pending.set(callId, { answer, repeats: 0, next: arrived + 500_000 });
  } else if (text.startsWith("ACK ")) pending.delete(callId);
  else if (text.startsWith("BYE ")) {
    pending.delete(callId);
    say("200 OK", `X-Way: ${(arrived - sentAt(text)).toFixed(1)}\r\n`);
  } else if (text.startsWith("OPTIONS ")) say("200 OK", "");
}

setInterval(() => {
  const now = nowMicros();
  for (const [callId, call] of pending) {
    if (call.next > now) continue;
    if (call.repeats === 10) pending.delete(callId);
    else {
      call.answer();
      call.repeats++;
      call.next = now + Math.min(500_000 * 2 ** call.repeats, 4_000_000);
    }
  }
}, 100);

for (const transport of transports) {
  const port = places.find((place) => place.startsWith(transport))?.split(":")[1];
  if (port === undefined) continue;
  const contact = `sip:core@${address}:${port};transport=${transport}`;
  const identity = transport === "tls" ? readIdentity(folder, "called") : undefined;
  await serveWire(
    transport,
    { address, port: Number(port) },
    (text, send) => hear(contact, text, send),
    identity,
  );
}
process.stdout.write("ready\n");
