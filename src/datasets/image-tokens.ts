import type { ImageUse } from './example-parts'
import type { ImageSize } from './image-header'

/**
 * Tokens of an image for gpt-4o and gpt-4.1, the models that are trained with images: 85, and in high detail 170 for each
 * square of 512 pixels after it was made to fit. Where its size is not known, as many as an image can have.
 * Source: OpenAI, "Images and vision" (azure-facts 1.10).
 */
export function imageTokens({ detail, size }: Pick<ImageUse, 'detail' | 'size'>): number {
  if (detail === 'low') return BASE
  return BASE + SQUARE * (size ? squaresOf(size) : SQUARES_MAX)
}

const BASE = 85
const SQUARE = 170
const SQUARE_PIXELS = 512
const LONG_SIDE_MAX = 2_048
const SHORT_SIDE_MAX = 768
const SQUARES_MAX = Math.ceil(LONG_SIDE_MAX / SQUARE_PIXELS) * Math.ceil(SHORT_SIDE_MAX / SQUARE_PIXELS)

function squaresOf({ width, height }: ImageSize): number {
  const long = Math.max(width, height, 1)
  const fits = Math.min(1, LONG_SIDE_MAX / long)
  const short = Math.max(Math.min(width, height), 1) * fits
  const scale = fits * Math.min(1, SHORT_SIDE_MAX / short)
  const squares = (side: number) => Math.max(1, Math.ceil((side * scale) / SQUARE_PIXELS - ROUNDING))
  return squares(width) * squares(height)
}

/** Sides that were scaled to a whole number of squares must not come to one more. */
const ROUNDING = 1e-9
