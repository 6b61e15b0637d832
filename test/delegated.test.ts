import "./delegated/delegated-calls.ts";
import "./delegated/reported-calls.ts";
