import type { Chance } from '../base/chance'

/** Where a span stands: W3C Trace Context, version 00. Ids are lower-case hex, 32 and 16 digits, not all zeros. */
export interface SpanPlace {
  readonly traceId: string
  readonly spanId: string
  readonly isSampled: boolean
}

/** 55 characters; a later version may have more behind them. */
const HEADER = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-[!-~]*)?$/
const HEADER_CHARACTERS = 55
const HEADER_CHARACTERS_MAX = 512
const SAMPLED = 1

/** Undefined for anything but a valid header: the trace then begins here, as the standard asks. */
export function readTraceParent(header: string | undefined): SpanPlace | undefined {
  if (header === undefined || header.length < HEADER_CHARACTERS || header.length > HEADER_CHARACTERS_MAX)
    return undefined
  const [, traceId, spanId, flags, more] = HEADER.exec(header) ?? []
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined
  if (more !== undefined && header.startsWith('00')) return undefined
  return { traceId, spanId, isSampled: (parseInt(flags, 16) & SAMPLED) !== 0 }
}

export const writeTraceParent = ({ traceId, spanId, isSampled }: SpanPlace): string =>
  `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`

export const newTraceId = (chance: Chance): string => hexOf(chance.bytes(16))
export const newSpanId = (chance: Chance): string => hexOf(chance.bytes(8))

/**
 * Whether a trace is among the share that is kept. The last 56 bits of its id decide, which are random by the standard (Trace Context
 * level 2), so that all who keep the same share keep the same traces.
 */
export function isInShare(traceId: string, ratio: number): boolean {
  return ratio > 0 && parseInt(traceId.slice(-14), 16) / 16 ** 14 >= 1 - ratio
}

/** All zeros are no id; that chance gives them is not to be expected in the life of a platform, but costs one comparison. */
function hexOf(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += HEX[byte] ?? ''
  return /^0+$/.test(text) ? `${text.slice(1)}1` : text
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
