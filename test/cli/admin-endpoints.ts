// The map form of `admin`: several endpoints, HTTPS, and under which names each is asked.
import { once } from "node:events";
import { request as askPlainly } from "node:http";
import { request as askSecurely, type RequestOptions } from "node:https";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import t from "tap";
import { createAuthority } from "../support/certificates.ts";
import { freeStreamPort } from "../support/free-port.ts";
import { runCommand, startFilter, type Filter } from "./filter-process.ts";
import { openWorkplace, staticText, type Workplace } from "./workplace.ts";

/** An IPv4 address of this machine that is none of loopback. */
function ownAddress(): string | undefined {
  for (const addresses of Object.values(networkInterfaces()))
    for (const { family, internal, address } of addresses ?? [])
      if (family === "IPv4" && !internal) return address;
  return undefined;
}

interface Asked {
  readonly status: number;
  readonly body: string;
}

interface Question {
  readonly method?: "GET" | "POST";
  readonly path?: string;
  /** The field Host; that of the address when left out. */
  readonly host?: string;
  /** The address that the question comes from. */
  readonly from?: string;
  /** The authority that the client trusts. Undefined: it asks by HTTP. */
  readonly ca?: Buffer | undefined;
}

/** Asks at `address` and `port`. Rejects where no answer of HTTP comes. */
function ask(
  address: string,
  port: number,
  { method = "GET", path = "/metrics", host, from, ca }: Question,
): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const options: RequestOptions = {
      host: address,
      port,
      method,
      path,
      agent: false,
      ...(host === undefined ? {} : { headers: { host } }),
      ...(from === undefined ? {} : { localAddress: from }),
      // The certificate is proved for the address that is asked, whatever Host says.
      ...(ca === undefined ? {} : { ca, servername: "" }),
    };
    const asked = (ca === undefined ? askPlainly : askSecurely)(options, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    asked.on("error", reject);
    asked.end();
  });
}

/** The `admin` key as a map, in the place of the address. */
function withAdmin(place: Workplace, map: unknown): void {
  place.write("sigwall.yaml", staticText.replace("admin: 127.0.0.1:0", `admin: ${JSON.stringify(map)}`));
}

function portOf(filter: Filter): number {
  return Number(new URL(filter.admin).port);
}

void t.test("admin as a map: HTTPS at every endpoint, proved by its certificate", async (t) => {
  const place = await openWorkplace();
  t.teardown(place.remove);
  const authority = createAuthority(place.folder);
  const stranger = createAuthority(t.testdir(), "stranger");
  const own = authority.issue("admin", "IP:127.0.0.1,IP:127.0.0.2");
  const second = await freeStreamPort("127.0.0.2");
  withAdmin(place, {
    listen: ["127.0.0.1:0", `127.0.0.2:${second}`],
    tls: { certificate: own.certificateFile, key: own.keyFile },
  });
  const filter = await startFilter(place.config);
  t.match(filter.admin, /^https:\/\/127\.0\.0\.1:\d+$/, "the log says how it is asked");
  for (const [address, port] of [
    ["127.0.0.1", portOf(filter)],
    ["127.0.0.2", second],
  ] as const) {
    const { certificate: ca } = authority;
    const metrics = await ask(address, port, { ca });
    t.equal(metrics.status, 200, `${address}: figures`);
    t.match(
      metrics.body,
      /^sigwall_certificate_expiry_seconds\{listener="admin"\} \d+/m,
      "its own certificate among them",
    );
    for (const path of ["/healthz", "/readyz"])
      t.equal((await ask(address, port, { path, ca })).status, 200, path);
    t.equal(
      (await ask(address, port, { method: "POST", path: "/reload", ca })).status,
      200,
      `${address}: a reload`,
    );
    await t.rejects(ask(address, port, {}), `${address}: no HTTP beside it`);
    await t.rejects(
      ask(address, port, { ca: stranger.certificate }),
      `${address}: a client that trusts others`,
    );
  }
  t.equal(await filter.stop(), 0);
});

