// The least an application of drachtio-srf can do and still carry the load: one lookup, proxied or refused, no reports.
// It judges nothing else and looks after no link: a floor for the library and the control connection, not a filter.
// usage: node bare-drachtio.mjs ADMIN_HOST:PORT SECRET CORE_ADDRESS:PORT NUMBERS_FILE
import { readFileSync } from "node:fs";
import Srf from "drachtio-srf";

const [admin = "", secret = "", core = "", numbersFile = ""] = process.argv.slice(2);
const [host, port] = admin.split(":");
const listed = new Set(readFileSync(numbersFile, "utf8").split("\n"));

const srf = new Srf();
srf.on("error", console.error);
void srf.connect({ host, port: Number(port), secret });
srf.invite((request, response) => {
  const { raw, uri } = request;
  const caller = raw.indexOf("<sip:", raw.indexOf("\r\nFrom: ")) + 5;
  if (!listed.has(raw.slice(caller, raw.indexOf("@", caller)))) return response.send(403);
  const called = uri.slice(4, uri.indexOf("@"));
  const options = {
    recordRoute: true,
    followRedirects: false,
    forking: "sequential",
    provisionalTimeout: "4000ms",
    headers: {},
  };
  srf.proxyRequest(request, [`sip:${called}@${core}`], options, () => undefined);
});
process.on("SIGTERM", () => process.exit(0));
