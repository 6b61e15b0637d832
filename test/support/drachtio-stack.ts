import { Buffer } from "node:buffer";
import type { Socket } from "node:dgram";

/** An INVITE or other request that a {@link SipStack} has taken. */
export interface Transaction {
  readonly id: string;
  readonly method: string;
  /** As drachtio shows it: as received, but for `received` and `rport` in the top Via. */
  readonly raw: string;
  readonly address: string;
  readonly port: number;
  /** The order to pass it on, once it was given. */
  order: string | undefined;
  final: string | undefined;
  isPassedOn: boolean;
  branches: string[];
  targets: string[];
  fields: readonly string[];
  best: string | undefined;
  timeout: number;
  timer: NodeJS.Timeout | undefined;
}

export interface StackHandlers {
  /** Shows a new request to whoever decides; false when nobody does. */
  readonly request: (transaction: Transaction) => boolean;
  /** A final answer of a target that a request was passed to; `isLast`: there will be no more. */
  readonly proxied: (
    transaction: Transaction,
    response: { readonly text: string; readonly from: string } | undefined,
    isLast: boolean,
  ) => void;
  /** "attempt|network", "stop|network|normal-release" … */
  readonly report: (kind: string, message: string) => void;
}

/** As much of a stateful SIP proxy over UDP as calls between well-behaved peers need, with drachtio's own habits. */
export interface SipStack {
  /** Answers a transaction; the response as it was sent, or undefined when there is none to answer. */
  respond(id: string, response: string): string | undefined;
  proxy(
    id: string,
    order: string,
    targets: readonly string[],
    timeout: number,
    fields: readonly string[],
  ): boolean;
  close(): void;
}

const phrases: Readonly<Record<number, string>> = { 100: "Trying", 200: "OK", 400: "Bad Request" };

/** The first field of a name, long or compact. */
export function fieldOf(message: string, name: string, compact = name): string {
  const lines = message.split("\r\n\r\n", 1)[0]?.split("\r\n") ?? [];
  const line = lines.find((text) => {
    const field = text.slice(0, text.indexOf(":")).trim().toLowerCase();
    return field === name.toLowerCase() || field === compact;
  });
  return line?.slice(line.indexOf(":") + 1).trim() ?? "";
}

export function branchOf(message: string): string {
  return /;branch=([^;,\s]+)/.exec(fieldOf(message, "Via", "v"))?.[1] ?? "";
}

function isVia(line: string): boolean {
  return /^(?:via|v)\s*:/i.test(line);
}

/** The message without the first line of its kind. */
function withoutFirst(message: string, isIt: (line: string) => boolean): string {
  const lines = message.split("\r\n");
  const at = lines.findIndex(isIt);
  return at < 0 ? message : lines.toSpliced(at, 1).join("\r\n");
}

function insertBehindStart(message: string, lines: readonly string[]): string {
  const [start = "", ...rest] = message.split("\r\n");
  return [start, ...lines, ...rest].join("\r\n");
}

function placeOf(uri: string): { readonly address: string; readonly port: number } {
  const match = /sips?:(?:[^@>]*@)?([^:;>]+)(?::(\d+))?/.exec(uri);
  return { address: match?.[1] ?? "", port: Number(match?.[2] ?? 5060) };
}

/** What the real one reports of a final answer, of each side of the call. To it, a 2xx other than 200 is a refusal. */
function reportOf(status: number, source: "network" | "application"): string {
  if (status === 200) return `start|${source}|${source === "network" ? "proxy-uac" : "proxy-uas"}`;
  return `stop|${source}|${status === 487 ? "call-canceled" : "call-rejected"}`;
}

