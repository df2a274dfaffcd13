import { createRequire } from 'node:module';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';

type Done<Answer> = (error: unknown, answer?: Answer) => void;

/** What @keyv/sqlite 4 uses of the package sqlite3, on the SQLite of Node: nobody has to compile or to download that for the tests. */
class Database {
  readonly #database: DatabaseSync;

  constructor(path: string, opened: Done<never>) {
    this.#database = new DatabaseSync(path);
    queueMicrotask(() => opened(null));
  }

  configure(_option: 'busyTimeout', milliseconds: number): void {
    this.#database.exec(`PRAGMA busy_timeout = ${milliseconds}`);
  }

  all(text: string, ...rest: [...values: SQLInputValue[], done: Done<unknown[]>]): void {
    const done = rest.pop() as Done<unknown[]>;
    answer(done, () => this.#database.prepare(text).all(...(rest as SQLInputValue[])));
  }

  close(done: Done<void>): void {
    answer(done, () => this.#database.close());
  }
}

function answer<Answer>(done: Done<Answer>, ask: () => Answer): void {
  setImmediate(() => {
    let answered: Answer;
    try {
      answered = ask();
    } catch (error) {
      return done(error);
    }
    done(null, answered);
  });
}

// In its place there is an empty package: see the overrides in package.json.
createRequire(import.meta.url)('sqlite3').Database = Database;
