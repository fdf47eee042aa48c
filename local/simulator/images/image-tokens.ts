import type { Tokenizer } from '../tokens'
import type { ImageRequest, Quality } from './image-request'

/** What the images of one call come to in tokens. */
export interface ImageTokens {
  readonly text: number
  readonly image: number
  readonly output: number
}

/** Output tokens of a square image, and of one that is longer one way. Source: OpenAI's image guide, gpt-image-1. */
const outputTokens: Readonly<Record<Quality, { square: number; long: number }>> = {
  low: { square: 272, long: 408 },
  medium: { square: 1_056, long: 1_584 },
  high: { square: 4_160, long: 6_240 },
}
/** What each partial image adds. */
const PARTIAL_TOKENS = 100
/** An input image of four tiles: 65 and 129 for each. High fidelity adds as much as a square at high quality. */
const SOURCE_TOKENS = 65 + 4 * 129

export function imageTokens(request: ImageRequest, tokenizer: Tokenizer): ImageTokens {
  const { size, quality, images, partials, sources, highFidelity, prompt } = request
  const { square, long } = outputTokens[quality]
  return {
    text: tokenizer.count(prompt),
    image: sources * (SOURCE_TOKENS + (highFidelity ? outputTokens.high.square : 0)),
    output: images * ((size.width === size.height ? square : long) + partials * PARTIAL_TOKENS),
  }
}
