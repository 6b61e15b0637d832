import { formatEndpoint } from "../config/address.ts";
import { type ConfigIssue, formatIssue } from "../config/issue.ts";
import { loadPolicy, loadStatic } from "../config/load.ts";
import { createLog, type Log } from "../observe/log.ts";
import { type App, startApp } from "./app.ts";
import { describeFailure, readFromDisk } from "./disk.ts";
import { obtainKey } from "./key-file.ts";
import { trackFiles } from "./tracked-files.ts";
import { describeStart } from "./welcome.ts";

const standardError = 2;

/** `sigwall run`: the filter, until SIGTERM or SIGINT. Resolves with the exit code: 0, or 1 when it could not start. */
export async function runFilter(configPath: string): Promise<number> {
  const files = trackFiles(readFromDisk);
  const { config, issues: staticIssues } = loadStatic(files.readFile, configPath);
  if (config === undefined) return refuse(staticIssues);
  const listeners = config.listen.map(({ id }) => id);
  const { policy, issues } = loadPolicy(files.readFile, config.policy, listeners);
  if (policy === undefined) return refuse([...staticIssues, ...issues]);
  if (config.engine !== "embedded")
    return fail(`${configPath}: the engine "${config.engine}" is not built in yet`);
  const key = obtainKey(config.keyFile);
  if (typeof key === "string") return fail(key);

  print([...staticIssues, ...issues]);
  const log = createLog(config.log.level, standardError, process.stderr.isTTY);
  if (key.warning !== undefined) log.warn(key.warning);
  let app: App;
  try {
    app = await startApp({ configPath, config, policy, files, key: key.bytes, log });
  } catch (error) {
    log.flush();
    const wanted = [...listeners, `admin ${formatEndpoint(config.admin)}`].join(", ");
    return fail(`can't listen on ${wanted}: ${describeFailure(error)}`);
  }
  process.stdout.write(describeStart(app, policy, configPath));
  await untilStopped(app, log);
  log.flush();
  return 0;
}

/** Reloads on SIGHUP; stops on SIGTERM or SIGINT, and resolves then. */
async function untilStopped(app: App, log: Log): Promise<void> {
  const reload = (): void => void app.reload("SIGHUP");
  process.on("SIGHUP", reload);
  const signal = await new Promise<string>((resolve) => {
    process.once("SIGTERM", resolve);
    process.once("SIGINT", resolve);
  });
  log.info("stopping", { signal });
  process.off("SIGHUP", reload);
  await app.stop();
}

function refuse(issues: readonly ConfigIssue[]): number {
  print(issues);
  return 1;
}

function fail(message: string): number {
  process.stderr.write(`sigwall run: ${message}\n`);
  return 1;
}

function print(issues: readonly ConfigIssue[]): void {
  for (const issue of issues) process.stderr.write(`${formatIssue(issue)}\n`);
}
