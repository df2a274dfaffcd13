import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';

/** What functions log: a file for each, `<function>.log`. */
export class FunctionLogs {
  readonly #files = new Map<string, WriteStream>();

  #closed = false;

  constructor(readonly directory: string) {
    mkdirSync(directory, { recursive: true });
  }

  write(functionName: string, line: string): void {
    // The last words of an instance may come after its end.
    if (this.#closed) return;
    let file = this.#files.get(functionName);
    if (!file) {
      file = createWriteStream(join(this.directory, `${functionName}.log`), { flags: 'a' });
      this.#files.set(functionName, file);
    }
    file.write(`${line}\n`);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#files.values()].map((file) => new Promise<void>((resolve) => file.end(resolve))));
  }
}
