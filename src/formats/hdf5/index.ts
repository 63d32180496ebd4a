export { type Address, isHdf5Name, parseAddress } from './address.js';
export { loadHdf5 } from './library.js';
export {
  type Hdf5Dataset,
  type Hdf5File,
  isHdf5Address,
  isHdf5File,
  listing,
  openHdf5,
  readHdf5Array,
} from './reader.js';
export { type Hdf5Structure, type ReservedArray, reserveHdf5 } from './reserve.js';
