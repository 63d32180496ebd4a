export { type Address, isHdf5Name, parseAddress } from './address.js';
export { type Hdf5Dataset, type Hdf5File, isHdf5File, listing, openHdf5, readHdf5Array } from './reader.js';
