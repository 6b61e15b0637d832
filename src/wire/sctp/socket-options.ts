// Options of SCTP sockets: their structures, set and read.
import { SOL_SOCKET } from "../kernel/system-calls.ts";
import { OPTION, OPTION_LENGTH, OPTION_ROOM, PAYLOAD, PAYLOAD_ROOM, type CallBlock } from "./call-block.ts";
import { endpointLength, readEndpoint } from "./address-list.ts";
import {
  ACKNOWLEDGE,
  associationRetransmissions,
  HEARTBEAT,
  INIT_ATTEMPTS,
  INIT_MAX,
  PATH_RETRANSMISSIONS,
  RTO,
} from "./sctp-timers.ts";

// From <linux/sctp.h> and <asm-generic/socket.h>.
export const IPPROTO_SCTP = 132;
const SO_ERROR = 4;
const SCTP_RTOINFO = 0;
const SCTP_ASSOCINFO = 1;
const SCTP_INITMSG = 2;
const SCTP_NODELAY = 3;
const SCTP_PEER_ADDR_PARAMS = 9;
const SCTP_EVENTS = 11;
const SCTP_STATUS = 14;
const SCTP_GET_PEER_ADDR_INFO = 15;
const SCTP_DELAYED_SACK = 16;
const SCTP_GET_PEER_ADDRS = 108;
const SCTP_GET_ASSOC_STATS = 112;
/** Flags of struct sctp_paddrparams. */
const HEARTBEATS_ON = 1;
const HEARTBEAT_NOW = 4;
/** State of a path whose address the peer has only claimed (RFC 9260 section 5.4). */
const UNCONFIRMED = 3;

/**
 * Streams requested in each direction: one for management, and two for each value of an ITU
 * signalling link selection.
 */
const STREAMS = 33;

/** At most this many addresses of a peer are looked at. An exchange has two or three. */
const MOST_ADDRESSES = 16;

/** An address of a peer, as the kernel has it. */
export interface PeerAddress {
  readonly address: string;
  /** Whether the peer has answered there. An address that it only claims may be somebody else's. */
  readonly isProved: boolean;
}

/** The options. Functions throw an Error with `code`, where nothing else is said. */
export interface SocketOptions {
  set(fd: number, level: number, name: number, length: number, fill: (at: number) => void): void;
  setWord(fd: number, level: number, name: number, value: number): void;
  /** Sets everything that is ours to choose: timers, streams, notifications. */
  configure(fd: number, paths: number): void;
  pendingError(fd: number): number;
  outgoingStreams(fd: number): number;
  peerAddresses(fd: number): readonly PeerAddress[];
  /** Sends a heartbeat by every path, at once. Never throws. */
  askForLife(fd: number): void;
  /** @returns packets received on the association; -1 when it is gone. Never throws */
  heard(fd: number): number;
}

/**
 * Makes the options.
 * @param write setsockopt(2), which throws
 * @param read getsockopt(2) into memory at the fourth argument; throws
 */
