import "./replay/endings.ts";
import "./replay/findings.ts";
import "./replay/oracles.ts";
import "./replay/beside-the-filter.ts";
