/** What is read of a backend's answers; everything else that they say of themselves is passed over unread. */
const NAMES = [
  'content-type',
  'retry-after',
  'retry-after-ms',
  'x-ratelimit-limit-tokens',
  'x-ratelimit-remaining-tokens',
  'x-ratelimit-reset-requests',
  'x-ratelimit-reset-tokens',
  'x-rate-limit-reset-tokens',
  'azure-openai-deployment-utilization',
  'x-ms-region',
  'openai-processing-ms',
] as const

type HeaderName = (typeof NAMES)[number]
export type UpstreamHeaders = { readonly [Name in HeaderName]?: string | undefined }

interface Candidate {
  readonly name: HeaderName
  readonly bytes: Buffer
}

/** By the names' lengths, since that tells most headers of a backend from those that are read. */
const CANDIDATES = new Map<number, Candidate[]>()
for (const name of NAMES) {
  const bytes = Buffer.from(name)
  CANDIDATES.set(bytes.length, [...(CANDIDATES.get(bytes.length) ?? []), { name, bytes }])
}
/** What a capital letter lacks; the other characters of these names have it. */
const LOWER_CASE_BIT = 0x20

/** Of names and values in turn, as they were received; of a header that comes twice the first. */
export function readUpstreamHeaders(raw: readonly Buffer[]): UpstreamHeaders {
  const headers: { [Name in HeaderName]?: string | undefined } = {}
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]
    const candidates = name && CANDIDATES.get(name.length)
    if (!candidates) continue
    for (const candidate of candidates)
      if (isSame(name, candidate.bytes)) headers[candidate.name] ??= raw[i + 1]?.toString('latin1')
  }
  return headers
}

/** A header's number, 0 or more; undefined where it has none. */
export function numberIn(value: string | undefined): number | undefined {
  const text = value?.trim()
  if (!text) return undefined
  const number = Number(text)
  return Number.isFinite(number) && number >= 0 ? number : undefined
}

function isSame(name: Buffer, lower: Buffer): boolean {
  for (let i = 0; i < lower.length; i++) if (((name[i] ?? 0) | LOWER_CASE_BIT) !== lower[i]) return false
  return true
}
