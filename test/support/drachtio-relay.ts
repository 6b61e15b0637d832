import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { TlsOptions } from "../../src/engines/drachtio/place.ts";
import { createAuthority } from "./certificates.ts";
import { askSipAddress } from "./drachtio-admin.ts";
import { openTestDrachtio, type TestDrachtio } from "./drachtio-server.ts";

/** A drachtio-server that environment variables name; undefined: the tests have only their own. */
export const realServer =
  process.env["DRACHTIO_HOST"] === undefined
    ? undefined
    : {
        host: process.env["DRACHTIO_HOST"],
        port: Number(process.env["DRACHTIO_PORT"] ?? "9022"),
        secret: process.env["DRACHTIO_SECRET"] ?? "cymru",
      };

/** The admin port by TLS of that server; undefined: it has none that we know. */
export const realTlsPort =
  realServer === undefined || process.env["DRACHTIO_TLS_PORT"] === undefined
    ? undefined
    : Number(process.env["DRACHTIO_TLS_PORT"]);

/** The real server where there is one, else the test server; either way its link can be broken in every way. */
export function openDrachtio(): Promise<TestDrachtio> {
  return realServer === undefined ? openTestDrachtio() : openRelay(realServer, realServer.port);
}

/** The same by TLS, and what a client must know to trust it. `folder` takes the keys of the test server. */
export async function openTlsDrachtio(
  folder: string,
): Promise<{ readonly server: TestDrachtio; readonly tls: TlsOptions }> {
  if (realServer !== undefined && realTlsPort !== undefined) {
    const server = await openRelay(realServer, realTlsPort);
    return { server, tls: await askCertificate(realServer.host, realTlsPort) };
  }
  const authority = createAuthority(folder);
  const { key, certificate } = authority.issue("drachtio", "DNS:drachtio.example,IP:127.0.0.1");
  const server = await openTestDrachtio({ tls: { key: key.toString(), cert: certificate.toString() } });
  return { server, tls: { ca: authority.certificate.toString(), servername: "drachtio.example" } };
}

/** Trusts the certificate that a server shows, or the highest one that it shows with it. */
async function askCertificate(host: string, port: number): Promise<TlsOptions> {
  const socket = connectTls({ host, port, rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const shown = socket.getPeerCertificate(true);
  socket.destroy();
  let top = shown;
  while (top.issuerCertificate !== undefined && top.issuerCertificate !== top) top = top.issuerCertificate;
  const pem = `-----BEGIN CERTIFICATE-----\n${top.raw.toString("base64")}\n-----END CERTIFICATE-----\n`;
  const [, name] = /DNS:([^,]+)/.exec(shown.subjectaltname ?? "") ?? [];
  const [common] = [shown.subject.CN].flat();
  const servername = name ?? common;
  return servername === undefined ? { ca: pem } : { ca: pem, servername };
}

/** Stands on the control link of a real server, so that accidents can happen there. */
async function openRelay(server: NonNullable<typeof realServer>, port: number): Promise<TestDrachtio> {
  const hasReadableFrames = port === server.port;
  const sip = await askSipAddress(server);
  const pairs = new Set<{ readonly near: Socket; readonly far: Socket; isStalled: boolean }>();
  const frames: string[] = [];
  let isAway = false;
  const relay = createServer((near) => {
    if (isAway) {
      near.on("error", () => undefined);
      near.destroy();
      return;
    }
    const pair = { near, far: connect(port, server.host), isStalled: false };
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      near.destroy();
      // Read to its end: a server whose frames meet a closed port keeps the dead client.
      pair.far.end();
    };
    let buffer = Buffer.alloc(0);
    near.on("data", (bytes) => {
      if (pair.isStalled) return;
      pair.far.write(bytes);
      if (!hasReadableFrames) return;
      buffer = Buffer.concat([buffer, bytes]);
      for (let hash = buffer.indexOf("#"); hash > 0; hash = buffer.indexOf("#")) {
        const frameEnd = hash + 1 + Number(buffer.toString("latin1", 0, hash));
        if (buffer.length < frameEnd) return;
        frames.push(buffer.toString("utf8", hash + 1, frameEnd));
        buffer = buffer.subarray(frameEnd);
      }
    });
    pair.far.on("data", (bytes) => {
      if (!near.destroyed) near.write(bytes);
    });
    for (const socket of [near, pair.far]) {
      socket.on("error", end);
      socket.on("close", end);
    }
  });
  relay.listen(0, "127.0.0.1");
  await once(relay, "listening");
  const bound = relay.address();
  return {
    host: "127.0.0.1",
    adminPort: bound !== null && typeof bound === "object" ? bound.port : 0,
    sipPort: sip.port,
    secret: server.secret,
    frames,
    clients: () => pairs.size,
    stall: () => {
      for (const pair of pairs) pair.isStalled = true;
    },
    hangUp: () => {
      for (const { near, far } of pairs) {
        near.destroy();
        far.end();
      }
    },
    turnAway: (away) => {
      isAway = away;
    },
    babble: (bytes) => {
      for (const { near } of pairs) near.write(bytes);
    },
    close: async () => {
      for (const { near } of pairs) near.destroy();
      relay.close();
      await once(relay, "close");
    },
  };
}
