import "./routing/next-hops.ts";
