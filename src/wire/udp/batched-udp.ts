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

/** Datagrams taken at once; what waits beyond them has its turn after timers and other sockets. */
const SLOTS = 32;

/** Longer than any datagram without jumbograms (RFC 768), and an odd number of cache lines so that slots don't share them. Bytes. */
const SLOT_SIZE = 65_536 + 13 * 64;

/** Datagrams that may wait in user space when the kernel takes no more, and their bytes; those beyond are lost, as on any full wire. */
const MOST_QUEUED = 1024;
const QUEUE_ROOM = 1024 * 1024;

/** How long a socket rests after an error of its own. Milliseconds. */
const REST = 100;

/** Makes the function that opens ports; they share one place to receive into. */
export function createBatchedSockets(sockets: KernelSockets): OpenDatagramPort {
  const inbox = createMessageRow(sockets.locate, SLOTS, SLOTS * SLOT_SIZE);
  for (let slot = 0; slot < SLOTS; slot++) placePayload(inbox, slot, slot * SLOT_SIZE, SLOT_SIZE);
  /** True while a batch is handled: what is sent meanwhile leaves at its end. */
  let gathering = false;
  /** Those that have something to send then. */
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
    /** Messages `first` to `last` of the outbox wait; `used` bytes of its payload are theirs. */
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
      // An error that is told may make the relay send again: that only adds to what is under way here.
      if (isFlushing) return;
      isFlushing = true;
      let goesOn = true;
      while (goesOn && first < last) goesOn = sendSome();
      isFlushing = false;
      if (!isOpen) return;
      waitForRoom(first < last);
      if (first === last) first = last = used = 0;
    }

    /** Hands the kernel what waits; false when it takes no more. */
    function sendSome(): boolean {
      if (!isOpen) return false;
      const sent = sockets.send(fd, headerAddress(outbox, first), last - first);
      if (sent === -EAGAIN) return false;
      if (sent > 0) first += sent;
      // sendmmsg stops at the first message with an error, and says it when that is the first of all.
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
      // A datagram may say that it comes from port 0 (RFC 768), and wants no answer then.
      if (last === MOST_QUEUED || used + length > QUEUE_ROOM || toPort === 0 || !isOpen) {
        handlers.dropped("sent");
        return true;
      }
      const addressLength = writeAddress(outbox, addressAt(outbox, last), to, toPort, family);
      if (addressLength === 0) {
        tell(new Error(`"${to}" is no address that can be sent to from ${address}`));
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
