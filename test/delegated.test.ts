import "./delegated/delegated-calls.ts";
import "./delegated/reported-calls.ts";
import "./delegated/events.ts";
