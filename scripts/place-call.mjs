// Places one call through a running filter and plays both ends of it: the caller on a trunk of the example
// configuration, and the softswitch behind it. Shows every message that either end receives.
//   node scripts/place-call.mjs --from 01087654321 --to 02787654321
import { createSocket } from "node:dgram";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    from: { type: "string", default: "01087654321" },
    to: { type: "string", default: "02787654321" },
    hidden: { type: "boolean", default: false },
    trunk: { type: "string", default: "5061" },
    core: { type: "string", default: "5090" },
    filter: { type: "string", default: "127.0.0.1:5060" },
    patience: { type: "string", default: "3" },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) {
  console.log(`Places one call through a running filter and plays both ends of it.

node scripts/place-call.mjs [options]
  --from NUMBER      calling number (01087654321)
  --to NUMBER        called number (02787654321)
  --hidden           asks to hide the number (Privacy: id)
  --trunk PORT       local port of the caller: it tells the trunks of config/ apart (5061)
  --core PORT        local port of the softswitch behind the filter (5090)
  --filter HOST:PORT where the filter listens (127.0.0.1:5060)
  --patience SECONDS longest wait (3)`);
  process.exit(0);
}
const [filterHost, filterPort] = values.filter.split(":");
const callId = `place-call-${Date.now().toString(36)}`;
const caller = open(Number(values.trunk), "caller");
const core = open(Number(values.core), "core  ");
const timeout = setTimeout(
  () => finish(`no answer for ${values.patience} s: is the filter running?`, 1),
  Number(values.patience) * 1000,
);

function open(port, name) {
  const socket = createSocket("udp4");
  socket.on("error", (error) => finish(`${name.trim()}: ${error.message}`, 1));
  socket.bind(port, "127.0.0.1");
  const end = { name, port, socket };
  socket.on("message", (bytes, remote) => receive(end, bytes.toString("latin1"), remote));
  return end;
}

function receive(end, message, remote) {
  const [startLine = ""] = message.split("\r\n", 1);
  // The filter asks whether we are there.
  if (end === core && startLine.startsWith("OPTIONS ")) return answer(message, startLine, remote);
  console.log(`${end.name} <- ${startLine}`);
  if (end === core) answer(message, startLine, remote);
  else proceed(message, startLine);
}

/** The softswitch rings, answers and takes leave. */
function answer(request, startLine, remote) {
  if (startLine.startsWith("ACK")) return;
  const respond = (status) => {
    const copied = headers(request, ["via", "record-route", "from", "call-id", "cseq"]);
    const to = headers(request, ["to"]).map((line) => (line.includes("tag=") ? line : `${line};tag=core`));
    const contact = `Contact: <sip:127.0.0.1:${core.port}>`;
    const text = [`SIP/2.0 ${status}`, ...copied, ...to, contact, "Content-Length: 0", "", ""].join("\r\n");
    core.socket.send(text, remote.port, remote.address);
  };
  if (startLine.startsWith("INVITE")) respond("180 Ringing");
  respond("200 OK");
}

/** The caller confirms what was answered, and hangs up. */
function proceed(response, startLine) {
  const status = Number(startLine.split(" ")[1]);
  const isInvite = headers(response, ["cseq"]).some((line) => line.endsWith("INVITE"));
  if (status < 200) return;
  const [to] = headers(response, ["to"]);
  if (!isInvite) {
    finish("the call went through", 0);
  } else if (status < 300) {
    const routes = headers(response, ["record-route"]).map((line) => line.replace(/^record-route/i, "Route"));
    send("ACK", `sip:127.0.0.1:${core.port}`, "1 ACK", "ack", [...routes, to]);
    send("BYE", `sip:127.0.0.1:${core.port}`, "2 BYE", "bye", [...routes, to]);
  } else {
    // The ACK of a refusal carries the branch of its INVITE (RFC 3261 section 17.1.1.3).
    send("ACK", `sip:${values.to}@127.0.0.1`, "1 ACK", "invite", [to]);
    finish(`refused; ${headers(response, ["reason"]).join(" ")}`, 0);
  }
}

function send(method, uri, sequence, branch, extra) {
  const from = values.hidden
    ? '"Anonymous" <sip:anonymous@anonymous.invalid>'
    : `<sip:${values.from}@127.0.0.1>`;
  const asserted = `P-Asserted-Identity: <sip:${values.from}@127.0.0.1>`;
  const lines = [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${caller.port};branch=z9hG4bK-${callId}-${branch};rport`,
    "Max-Forwards: 70",
    `From: ${from};tag=caller`,
    `Call-ID: ${callId}`,
    `CSeq: ${sequence}`,
    ...(method === "INVITE" ? [`Contact: <sip:127.0.0.1:${caller.port}>`, asserted] : []),
    ...(method === "INVITE" && values.hidden ? ["Privacy: id"] : []),
    ...extra,
    "Content-Length: 0",
    "",
    "",
  ];
  console.log(`caller -> ${lines[0]}`);
  caller.socket.send(lines.join("\r\n"), Number(filterPort), filterHost);
}

/** Whole header lines with these names, in their order. */
function headers(message, names) {
  const lines = message.split("\r\n\r\n", 1)[0].split("\r\n").slice(1);
  return lines.filter((line) => names.includes(line.slice(0, line.indexOf(":")).trim().toLowerCase()));
}

function finish(words, code) {
  clearTimeout(timeout);
  console.log(words);
  process.exitCode = code;
  // The ACK of a refusal is still on its way.
  setImmediate(() => [caller, core].forEach(({ socket }) => socket.close()));
}

send("INVITE", `sip:${values.to}@127.0.0.1`, "1 INVITE", "invite", [`To: <sip:${values.to}@127.0.0.1>`]);
