/** Functional exchanges every target must pass before anything is timed: fast but wrong is not a result. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Dataset } from "./dataset.ts";
import type { Layout } from "./dataset-files.ts";
import type { Target } from "./targets.ts";

/** One call attempt and what must become of it. */
interface Probe {
  readonly name: string;
  /** A trunk's address; any other address is a stranger. */
  readonly from: string;
  readonly caller: string;
  readonly called?: string;
  /** Header lines beside the usual ones; P-Asserted-Identity is added unless `caller` is no number. */
  readonly headers?: readonly string[];
  readonly asserted?: string;
  readonly expect: "carried" | "nothing" | number;
  /** Passed by the bare forwarder too. */
  readonly bare?: boolean;
}

interface Received {
  readonly socket: Socket | undefined;
  readonly text: string;
}

const silence = 200;
const patience = 2_000;

/** Waits until a target answers, then runs every probe on it; returns what went wrong, in words. */
export async function runProbes(
  target: Target,
  dataset: Dataset,
  layout: Layout,
): Promise<readonly string[]> {
  const core = await openSocket(layout.coreAddress, layout.corePort);
  try {
    const probes = probesOf(dataset)
      .filter((probe) => target.name !== "bare" || probe.bare === true)
      // drachtio can't be silent.
      .map((probe) =>
        target.name === "drachtio" && probe.expect === "nothing" ? { ...probe, expect: 403 } : probe,
      );
    const first = probes[0];
    if (first === undefined) return [];
    for (let tries = 0; (await runProbe(first, target, layout, core)) !== undefined; tries += 1) {
      if (tries === 60) return [`no answer; see ${target.log}`];
      await sleep(500);
    }
    const failures: string[] = [];
    for (const probe of probes) {
      const failure = await runProbe(probe, target, layout, core);
      if (failure !== undefined) failures.push(`${probe.name}: ${failure}`);
    }
    return failures;
  } finally {
    core.close();
  }
}

function probesOf({ trunks, police }: Dataset): readonly Probe[] {
  const [one, two] = trunks;
  const abroad = trunks.at(-1);
  if (one?.lessee === undefined || two?.lessee === undefined || abroad === undefined) return [];
  const listed = `+${one.lessee.numbers[0]}`;
  const range = one.lessee.ranges[0]?.first ?? 0;
  const home = listed.slice(3);
  const from = one.address;
  return [
    { name: "listed number", from, caller: listed, expect: "carried", bare: true },
    { name: "last but one of a range", from, caller: `+${range + 9}`, expect: "carried" },
    { name: "number before a range", from, caller: `+${range - 1}`, expect: 403, bare: true },
    { name: "listed, written 0086", from, caller: `0086${home}`, expect: "carried" },
    { name: "listed, national form", from, caller: `0${home}`, expect: "carried" },
    { name: "number of another lessee", from, caller: `+${two.lessee.numbers[0]}`, expect: 403 },
    { name: "number of nobody", from, caller: "+862561234567", expect: 403, bare: true },
    { name: "forged P-Asserted-Identity", from, caller: listed, asserted: "+862561234567", expect: 403 },
    { name: "Privacy: id", from, caller: listed, headers: ["Privacy: id"], expect: 433 },
    { name: "anonymous From", from, caller: "anonymous", asserted: listed, expect: 433 },
    { name: "empty caller", from, caller: "", expect: 403 },
    { name: "400 number", from, caller: "+864006123456", expect: 403 },
    {
      name: "diversion without licence",
      from,
      caller: listed,
      headers: [`Diversion: <sip:${listed}@x>`],
      expect: 403,
    },
    {
      name: "emergency call of an unlisted number",
      from,
      caller: "+862561234567",
      called: "110",
      expect: "carried",
    },
    { name: "foreign caller from abroad", from: abroad.address, caller: "+442079460123", expect: "carried" },
    { name: "+86 from abroad", from: abroad.address, caller: listed, expect: 403 },
    { name: "0086 from abroad", from: abroad.address, caller: `0086${home}`, expect: 403 },
    { name: "86 from abroad", from: abroad.address, caller: listed.slice(1), expect: 403 },
    { name: "police list", from: abroad.address, caller: `+${police[0]}`, expect: 603 },
    { name: "stranger", from: "127.20.9.9", caller: listed, expect: "nothing" },
  ];
}

let callCount = 0;

