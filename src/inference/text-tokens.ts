/** English runs near 4 bytes a token; scripts with 3-byte characters near 3, which the byte count already reflects in part. */
const BYTES_PER_TOKEN = 4

export const textTokens = (text: string): number => tokensOfBytes(Buffer.byteLength(text))

export const tokensOfBytes = (bytes: number): number => Math.ceil(bytes / BYTES_PER_TOKEN)

/** A string, strings, tokens or lists of tokens: what embeddings and completions take. */
export function inputTokens(input: unknown): number {
  if (typeof input === 'string') return textTokens(input)
  if (!Array.isArray(input)) return 0
  let tokens = 0
  for (const item of input as readonly unknown[]) {
    if (typeof item === 'string') tokens += textTokens(item)
    else if (Array.isArray(item)) tokens += item.length
    else tokens += 1
  }
  return tokens
}
