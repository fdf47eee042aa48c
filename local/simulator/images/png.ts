import { crc32, deflateSync } from 'node:zlib'
import { seededRandom } from '../random'

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
const CHUNK_BYTES = 12
const TRUECOLOUR = 2
const BITS = 8

/**
 * A PNG of one colour, drawn from the seed. `bytesMin` fills it up with a chunk that readers skip, for callers that want
 * bodies as large as real images have.
 */
export function solidPng(size: { width: number; height: number }, seed: number, bytesMin: number): Buffer {
  const random = seededRandom(seed)
  const pixel = Buffer.from([random() * 256, random() * 256, random() * 256])
  // A row begins with the number of its filter: none.
  const row = Buffer.concat([Buffer.alloc(1), Buffer.alloc(size.width * pixel.length, pixel)])
  const header = Buffer.alloc(13)
  header.writeUInt32BE(size.width, 0)
  header.writeUInt32BE(size.height, 4)
  header.set([BITS, TRUECOLOUR], 8)
  const rows = Buffer.alloc(row.length * size.height, row)
  const parts = [SIGNATURE, chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]
  const missing = bytesMin - parts.reduce((sum, part) => sum + part.length, 0) - CHUNK_BYTES
  if (missing > 0) parts.splice(2, 0, chunk('fiLl', Buffer.alloc(missing)))
  return Buffer.concat(parts)
}

function chunk(type: string, data: Buffer): Buffer {
  const framed = Buffer.alloc(data.length + CHUNK_BYTES)
  framed.writeUInt32BE(data.length, 0)
  framed.write(type, 4, 'latin1')
  data.copy(framed, 8)
  framed.writeUInt32BE(crc32(framed.subarray(4, 8 + data.length)), 8 + data.length)
  return framed
}
