export interface ImageSize {
  readonly width: number
  readonly height: number
}

export interface ImageHeader {
  readonly format: 'jpeg' | 'png' | 'webp'
  /** Undefined where it stands further behind than was read. */
  readonly size: ImageSize | undefined
  /** `other`: grey, palette or CMYK. `unknown` like an unknown size. */
  readonly mode: 'colour' | 'other' | 'unknown'
}

/** Reads what the first bytes of an image say; undefined where they are of none of the three formats. */
export function readImageHeader(bytes: Buffer): ImageHeader | undefined {
  if (bytes.length < HEADER_BYTES_MIN) return undefined
  if (bytes.subarray(0, PNG.length).equals(PNG)) return readPng(bytes)
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return readJpeg(bytes)
  if (bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP') return readWebp(bytes)
  return undefined
}

const HEADER_BYTES_MIN = 30
const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/** Source: PNG (W3C), section 11.2.1: colour type 2 is RGB, 6 is RGBA. */
function readPng(bytes: Buffer): ImageHeader {
  const colourType = bytes[25]
  return {
    format: 'png',
    size: { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) },
    mode: colourType === 2 || colourType === 6 ? 'colour' : 'other',
  }
}

/** Source: ITU T.81, annex B: segments until a start of frame (C0 to CF but for C4, C8 and CC). */
function readJpeg(bytes: Buffer): ImageHeader {
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff;) {
    const marker = bytes.readUInt8(at + 1)
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
    if (isFrame) {
      const size = { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) }
      return { format: 'jpeg', size, mode: bytes[at + 9] === 3 ? 'colour' : 'other' }
    }
    at += marker === 0xff ? 1 : 2 + bytes.readUInt16BE(at + 2)
  }
  return { format: 'jpeg', size: undefined, mode: 'unknown' }
}

/** Source: RFC 9649, section 2. WebP knows no other modes. */
function readWebp(bytes: Buffer): ImageHeader {
  return { format: 'webp', size: webpSize(bytes), mode: 'colour' }
}

function webpSize(bytes: Buffer): ImageSize | undefined {
  switch (bytes.toString('latin1', 12, 16)) {
    case 'VP8 ':
      return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff }
    case 'VP8L': {
      const bits = bytes.readUInt32LE(21)
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
    }
    case 'VP8X':
      return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 }
    default:
      return undefined
  }
}