void t.test(
  "admin as a map: HTTP at two endpoints, each on loopback with names of this machine only",
  async (t) => {
    const place = await openWorkplace();
    t.teardown(place.remove);
    const second = await freeStreamPort("127.0.0.2");
    withAdmin(place, { listen: ["127.0.0.1:0", `127.0.0.2:${second}`], hosts: ["sbc.example.com"] });
    const filter = await startFilter(place.config);
    t.match(filter.admin, /^http:/);
    for (const [address, port] of [
      ["127.0.0.1", portOf(filter)],
      ["127.0.0.2", second],
    ] as const) {
      for (const host of [`${address}:${port}`, "localhost", "LOCALHOST.:1", "127.9.9.9", "[::1]"])
        t.equal((await ask(address, port, { host })).status, 200, `${address} as ${host}`);
      for (const host of ["sbc.example.com", "evil.example", "localhost.evil.example", "128.0.0.1"]) {
        t.equal(
          (await ask(address, port, { host })).status,
          403,
          `${address} as ${host}: a name for other addresses`,
        );
        t.equal(
          (await ask(address, port, { host, method: "POST", path: "/reload" })).status,
          403,
          "nor a reload",
        );
      }
    }
    t.equal(await filter.stop(), 0);
  },
);

void t.test(
  "admin as a map: beside loopback, figures under any name, a reload under ours and from this machine",
  async (t) => {
    const address = ownAddress();
    if (address === undefined) {
      t.pass("skipped", { skip: "this machine has no IPv4 address beside loopback" });
      return;
    }
    const place = await openWorkplace();
    t.teardown(place.remove);
    const port = await freeStreamPort(address);
    withAdmin(place, {
      listen: ["127.0.0.1:0", `${address}:${port}`],
      hosts: ["Sbc.Example.com", "192.0.2.200"],
    });
    const filter = await startFilter(place.config);
    const foreign = "Host is not in admin.hosts\n";
    const elsewhere = "reload is for this machine only; send SIGHUP instead\n";
    const table: readonly (readonly [question: Question, status: number, body?: string])[] = [
      [{}, 200],
      [{ host: "evil.example" }, 200],
      [{ host: "evil.example", path: "/healthz" }, 200],
      [{ host: "evil.example", path: "/readyz" }, 200],
      [{ host: "evil.example", path: "/nowhere" }, 403, foreign],
      [{ path: "/nowhere" }, 404],
      [{ host: "sbc.example.com", path: "/nowhere" }, 404],
      [{ host: "SBC.example.com.:9464", path: "/nowhere" }, 404],
      [{ host: "xsbc.example.com", path: "/nowhere" }, 403, foreign],
      [{ host: "sbc.example.com.evil.example", path: "/nowhere" }, 403, foreign],
      [{ host: "192.0.2.200", path: "/nowhere" }, 404],
      [{ host: "192.0.2.201", path: "/nowhere" }, 403, foreign],
      [{ host: "localhost", path: "/nowhere" }, 403, foreign],
      [{ host: "127.0.0.1", path: "/nowhere" }, 403, foreign],
      [{ host: "evil.example", method: "POST", path: "/reload" }, 403, foreign],
      [{ host: "evil.example", method: "POST", path: "/reload", from: "127.0.0.1" }, 403, foreign],
      [{ host: "sbc.example.com", method: "POST", path: "/reload" }, 403, elsewhere],
      [{ method: "POST", path: "/reload" }, 403, elsewhere],
      [{ host: "sbc.example.com", method: "POST", path: "/reload", from: "127.0.0.1" }, 200],
      [{ method: "POST", path: "/reload", from: "127.0.0.1" }, 200],
    ];
    for (const [question, status, body] of table) {
      const answer = await ask(address, port, question);
      t.equal(answer.status, status, JSON.stringify(question));
      if (body !== undefined) t.equal(answer.body, body, JSON.stringify(question));
    }
    t.equal(
      (await ask("127.0.0.1", portOf(filter), { host: "sbc.example.com" })).status,
      403,
      "loopback stays strict",
    );
    t.equal(await filter.stop(), 0);
  },
);

void t.test(
  "admin as a map: an endpoint that is taken ends the start, and the message names every endpoint",
  async (t) => {
    const place = await openWorkplace();
    t.teardown(place.remove);
    const taken = createServer();
    taken.listen(0, "127.0.0.2");
    await once(taken, "listening");
    t.teardown(() => taken.close());
    const bound = taken.address();
    const port = bound !== null && typeof bound === "object" ? bound.port : 0;
    withAdmin(place, { listen: ["127.0.0.1:0", `127.0.0.2:${port}`] });
    const { code, stdout, stderr } = await runCommand(["run", "--config", place.config]);
    t.not(code, 0);
    t.match(stdout + stderr, `admin 127.0.0.1:0, 127.0.0.2:${port}: address already in use`);
  },
);
