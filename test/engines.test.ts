import "./engines/embedded.ts";
