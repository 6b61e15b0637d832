// A program that says something to its log and ends by an error in the same turn.
import { startAdminThread } from "../../src/app/admin/admin-thread.ts";
import { partsOf } from "./admin-parts.ts";

const thread = startAdminThread({ level: "info", fd: 2, timeZone: undefined });
await thread.open(partsOf());
thread.log.info("the last words");
throw new Error("nobody catches this");
