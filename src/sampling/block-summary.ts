import { crc32 } from 'node:zlib';
import { type WeightBlock, weightBlocks } from '../reweighting/blocks.js';
import type { SampleBlock } from './block-room.js';

/** What is to be known of a block without looking at it again. */
export interface BlockSummary {
  /** CRC-32 of x, logQ, energy and logWeight, one after the other. */
  readonly checksum: number;
  readonly weights: readonly WeightBlock[];
}

export function summarize(block: SampleBlock): BlockSummary {
  return { checksum: blockChecksum(block), weights: [...weightBlocks(block.logWeight)] };
}

export function blockChecksum({ x, logQ, energy, logWeight }: SampleBlock): number {
  return [x, logQ, energy, logWeight].reduce((sum, { buffer, byteOffset, byteLength }) => {
    return crc32(new Uint8Array(buffer, byteOffset, byteLength), sum);
  }, 0);
}
