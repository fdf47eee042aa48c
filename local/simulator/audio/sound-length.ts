/** MP3 at 128 kbit/s, which is what sound without a length of its own is taken for. */
const BYTES_PER_SECOND = 16_000
const RIFF_HEADER_BYTES = 12
const CHUNK_HEADER_BYTES = 8

/** How long a sound is, in seconds: exactly for WAV, by its size for everything else. */
export function soundSeconds(bytes: Buffer): number {
  return wavSeconds(bytes) ?? bytes.length / BYTES_PER_SECOND
}

/** By the chunks of a RIFF file; undefined where it is none. */
function wavSeconds(bytes: Buffer): number | undefined {
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, RIFF_HEADER_BYTES) !== 'WAVE')
    return undefined
  let bytesPerSecond = 0
  let at = RIFF_HEADER_BYTES
  while (at + CHUNK_HEADER_BYTES <= bytes.length) {
    const name = bytes.toString('latin1', at, at + 4)
    const length = bytes.readUInt32LE(at + 4)
    const body = at + CHUNK_HEADER_BYTES
    if (name === 'fmt ' && body + 12 <= bytes.length) bytesPerSecond = bytes.readUInt32LE(body + 8)
    // A length that is not true is that of a stream: what is there counts.
    if (name === 'data') return bytesPerSecond > 0 ? Math.min(length, bytes.length - body) / bytesPerSecond : undefined
    // Chunks begin at even places.
    at = body + length + (length % 2)
  }
  return undefined
}
