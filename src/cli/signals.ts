/** What asks a command to end in order. */
export const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
