import { File, ready } from 'h5wasm/node';

/** A dataset as h5wasm's `create_dataset` takes it; `name` may be a path. */
export interface Dataset {
  readonly data: Float64Array | Float32Array | Int32Array | BigInt64Array | Int8Array | string;
  readonly shape?: number[];
  readonly chunks?: number[];
  readonly compression?: number;
}

/** Writes an HDF5 file by the library's own means, not ours. */
export async function writeHdf5(path: string, datasets: Readonly<Record<string, Dataset>>): Promise<void> {
  await ready;
  const file = new File(path, 'w');
  for (const [name, dataset] of Object.entries(datasets)) {
    const parts = name.split('/');
    for (let depth = 1; depth < parts.length; depth++) {
      const group = parts.slice(0, depth).join('/');
      if (!file.paths().includes(group)) file.create_group(group);
    }
    file.create_dataset({ name, ...dataset });
  }
  file.close();
}
