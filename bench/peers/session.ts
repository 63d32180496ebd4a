/* A peer in a process of its own that waits for its turn, so that rounds of ours and theirs can be interleaved. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

export class PeerError extends Error {}

/** Answers of a process that reads and writes lines of JSON. */
export class PeerSession {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #lines: Interface;
  #last = '';
  #ended: PeerError | undefined;
  #waiting: { resolve: (line: string) => void; reject: (error: Error) => void } | undefined;

  constructor(command: string, args: readonly string[], environment: NodeJS.ProcessEnv = process.env) {
    this.#child = spawn(command, args, { env: environment, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#lines = createInterface({ input: this.#child.stdout });
    this.#lines.on('line', (line) => {
      this.#waiting?.resolve(line);
      this.#waiting = undefined;
    });
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#last = chunk.toString().trim().split('\n').at(-1) ?? '';
    });
    this.#child.stdin.on('error', () => {});
    this.#child.on('error', ({ message }) => this.#end(message));
    this.#child.on('exit', (code, signal) =>
      this.#end(`ended with ${signal ?? code}${this.#last && `: ${this.#last}`}`),
    );
  }

  /**
   * Sends a line, JSON unless it is a string, and reads one.
   * @throws PeerError with the peer's own words, or saying how it ended.
   */
  async ask<T>(request: object | string): Promise<T> {
    if (this.#ended) throw this.#ended;
    const line = await new Promise<string>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#child.stdin.write(`${typeof request === 'string' ? request : JSON.stringify(request)}\n`);
    });
    const reply = JSON.parse(line) as T & { error?: string };
    if (reply.error !== undefined) throw new PeerError(reply.error);
    return reply;
  }

  close(): void {
    this.#lines.close();
    this.#child.stdin.end();
    this.#child.kill();
  }

  #end(reason: string): void {
    this.#ended = new PeerError(reason);
    this.#waiting?.reject(this.#ended);
    this.#waiting = undefined;
  }
}
