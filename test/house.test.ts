import "./house/architecture.ts";
import "./house/files.ts";
import "./house/first-lines.ts";
import "./house/floors.ts";
import "./house/reference-pages.ts";
import "./house/run-tests.ts";
