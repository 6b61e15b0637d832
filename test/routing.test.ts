import "./routing/next-hops.ts";
import "./routing/answers.ts";