export function createStack(udp: Socket, host: string, port: number, handlers: StackHandlers): SipStack {
  const byKey = new Map<string, Transaction>();
  const byId = new Map<string, Transaction>();
  const byBranch = new Map<string, Transaction>();
  const own = `${host}:${port}`;
  let serial = 0;

  function send(message: string, to: { readonly address: string; readonly port: number }): void {
    udp.send(Buffer.from(message, "utf8"), to.port, to.address);
  }

  function reply(
    transaction: Transaction,
    status: number,
    phrase: string,
    fields: readonly string[],
  ): string {
    const { raw } = transaction;
    const head = raw.split("\r\n\r\n", 1)[0] ?? "";
    const kept = head
      .split("\r\n")
      .filter((line) => isVia(line) || /^(?:from|f|call-id|i|cseq|to|t)\s*:/i.test(line))
      .map((line) =>
        /^(?:to|t)\s*:/i.test(line) && status > 100 && !line.includes(";tag=")
          ? `${line};tag=server${transaction.id}`
          : line,
      );
    const text = [`SIP/2.0 ${status} ${phrase}`, ...kept, ...fields, "Content-Length: 0", "", ""].join(
      "\r\n",
    );
    if (status >= 200) transaction.final = text;
    send(text, transaction);
    return text;
  }

  function take(raw: string, address: string, from: number): void {
    const [method = ""] = raw.split(" ", 1);
    const key = `${branchOf(raw)} ${fieldOf(raw, "CSeq").split(" ", 1)[0]}`;
    const known = byKey.get(key);
    const route = fieldOf(raw, "Route");
    const isInDialog = fieldOf(raw, "To", "t").includes(";tag=");
    if (method === "ACK" && known?.final !== undefined) return;
    if (isInDialog && route !== "") passAlong(raw, method);
    else if (method === "CANCEL") cancel(raw, address, from, known);
    else if (known !== undefined) {
      if (known.final !== undefined && !known.isPassedOn) send(known.final, known);
    } else if (method !== "ACK") begin(raw, method, key, address, from, isInDialog);
  }

  function begin(
    raw: string,
    method: string,
    key: string,
    address: string,
    from: number,
    isInDialog: boolean,
  ): void {
    const transaction: Transaction = {
      id: `t${++serial}`,
      method,
      raw: raw.replace(/^((?:via|v)\s*:[^\r\n]*)/im, `$1;received=${address};rport=${from}`),
      address,
      port: from,
      order: undefined,
      final: undefined,
      isPassedOn: false,
      branches: [],
      targets: [],
      fields: [],
      best: undefined,
      timeout: 0,
      timer: undefined,
    };
    byKey.set(key, transaction);
    byId.set(transaction.id, transaction);
    if (raw.includes("\0")) {
      reply(transaction, 400, "Bad Request", []);
    } else if (isInDialog) reply(transaction, 481, "Call Does Not Exist", []);
    else {
      if (method === "INVITE") reply(transaction, 100, "Trying", []);
      const isTaken = handlers.request(transaction);
      if (method === "INVITE") handlers.report("attempt|network", transaction.raw);
      if (!isTaken) reply(transaction, 503, "Service Unavailable", []);
    }
  }

  function cancel(raw: string, address: string, from: number, invite: Transaction | undefined): void {
    const status = invite === undefined || invite.final !== undefined ? 481 : 200;
    const lines = raw
      .split("\r\n")
      .filter((line) => isVia(line) || /^(?:from|to|call-id|cseq)\s*:/i.test(line));
    const text = `SIP/2.0 ${status} ${phrases[status] ?? "Gone"}`;
    send([text, ...lines, "Content-Length: 0", "", ""].join("\r\n"), { address, port: from });
    if (invite === undefined || status !== 200) return;
    if (!invite.isPassedOn) {
      reply(invite, 487, "Request Terminated", []);
      return;
    }
    const [target = ""] = invite.targets;
    const via = `Via: SIP/2.0/UDP ${own};branch=${invite.branches.at(-1)}`;
    send(
      insertBehindStart(
        withoutFirst(withoutFirst(raw, isVia), (line) => /^route\s*:/i.test(line)),
        [via],
      ),
      placeOf(target),
    );
  }

  /** Whatever has a To tag and a Route goes where these lead, and nobody is asked: the real server's hole. */
  function passAlong(raw: string, method: string): void {
    if (method === "BYE") handlers.report("stop|network|normal-release", raw);
    const stripped = withoutFirst(raw, (line) => /^route\s*:/i.test(line));
    const next = fieldOf(stripped, "Route") || (stripped.split(" ")[1] ?? "");
    const via = `Via: SIP/2.0/UDP ${own};branch=z9hG4bKp${++serial}`;
    send(insertBehindStart(stripped, [via]), placeOf(next));
  }

  function tryNext(transaction: Transaction): void {
    const [target] = transaction.targets;
    if (target === undefined) {
      const best = transaction.best ?? reply(transaction, 408, "Request Timeout", []);
      if (transaction.best !== undefined) {
        transaction.final = best;
        send(best, transaction);
      }
      handlers.report("stop|application|call-rejected", best);
      handlers.proxied(transaction, undefined, true);
      return;
    }
    const branch = `z9hG4bKd${++serial}`;
    transaction.branches.push(branch);
    byBranch.set(branch, transaction);
    const uri = transaction.raw.split(" ")[1] ?? "";
    const isOwn = placeOf(uri).address === host && placeOf(uri).port === port;
    const request = isOwn ? transaction.raw.replace(uri, target) : transaction.raw;
    send(
      insertBehindStart(request, [
        `Via: SIP/2.0/UDP ${own};branch=${branch}`,
        `Record-Route: <sip:${own};lr>`,
        ...transaction.fields,
      ]),
      placeOf(target),
    );
    transaction.timer = setTimeout(() => {
      transaction.targets.shift();
      tryNext(transaction);
    }, transaction.timeout);
  }

  function relay(raw: string, address: string, from: number): void {
    const branch = branchOf(raw);
    const transaction = byBranch.get(branch);
    const stripped = withoutFirst(raw, isVia);
    const status = Number(raw.split(" ")[1]);
    if (transaction === undefined || !fieldOf(raw, "CSeq").endsWith("INVITE")) {
      // The next Via says where it goes: whoever it comes from, and whatever it answers.
      const via = fieldOf(stripped, "Via", "v");
      const to = /([\d.]+):(\d+)/.exec(via);
      const seen = /received=([\d.]+)/.exec(via)?.[1];
      const rport = /rport=(\d+)/.exec(via)?.[1];
      if (to !== null) send(stripped, { address: seen ?? to[1] ?? "", port: Number(rport ?? to[2]) });
      return;
    }
    clearTimeout(transaction.timer);
    if (status === 100) return;
    if (status >= 300) acknowledge(transaction, raw, branch);
    if (transaction.final !== undefined && status >= 300) return;
    if (status >= 200) handlers.report(reportOf(status, "network"), raw);
    if (status >= 300 && transaction.targets.length > 1 && branch === transaction.branches.at(-1)) {
      transaction.best = stripped;
      handlers.proxied(transaction, { text: raw, from: `${address}:${from}` }, false);
      transaction.targets.shift();
      tryNext(transaction);
      return;
    }
    send(stripped, transaction);
    if (status < 200) return;
    const isFirst = transaction.final === undefined;
    transaction.final = stripped;
    if (!isFirst) return;
    handlers.report(reportOf(status, "application"), stripped);
    handlers.proxied(transaction, { text: raw, from: `${address}:${from}` }, true);
  }

  function acknowledge(transaction: Transaction, response: string, branch: string): void {
    const [target = ""] = transaction.targets;
    const uri = transaction.raw.split(" ")[1] ?? "";
    const lines = [
      `ACK ${uri} SIP/2.0`,
      `Via: SIP/2.0/UDP ${own};branch=${branch}`,
      "Max-Forwards: 70",
      `From: ${fieldOf(response, "From", "f")}`,
      `To: ${fieldOf(response, "To", "t")}`,
      `Call-ID: ${fieldOf(response, "Call-ID", "i")}`,
      `CSeq: ${fieldOf(response, "CSeq").replace("INVITE", "ACK")}`,
      "Content-Length: 0",
      "",
      "",
    ];
    send(lines.join("\r\n"), placeOf(target));
  }

  udp.on("message", (bytes, remote) => {
    const raw = bytes.toString("utf8");
    if (raw.startsWith("SIP/")) relay(raw, remote.address, remote.port);
    else take(raw, remote.address, remote.port);
  });

  return {
    respond(id, response) {
      const transaction = byId.get(id);
      if (transaction === undefined || transaction.final !== undefined) return undefined;
      const [line = "", ...fields] = (response.split("\r\n\r\n", 1)[0] ?? "").split("\r\n");
      const [, status = "", ...phrase] = line.split(" ");
      const mine = fields.filter((field) => !/^(?:from|to|call-id|cseq|via|content-length)\s*:/i.test(field));
      const sent = reply(transaction, Number(status), phrase.join(" "), mine);
      if (transaction.method === "INVITE" && Number(status) >= 300)
        handlers.report(reportOf(Number(status), "application"), sent);
      return sent;
    },
    proxy(id, order, targets, timeout, fields) {
      const transaction = byId.get(id);
      if (transaction === undefined || transaction.final !== undefined) return false;
      Object.assign(transaction, { order, targets: [...targets], timeout, fields, isPassedOn: true });
      tryNext(transaction);
      return true;
    },
    close() {
      for (const { timer } of byId.values()) clearTimeout(timer);
    },
  };
}
