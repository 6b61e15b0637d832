// UDP ports that receive and send many datagrams per system call.
import type { Buffer } from "node:buffer";
import type { KernelSockets } from "./kernel-sockets.ts";
import {
  addressAt,
  createMessageRow,
  headerAddress,
  isTruncated,
  placePayload,
  receivedAddressLength,
  receivedLength,
  resetAddress,
  setAddressLength,
} from "./message-row.ts";
import { runTicks, throwLater } from "../kernel/native-callback.ts";
import { INET, INET6, readAddressText, readPort, writeAddress } from "../kernel/socket-address.ts";
import { EAGAIN, EINTR, systemError } from "../kernel/system-calls.ts";
import { RECEIVE_BUFFER, type DatagramHandlers, type DatagramPort, type OpenDatagramPort } from "./udp.ts";

/** Datagrams received at once. Others wait until timers and other sockets have had their turn. */
const SLOTS = 32;

/**
 * Bytes for one received datagram: longer than any without jumbograms (RFC 768), and an odd number
 * of cache lines, so that slots don't share them.
 */
const SLOT_SIZE = 65_536 + 13 * 64;

/**
 * At most this many datagrams, with this many bytes, wait in user space when the kernel takes no
 * more. Others are lost.
 */
const MOST_QUEUED = 1024;
const QUEUE_ROOM = 1024 * 1024;

/** Milliseconds that a socket rests after an error of its own. */
const REST = 100;

/** Makes the function that opens ports. All of them receive into one shared row. */
export function createBatchedSockets(sockets: KernelSockets): OpenDatagramPort {
  const inbox = createMessageRow(sockets.locate, SLOTS, SLOTS * SLOT_SIZE);
  for (let slot = 0; slot < SLOTS; slot++) placePayload(inbox, slot, slot * SLOT_SIZE, SLOT_SIZE);
  /** Whether a batch is being handled; datagrams sent meanwhile leave at its end. */
  let gathering = false;
  /** The `flush` of every port that has something to send then. */
  const sending: (() => void)[] = [];

  function handleBatch(receive: () => void): void {
    gathering = true;
    receive();
    gathering = false;
    for (const flush of sending) flush();
    sending.length = 0;
  }

  function open(
    address: string,
    port: number,
    handlers: DatagramHandlers,
    inherited: number | undefined,
  ): DatagramPort {
    const family = address.includes(":") ? INET6 : INET;
    const fd = inherited ?? sockets.bind(address, port);
    const outbox = createMessageRow(sockets.locate, MOST_QUEUED, QUEUE_ROOM);
    /**
     * Messages `first` to `last` of the outbox wait, `last` excluded; they use `used` bytes of its
     * payload.
     */
    let first = 0;
    let last = 0;
    let used = 0;
    let isListed = false;
    let isFlushing = false;
    let waitsForRoom = false;
    let isOpen = true;

    function receive(): void {
      if (!isOpen) return;
      const count = sockets.receive(fd, inbox.headers, SLOTS);
      if (count < 0 && count !== -EAGAIN && count !== -EINTR)
        tell(systemError("recvmmsg", -count, address, port));
      for (let slot = 0; slot < count; slot++) take(slot);
    }

    function take(slot: number): void {
      if (!isOpen) return;
      const at = addressAt(inbox, slot);
      const length = receivedLength(inbox, slot);
      const from = readAddressText(inbox, at, receivedAddressLength(inbox, slot), family);
      resetAddress(inbox, slot);
      if (isTruncated(inbox, slot) || length > SLOT_SIZE || from === undefined) {
        handlers.dropped("received");
        return;
      }
      const start = inbox.payload + slot * SLOT_SIZE;
      try {
        handlers.datagram(inbox.bytes.subarray(start, start + length), from, readPort(inbox, at));
      } catch (error) {
        throwLater(error);
      }
    }

    function tell(error: Error): void {
      try {
        handlers.error(error);
      } catch (fault) {
        throwLater(fault);
      }
    }

    function flush(): void {
      isListed = false;
      // The error handler may send again, and the loop below already handles that.
      if (isFlushing) return;
      isFlushing = true;
      let goesOn = true;
      while (goesOn && first < last) goesOn = sendSome();
      isFlushing = false;
      if (!isOpen) return;
      waitForRoom(first < last);
      if (first === last) first = last = used = 0;
    }

    /**
     * Passes waiting datagrams to the kernel.
     * @returns false when it takes no more
     */
    function sendSome(): boolean {
      if (!isOpen) return false;
      const sent = sockets.send(fd, headerAddress(outbox, first), last - first);
      if (sent === -EAGAIN) return false;
      if (sent > 0) first += sent;
      // sendmmsg stops at the first message with an error, and reports the error only when that
      // message is the first of all.
      else if (sent !== -EINTR) reportUnsent(first++, -sent);
      return true;
    }

    function reportUnsent(index: number, errno: number): void {
      const at = addressAt(outbox, index);
      const to = readAddressText(outbox, at, family === INET ? 16 : 28, family) ?? "";
      handlers.dropped("sent");
      tell(systemError("sendmmsg", errno, to, readPort(outbox, at)));
    }

    function waitForRoom(wanted: boolean): void {
      if (waitsForRoom === wanted) return;
      waitsForRoom = wanted;
      watch.start(wanted);
    }

    function send(bytes: Buffer, length: number, to: string, toPort: number): boolean {
      if (last === MOST_QUEUED || used + length > QUEUE_ROOM) flush();
      // A datagram from port 0 wants no answer (RFC 768).
      if (last === MOST_QUEUED || used + length > QUEUE_ROOM || toPort === 0 || !isOpen) {
        handlers.dropped("sent");
        return true;
      }
      const addressLength = writeAddress(outbox, addressAt(outbox, last), to, toPort, family);
      if (addressLength === 0) {
        tell(new Error(`can't send from ${address} to "${to}": not an address of the same family`));
        return true;
      }
      setAddressLength(outbox, last, addressLength);
      placePayload(outbox, last, used, length);
      bytes.copy(outbox.bytes, outbox.payload + used, 0, length);
      used += length;
      last++;
      if (!gathering) {
        flush();
      } else if (!isListed) {
        isListed = true;
        sending.push(flush);
      }
      return true;
    }

    function onReady(failed: boolean): void {
      handleBatch(receive);
      if (waitsForRoom) flush();
      if (failed) setTimeout(() => isOpen && watch.start(waitsForRoom), REST);
      runTicks();
    }

    const watch = sockets.watch(fd, onReady);
    return {
      address,
      port: sockets.boundPort(fd),
      receiveBuffer: sockets.growReceiveBuffer(fd, RECEIVE_BUFFER),
      send,
      close() {
        flush();
        if (isOpen) {
          isOpen = false;
          watch.close();
          sockets.close(fd);
        }
        return Promise.resolve();
      },
    };
  }

  return (address, port, handlers, fd) =>
    new Promise((resolve) => {
      resolve(open(address, port, handlers, fd));
    });
}
