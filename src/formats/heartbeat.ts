/* Writers on machines that share a file system: whether one of another machine lives can only be seen from when its file was touched. */

/** Seconds after which a writer that has not touched its file is taken for dead. */
export const ABANDONED_SECONDS = 90;

/** Seconds between two touches, several in that time. */
export const HEARTBEAT_SECONDS = 15;
