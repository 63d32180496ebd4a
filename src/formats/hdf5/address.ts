/** Where an array stands: a file and, within HDF5, the path of a dataset if one was named. */
export interface Address {
  readonly file: string;
  readonly dataset?: string;
}

const WITH_DATASET = /^(.+\.(?:h5|hdf5|h5md)):(.+)$/is;
const NAME = /\.(?:h5|hdf5|h5md)$/i;

/** Splits `file.h5:/path/of/dataset`; any other text is the name of a file. */
export function parseAddress(text: string): Address {
  const [, file, dataset] = WITH_DATASET.exec(text) ?? [];
  if (file === undefined) return { file: text };
  return { file, dataset: dataset.startsWith('/') ? dataset : `/${dataset}` };
}

/** Whether a path ends as HDF5 files do: `.h5`, `.hdf5` or `.h5md`. */
export function isHdf5Name(path: string): boolean {
  return NAME.test(path);
}
