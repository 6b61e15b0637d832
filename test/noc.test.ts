import "./noc/files.ts";
import "./noc/scraped.ts";
import "./noc/demo.ts";
