import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

const CHUNK_BYTES = 1024 * 1024;

/** An append-only file of JSON lines, written before the answer leaves, so that an emulator killed at any point agrees with what it said. */
export class Journal {
  private constructor(private readonly file: number, private sizeBytes: number) {}

  /**
   * Opens or creates the file and hands every record to `onRecord`, oldest first. A last line without its newline was never answered for and is cut
   * off; any other unreadable line throws.
   */
  static open(path: string, onRecord: (record: unknown) => void): Journal {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const file = openSync(path, 'a+', 0o600);
    try {
      const wholeBytes = readLines(file, (line) => onRecord(JSON.parse(line)));
      ftruncateSync(file, wholeBytes);
      return new Journal(file, wholeBytes);
    } catch (error) {
      closeSync(file);
      throw new Error(`${path} cannot be read; move it away to start with empty books`, { cause: error });
    }
  }

  /** Appends one record; on failure (a full disk) nothing of it stays, and the error is thrown. */
  append(record: unknown): void {
    const line = Buffer.from(`${JSON.stringify(record)}\n`);
    try {
      let written = 0;
      while (written < line.length) written += writeSync(this.file, line, written);
    } catch (error) {
      ftruncateSync(this.file, this.sizeBytes);
      throw error;
    }
    this.sizeBytes += line.length;
  }

  clear(): void {
    ftruncateSync(this.file, 0);
    this.sizeBytes = 0;
  }

  close(): void {
    closeSync(this.file);
  }
}

/** Calls `onLine` for each line that ends in a newline and tells how many bytes those are. */
function readLines(file: number, onLine: (line: string) => void): number {
  const totalBytes = fstatSync(file).size;
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let pending = Buffer.alloc(0);
  let position = 0;
  while (position < totalBytes) {
    const length = readSync(file, chunk, 0, CHUNK_BYTES, position);
    if (length === 0) break;
    position += length;
    pending = Buffer.concat([pending, chunk.subarray(0, length)]);
    let start = 0;
    for (let end = pending.indexOf(0x0a); end !== -1; end = pending.indexOf(0x0a, start)) {
      onLine(pending.toString('utf8', start, end));
      start = end + 1;
    }
    pending = pending.subarray(start);
  }
  return position - pending.length;
}
