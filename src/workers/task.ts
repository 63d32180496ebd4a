/** Names an exported function of an ES module; the pool knows nothing else about it. */
export interface Task {
  /** Absolute: `new URL('./tasks.js', import.meta.url)`. */
  readonly module: URL | string;
  readonly name: string;
}

/** What a task may use besides its input. */
export interface TaskContext {
  /** Hands a structured-clonable message to the caller's `onMessage`; does nothing where nobody listens. */
  report(message: unknown): void;
}

/** The shape of every task. Input and result travel by structured clone. */
export type TaskFunction<I, O> = (input: I, context: TaskContext) => O | Moved<O> | Promise<O | Moved<O>>;

const MOVED = Symbol('moved');

/** A result whose buffers change hands instead of being copied. */
export interface Moved<T> {
  readonly [MOVED]: true;
  readonly value: T;
  readonly transfer: readonly ArrayBufferLike[];
}

/**
 * Returns `value` from a task and gives away the buffers it is made of. Views of WASM memory have to be `.slice()`d
 * first: moving one would take, or copying one would clone, the whole memory.
 */
export function moved<T>(value: T, transfer: readonly ArrayBufferLike[]): Moved<T> {
  return { [MOVED]: true, value, transfer };
}

export function isMoved(value: unknown): value is Moved<unknown> {
  return typeof value === 'object' && value !== null && MOVED in value;
}
