// DuckDB, an optional package: opened where questions about sealed hours are asked, and loaded by nothing else.

/** A database in memory. */
export interface Database {
  /** Runs one statement. Rejects with what DuckDB says. */
  readonly run: (sql: string) => Promise<void>;
  /**
   * Asks, and gives the rows with their values as JavaScript has them: 64-bit numbers are `bigint`.
   *
   * @param values what stands for `$1`, `$2` …
   */
  readonly ask: (
    sql: string,
    values?: readonly (string | number | boolean)[],
  ) => Promise<readonly Readonly<Record<string, unknown>>[]>;
  /**
   * Asks for one column of texts, and gives them as they come: at most 2048 at a time, none of which is kept here. No
   * other question may be asked before the last one has come.
   */
  readonly askTexts: (sql: string) => AsyncIterable<readonly string[]>;
  readonly close: () => void;
}

/** How much a database may use. */
export interface DatabaseLimits {
  /** Octets of memory, in units of 1000² bytes. */
  readonly megabytes: number;
  /** Where it puts what has no room in memory. */
  readonly spillFolder?: string;
  readonly threads: number;
}

/** The part of @duckdb/node-api 1.5 that is used. */
interface DuckDbPackage {
  readonly DuckDBInstance: {
    create(path: string, options: Readonly<Record<string, string>>): Promise<Instance>;
  };
}

interface Instance {
  connect(): Promise<Connection>;
  closeSync(): void;
}

interface Connection {
  run(sql: string): Promise<unknown>;
  runAndReadAll(
    sql: string,
    values: (string | number | boolean)[],
  ): Promise<{ getRowObjectsJS(): readonly Readonly<Record<string, unknown>>[] }>;
  stream(sql: string): Promise<AsyncIterable<Chunk>>;
  closeSync(): void;
}

interface Chunk {
  getColumnValues(column: number): readonly unknown[];
}

/** A variable in the import, so that the compiler does not need the package. */
const PACKAGE: string = "@duckdb/node-api";

/** What to do where the package is missing. */
export const howToInstall = "npm install @duckdb/node-api@1.5.6-r.1";

/** True when the package is there. It may fail to load all the same. */
export function isInstalled(): boolean {
  try {
    import.meta.resolve(PACKAGE);
    return true;
  } catch {
    return false;
  }
}

/**
 * Opens a database.
 *
 * @returns resolves with a text that says why there is none
 */
export async function openDatabase(limits: DatabaseLimits): Promise<Database | string> {
  let module: DuckDbPackage;
  try {
    module = await import(PACKAGE);
  } catch (error) {
    const why = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return why === "ERR_MODULE_NOT_FOUND"
      ? `the package @duckdb/node-api is not installed; install it: ${howToInstall}`
      : `the package @duckdb/node-api can't be loaded (${why}); install it again: ${howToInstall}`;
  }
  const instance = await module.DuckDBInstance.create(":memory:", {
    threads: String(limits.threads),
    memory_limit: `${limits.megabytes}MB`,
    ...(limits.spillFolder === undefined ? {} : { temp_directory: limits.spillFolder }),
    // Nothing is fetched: what the questions need is built in.
    autoinstall_known_extensions: "false",
    allow_community_extensions: "false",
  });
  const connection = await instance.connect();
  return {
    async run(sql) {
      await connection.run(sql);
    },
    async ask(sql, values = []) {
      const reader = await connection.runAndReadAll(sql, [...values]);
      return reader.getRowObjectsJS();
    },
    async *askTexts(sql) {
      for await (const chunk of await connection.stream(sql))
        yield chunk.getColumnValues(0).filter((text) => typeof text === "string");
    },
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** Writes a text as a literal of SQL. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
