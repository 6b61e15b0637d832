import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { header } from "../support/proxy.ts";
import { inTime } from "../support/until.ts";

/** How often a calling party repeats its INVITE. Milliseconds. */
const REPEAT = 50;

/** What came in at either end, in order. */
interface Inbox {
  readonly deliver: (message: string) => void;
  /** Resolves with the next message that comes, or has come already. */
  readonly next: () => Promise<string>;
}

function createInbox(): Inbox {
  const messages: string[] = [];
  const readers: ((message: string) => void)[] = [];
  return {
    deliver(message) {
      const reader = readers.shift();
      if (reader === undefined) messages.push(message);
      else reader(message);
    },
    next: () =>
      new Promise((resolve) => {
        const message = messages.shift();
        if (message === undefined) readers.push(resolve);
        else resolve(message);
      }),
  };
}

/** A SIP end on loopback whose port the system chose. */
interface End {
  readonly port: number;
  readonly send: (text: string, port: number) => void;
  readonly close: () => void;
}

async function openEnd(inbox: Inbox): Promise<End> {
  const socket = createSocket("udp4");
  socket.on("message", (bytes) => inbox.deliver(bytes.toString("latin1")));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    port: socket.address().port,
    send: (text, port) => socket.send(text, port, "127.0.0.1"),
    close: () => socket.close(),
  };
}

/** A folder with a configuration of its own: one lessee trunk and the core behind it, on ports that the system chose. */
export interface Workplace {
  readonly folder: string;
  readonly config: string;
  /**
   * Sends an INVITE of a new call and says how it was judged: "forwarded", or the status of the refusal. `repeats`: the INVITE is
   * repeated until then, as a calling party does whose datagrams get lost (RFC 3261 section 17.1.1.2).
   */
  readonly placeCall: (filterPort: number, from: string, repeats?: boolean) => Promise<string>;
  /** The INVITE of the call that was placed last. */
  readonly lastInvite: () => string;
  /** Sends a message as it is, and says how it was judged. */
  readonly send: (filterPort: number, message: string) => Promise<string>;
  readonly write: (name: string, text: string) => void;
  readonly policy: (changes?: Partial<PolicyText>) => string;
  /** Closes both ends, so that another program can take their ports. */
  readonly release: () => { readonly caller: string; readonly core: string };
  readonly remove: () => void;
}

export interface PolicyText {
  /** YAML of the `rules` key. */
  readonly rules: string;
  /** Path of the lessee's list. */
  readonly numbers: string;
}

/** Numbers of the lessee. */
export const list = "number,note\n+861087654300..+861087654399,head office\n";
/** Everything on free ports. */
export const staticText =
  "listen: [udp:127.0.0.1:0]\nadmin: 127.0.0.1:0\npolicy: policy.yaml\nkeyFile: own.key\ndrainSeconds: 0\n";

export async function openWorkplace(): Promise<Workplace> {
  const folder = mkdtempSync(join(tmpdir(), "sigwall-"));
  const inbox = createInbox();
  const [caller, core] = await Promise.all([openEnd(inbox), openEnd(inbox)]);
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  const policy = ({
    rules = "{}",
    numbers = "lists/own.csv",
  }: Partial<PolicyText> = {}): string => `version: 1
trunks:
  - id: core
    side: core
    match: { addresses: [127.0.0.1], ports: [${core.port}] }
  - id: lease
    side: lessee
    match: { addresses: [127.0.0.1], ports: [${caller.port}] }
    lessee: own
    areaCode: "10"
    nextHops: ["sip:127.0.0.1:${core.port}"]
lessees:
  - id: own
    numbers: ${numbers}
rules: ${rules}
`;
  const open = new Set([caller, core]);
  const closeEnds = (): void => {
    for (const end of open) end.close();
    open.clear();
  };
  let last = "";
  const send = async (filterPort: number, text: string, repeats = false): Promise<string> => {
    const callId = header(text, "Call-ID");
    const repeating = repeats ? setInterval(() => caller.send(text, filterPort), REPEAT) : undefined;
    caller.send(text, filterPort);
    // What else comes: the filter asks whether the core is there, and earlier calls, which nobody answers, end.
    let message = "";
    do {
      message = await inTime(inbox.next(), () => `nothing came of ${text}`);
    } while (header(message, "Call-ID") !== callId || message.startsWith("SIP/2.0 100 "));
    clearInterval(repeating);
    return message.startsWith("INVITE ")
      ? "forwarded"
      : message.slice("SIP/2.0 ".length, "SIP/2.0 403".length);
  };
  mkdirSync(join(folder, "lists"));
  write("sigwall.yaml", staticText);
  write("lists/own.csv", list);
  write("policy.yaml", policy());
  return {
    folder,
    config: join(folder, "sigwall.yaml"),
    placeCall(filterPort, from, repeats) {
      last = invite(from);
      return send(filterPort, last, repeats);
    },
    lastInvite: () => last,
    send: (filterPort, message) => send(filterPort, message),
    write,
    policy,
    release() {
      closeEnds();
      return { caller: String(caller.port), core: String(core.port) };
    },
    remove() {
      closeEnds();
      rmSync(folder, { recursive: true });
    },
  };
}

let calls = 0;

/** An INVITE of a new call. */
function invite(from: string): string {
  calls++;
  return [
    "INVITE sip:02787654321@127.0.0.1 SIP/2.0",
    `Via: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bK-${calls};rport`,
    "Max-Forwards: 70",
    `From: <sip:${from}@127.0.0.1>;tag=a${calls}`,
    "To: <sip:02787654321@127.0.0.1>",
    `Call-ID: call-${calls}`,
    "CSeq: 1 INVITE",
    "Contact: <sip:127.0.0.1:5061>",
    "Content-Length: 0",
    "",
    "",
  ].join("\r\n");
}