export function createSocketOptions(
  block: CallBlock,
  write: (fd: number, level: number, name: number, at: number, length: number) => void,
  read: (fd: number, level: number, name: number, at: number, lengthAt: number) => void,
): SocketOptions {
  const { view, bytes, at: memory } = block;

  const set: SocketOptions["set"] = (fd, level, name, length, fill) => {
    bytes.fill(0, OPTION, OPTION + OPTION_ROOM);
    fill(OPTION);
    write(fd, level, name, memory + OPTION, length);
  };

  const setWord: SocketOptions["setWord"] = (fd, level, name, value) =>
    set(fd, level, name, 4, (at) => view.setInt32(at, value, true));

  /** Reads into the block at an offset. What the caller has written there stays, as the question. */
  function get(fd: number, level: number, name: number, length: number, at = OPTION): void {
    view.setUint32(OPTION_LENGTH, length, true);
    read(fd, level, name, memory + at, memory + OPTION_LENGTH);
  }

  function ask(fd: number, name: number, length: number): void {
    bytes.fill(0, OPTION, OPTION + OPTION_ROOM);
    get(fd, IPPROTO_SCTP, name, length);
  }

  /** struct sctp_paddrinfo: association, address (of 128 octets), state. */
  function isProved(fd: number, at: number): boolean {
    bytes.fill(0, OPTION, OPTION + OPTION_ROOM);
    bytes.copyWithin(OPTION + 4, at, at + endpointLength(block, at));
    try {
      get(fd, IPPROTO_SCTP, SCTP_GET_PEER_ADDR_INFO, 152);
    } catch (error) {
      // Where the operator says so, the kernel hides the state of a path that has failed lately, and no other.
      return error instanceof Error && "code" in error && error.code === "EACCES";
    }
    return view.getInt32(OPTION + 132, true) !== UNCONFIRMED;
  }

  return {
    set,
    setWord,
    configure(fd, paths) {
      // struct sctp_initmsg: streams out, streams in, attempts, longest time-out (ms).
      set(fd, IPPROTO_SCTP, SCTP_INITMSG, 8, (at) => {
        view.setUint16(at, STREAMS, true);
        view.setUint16(at + 2, STREAMS, true);
        view.setUint16(at + 4, INIT_ATTEMPTS, true);
        view.setUint16(at + 6, INIT_MAX, true);
      });
      setWord(fd, IPPROTO_SCTP, SCTP_NODELAY, 1);
      // struct sctp_event_subscribe: information with every message; changes of the association, of
      // its paths; shutdown.
      set(fd, IPPROTO_SCTP, SCTP_EVENTS, 8, (at) => {
        for (const event of [0, 1, 2, 5]) view.setUint8(at + event, 1);
      });
      // struct sctp_rtoinfo: association, first, longest, shortest (ms).
      set(fd, IPPROTO_SCTP, SCTP_RTOINFO, 16, (at) => {
        view.setUint32(at + 4, RTO.initial, true);
        view.setUint32(at + 8, RTO.max, true);
        view.setUint32(at + 12, RTO.min, true);
      });
      // struct sctp_sack_info: association, delay (ms), packets that are acknowledged at once.
      set(fd, IPPROTO_SCTP, SCTP_DELAYED_SACK, 12, (at) => {
        view.setUint32(at + 4, ACKNOWLEDGE, true);
        view.setUint32(at + 8, 2, true);
      });
      // struct sctp_paddrparams, packed: association, address, heartbeat interval (ms) at 132,
      // retransmissions at 136, flags at 146.
      set(fd, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, 156, (at) => {
        view.setUint32(at + 132, HEARTBEAT, true);
        view.setUint16(at + 136, PATH_RETRANSMISSIONS, true);
        view.setUint32(at + 146, HEARTBEATS_ON, true);
      });
      // struct sctp_assocparams: association, retransmissions. The kernel compares them with those of
      // the paths, which are set above.
      set(fd, IPPROTO_SCTP, SCTP_ASSOCINFO, 20, (at) =>
        view.setUint16(at + 4, associationRetransmissions(paths), true),
      );
    },
    pendingError(fd) {
      get(fd, SOL_SOCKET, SO_ERROR, 4);
      return view.getInt32(OPTION, true);
    },
    outgoingStreams(fd) {
      ask(fd, SCTP_STATUS, OPTION_ROOM);
      // struct sctp_status: association, state, window, unacknowledged, pending, streams in,
      // streams out.
      return view.getUint16(OPTION + 18, true);
    },
    peerAddresses(fd) {
      // struct sctp_getaddrs: association, number of addresses, the addresses.
      view.setUint32(PAYLOAD, 0, true);
      get(fd, IPPROTO_SCTP, SCTP_GET_PEER_ADDRS, PAYLOAD_ROOM, PAYLOAD);
      const count = Math.min(view.getUint32(PAYLOAD + 4, true), MOST_ADDRESSES);
      const found: PeerAddress[] = [];
      let at = PAYLOAD + 8;
      for (let left = count; left > 0; left--) {
        found.push({ address: readEndpoint(block, at).address, isProved: isProved(fd, at) });
        at += endpointLength(block, at);
      }
      return found;
    },
    askForLife(fd) {
      try {
        set(fd, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, 156, (at) =>
          view.setUint32(at + 146, HEARTBEAT_NOW, true),
        );
      } catch {
        // The association is gone; `heard` says so.
      }
    },
    heard(fd) {
      try {
        ask(fd, SCTP_GET_ASSOC_STATS, OPTION_ROOM);
      } catch {
        return -1;
      }
      // struct sctp_assoc_stats: association, an address of 128 octets at 8, then counts of 64 bits,
      // of which the fifth is packets received.
      return Number(view.getBigUint64(OPTION + 168, true));
    },
  };
}
