import "./replay/endings.ts";
import "./replay/findings.ts";
import "./replay/oracles.ts";
