import "./noc/files.ts";
import "./noc/scraped.ts";
