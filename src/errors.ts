/**
 * Errors that a user can act on. Each carries a stable `code` for programs and the exit code that the command line
 * ends with (sysexits.h where it has one). Anything thrown that is not an `EquiflowError` is a bug.
 */
export abstract class EquiflowError extends Error {
  abstract readonly code: string;
  abstract readonly exitCode: number;

  constructor(message: string, options?: ErrorOptions) {
    // Messages quote what stands in files; they stay one line whatever that is.
    super(message.replace(/\s*[\r\n]+\s*/g, ' '), options);
    this.name = new.target.name;
  }
}

/** An argument, option, system or model that does not exist or is out of range. */
export class UsageError extends EquiflowError {
  readonly code = 'USAGE';
  readonly exitCode = 2;
}

/** A file, array or chain whose content is corrupt, of the wrong shape, or not finite. */
export class DataError extends EquiflowError {
  readonly code = 'BAD_DATA';
  readonly exitCode = 65;
}

/** An input file that does not exist or cannot be read. */
export class InputError extends EquiflowError {
  readonly code = 'NO_INPUT';
  readonly exitCode = 66;
}

/** An engine or optional package that this machine does not offer. */
export class UnavailableError extends EquiflowError {
  readonly code = 'UNAVAILABLE';
  readonly exitCode = 69;
}

/** NaN or Inf where the computation cannot go on; the message names sample, time and step. */
export class NumericalError extends EquiflowError {
  readonly code = 'NOT_FINITE';
  readonly exitCode = 65;
}

/** An output that cannot be created: missing folder, no permission, a foreign file in the way. */
export class OutputError extends EquiflowError {
  readonly code = 'NO_OUTPUT';
  readonly exitCode = 73;
}

/** Reading or writing failed underway, for example because the disk is full. */
export class IoError extends EquiflowError {
  readonly code = 'IO';
  readonly exitCode = 74;
}

/** Stopped by a signal or an `AbortSignal`; the same call can be made again. */
export class InterruptedError extends EquiflowError {
  readonly code = 'INTERRUPTED';
  readonly exitCode = 75;
}
