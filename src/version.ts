/** The package's version; a constant and not read from the manifest, which is elsewhere once a bundler has moved the code. */
export const VERSION = '0.1.0';
