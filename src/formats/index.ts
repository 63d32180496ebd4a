export { type Configurations, readArray, readConfigurations } from './arrays.js';
export { sha256 } from './checksum.js';
export { checkFolderWritable, checkWritable, readInput, writeOutput, writeOutputFolder } from './files.js';
export { decodeNpy, encodeNpy, type NpyArray } from './npy.js';
export { decodeNpz, decodeNpzArray, encodeNpz, type NpzContent } from './npz.js';
export { decodeSafetensors, encodeSafetensors, type Tensor } from './safetensors.js';
export { removeTemporaries } from './temporaries.js';
