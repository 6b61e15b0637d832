// Reads the table of TCP connections of Linux: whether the far end of a connection acknowledges what is sent.
import { parseAddress, type Endpoint } from "../../net/address.ts";

/** State of a connection that both ends have. */
const ESTABLISHED = "01";
/** Timers: of a retransmission, and of a probe of a peer that has no room. */
const RETRANSMISSION = "01";
const PROBE = "04";

/**
 * What the table says of a connection: `answers`, the far end acknowledges what is sent, or says that it has no room;
 * `silent`, octets are sent again without an answer; `gone`, one end has closed it, or it is not in the table.
 */
export type TcpState = "answers" | "silent" | "gone";

/** Finds a connection in the text of the table (Linux, Documentation/networking/proc_net_tcp). */
export function findConnection(table: string, local: Endpoint, remote: Endpoint): TcpState {
  const key = ` ${keyOf(local)} ${keyOf(remote)} `;
  const at = table.indexOf(key);
  if (at < 0) return "gone";
  const end = table.indexOf("\n", at);
  // State, queues, timer with its time, retransmissions, user, unanswered probes.
  const [state, queues = "", timer = "", again = "", , probes] = table
    .slice(at + key.length, end < 0 ? undefined : end)
    .split(" ")
    .filter((word) => word !== "");
  if (state !== ESTABLISHED) return "gone";
  if (queues.startsWith("00000000:")) return "answers";
  if (timer.startsWith(`${RETRANSMISSION}:`)) return Number.parseInt(again, 16) === 0 ? "answers" : "silent";
  return timer.startsWith(`${PROBE}:`) && Number(probes) > 1 ? "silent" : "answers";
}

/** An address as the table has it: words of 32 bits in the octet order of the host, then the port. */
function keyOf({ address, port }: Endpoint): string {
  const parsed = parseAddress(address);
  const digits = parsed === undefined ? "" : parsed.value.toString(16).padStart(parsed.bits / 4, "0");
  let words = "";
  for (let word = 0; word < digits.length; word += 8)
    for (let octet = 6; octet >= 0; octet -= 2) words += digits.slice(word + octet, word + octet + 2);
  return `${words}:${port.toString(16).padStart(4, "0")}`.toUpperCase();
}
