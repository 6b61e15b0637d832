import "./upgrade/under-calls.ts";
