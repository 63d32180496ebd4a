import {
  DataError,
  EquiflowError,
  InputError,
  InterruptedError,
  IoError,
  NumericalError,
  OutputError,
  UnavailableError,
  UsageError,
} from '../errors.js';

/** An error as it travels between threads: structured clone would lose its class and its code. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  /** Only for errors of equiflow. */
  readonly code?: string;
  readonly cause?: Failure;
}

const CLASSES = [
  DataError,
  InputError,
  InterruptedError,
  IoError,
  NumericalError,
  OutputError,
  UnavailableError,
  UsageError,
];
const CLASS_BY_CODE = new Map(CLASSES.map((ErrorClass) => [new ErrorClass('').code as string, ErrorClass]));

/** Anything thrown, as data. */
export function describeFailure(error: unknown): Failure {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  return {
    name: error.name,
    message: error.message,
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(error instanceof EquiflowError ? { code: error.code } : {}),
    ...(error.cause instanceof Error ? { cause: describeFailure(error.cause) } : {}),
  };
}

/**
 * The error that a failure stands for. An error of equiflow comes back as its own class with message, code, stack and
 * cause; any other as an `Error` of the same message whose cause has the name and the stack of the worker's.
 */
export function reviveFailure(failure: Failure): Error {
  const ErrorClass = failure.code === undefined ? undefined : CLASS_BY_CODE.get(failure.code);
  if (ErrorClass === undefined) return new Error(failure.message, { cause: original(failure) });
  return Object.assign(new ErrorClass(failure.message, cause(failure)), stack(failure));
}

function original(failure: Failure): Error {
  const error = new Error(failure.message, cause(failure));
  return Object.assign(error, { name: failure.name }, stack(failure));
}

function cause(failure: Failure): ErrorOptions {
  if (failure.cause === undefined) return {};
  return { cause: failure.cause.code === undefined ? original(failure.cause) : reviveFailure(failure.cause) };
}

function stack(failure: Failure): { stack?: string } {
  return failure.stack === undefined ? {} : { stack: failure.stack };
}