async function runProbe(
  probe: Probe,
  target: Target,
  layout: Layout,
  core: Socket,
): Promise<string | undefined> {
  callCount += 1;
  const callId = `probe-${process.pid}-${callCount}`;
  const caller = await openSocket(probe.from, layout.trunkPort);
  try {
    const own = `SIP/2.0/UDP ${probe.from}:${layout.trunkPort};branch=z9hG4bK-${callId}`;
    const request = (method: string, uri: string, lines: readonly string[]): string =>
      message(`${method} ${uri} SIP/2.0`, [
        `Via: ${own}`,
        ...lines,
        `Call-ID: ${callId}`,
        `CSeq: 1 ${method}`,
      ]);
    const place = (text: string): void => caller.send(text, target.port, target.address);
    const to = `<sip:${probe.called ?? "13700000001"}@${target.address}:${target.port}>`;
    const asserted = probe.asserted ?? (probe.caller.length > 2 ? probe.caller : undefined);
    const user = probe.caller === "" ? "" : `${probe.caller}@`;
    const parties = ["Max-Forwards: 70", `From: <sip:${user}${probe.from}>;tag=${callId}`];
    place(
      request("INVITE", to.slice(1, -1), [
        ...parties,
        `To: ${to}`,
        `Contact: <sip:${probe.from}:${layout.trunkPort}>`,
        ...(asserted === undefined ? [] : [`P-Asserted-Identity: <sip:${asserted}@${probe.from}>`]),
        ...(probe.headers ?? []),
      ]),
    );
    const wait = probe.expect === "nothing" ? silence : patience;
    const { socket, text: invite } = await receive([caller, core], callId, wait);
    if (probe.expect === "nothing")
      return socket === undefined ? undefined : `it was handled: ${firstLine(invite)}`;
    if (socket === undefined) return "nothing came";
    if (typeof probe.expect === "number") return refusalFault(invite, probe.expect);
    if (socket === caller) return `expected the core to receive it, got ${firstLine(invite)}`;

    // The answer goes back with its Vias folded into one line, as SIPp writes them; later requests carry folded Routes.
    const vias = valuesOf(invite, "Via");
    const route = valuesOf(invite, "Record-Route");
    const answer = [
      `Via: ${vias.join(", ")}`,
      ...route.map((value) => `Record-Route: ${value}`),
      ...parties.slice(1),
    ];
    const contact = `sip:${layout.coreAddress}:${layout.corePort}`;
    core.send(
      message("SIP/2.0 200 OK", [
        ...answer,
        `To: ${to};tag=core`,
        `Contact: <${contact}>`,
        `Call-ID: ${callId}`,
        "CSeq: 1 INVITE",
      ]),
      target.port,
      target.address,
    );
    const { text: ok } = await receive([caller], callId, patience);
    if (!ok.startsWith("SIP/2.0 200")) return `no 200 came back, but "${firstLine(ok)}"`;
    const left = valuesOf(ok, "Via");
    if (left.length !== 1 || left[0]?.startsWith(`SIP/2.0/UDP ${probe.from}:`) !== true)
      return `Via of the 200: ${left.join(" | ")}`;
    const routeLine = route.length === 0 ? [] : [`Route: ${route.toReversed().join(", ")}`];
    place(request("BYE", contact, [...routeLine, ...parties, `To: ${to};tag=core`]));
    const { text: bye } = await receive([core], callId, patience);
    if (!bye.startsWith("BYE ")) return `the core got "${firstLine(bye)}" for the BYE`;
    return valuesOf(bye, "Route").length === 0
      ? undefined
      : `the BYE kept its Route: ${valuesOf(bye, "Route").join(" | ")}`;
  } finally {
    caller.close();
  }
}

function refusalFault(answer: string, status: number): string | undefined {
  return answer.startsWith(`SIP/2.0 ${status} `) ? undefined : `expected ${status}, got ${firstLine(answer)}`;
}

/** The next datagram of a call on any of the sockets; "" after `wait` ms. */
function receive(sockets: readonly Socket[], callId: string, wait: number): Promise<Received> {
  return new Promise((resolve) => {
    const ears = sockets.map((socket) => ({
      socket,
      hear: (bytes: Buffer): void => {
        const text = bytes.toString("latin1");
        // A stateful server says 100 before anything else.
        if (text.startsWith("SIP/2.0 100 ") || !text.includes(`Call-ID: ${callId}\r\n`)) return;
        settle({ socket, text });
      },
    }));
    const timer = setTimeout(() => settle({ socket: undefined, text: "" }), wait);
    function settle(received: Received): void {
      clearTimeout(timer);
      for (const { socket, hear } of ears) socket.off("message", hear);
      resolve(received);
    }
    for (const { socket, hear } of ears) socket.on("message", hear);
  });
}

async function openSocket(address: string, port: number): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.bind(port, address);
  await once(socket, "listening");
  return socket;
}

function message(start: string, headers: readonly string[]): string {
  return `${[start, ...headers, "Content-Length: 0"].join("\r\n")}\r\n\r\n`;
}

/** Every value of a header, folded or on lines of its own; no value here has a comma inside. */
function valuesOf(text: string, name: string): readonly string[] {
  const lines = text.split("\r\n").filter((line) => line.startsWith(`${name}: `));
  return lines.flatMap((line) => line.slice(name.length + 2).split(", ")).map((value) => value.trim());
}

function firstLine(text: string): string {
  return text.split("\r\n", 1)[0] ?? "";
}
