import { binOf } from '../../src/drift/histogram'
import type { Counts, FeatureCounts } from '../../src/drift/feature'

/** A normal deviate of two uniform ones. Source: Box and Muller (1958). */
export const normal = (fraction: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - fraction())) * Math.cos(2 * Math.PI * fraction())

/** Prompts as they are: log-normal, most of some hundred tokens and some of thousands. `shift` moves them by so many deviations. */
export const promptTokens = (fraction: () => number, shift = 0): number =>
  Math.round(Math.exp(6 + 0.9 * (normal(fraction) + shift)))

export function countsOf(samples: number, draw: () => string): Counts {
  const counts: Record<string, number> = {}
  for (let n = 0; n < samples; n++) {
    const label = draw()
    counts[label] = (counts[label] ?? 0) + 1
  }
  return counts
}

export const promptCounts = (samples: number, fraction: () => number, shift = 0): Counts =>
  countsOf(samples, () => binOf(promptTokens(fraction, shift)))

/** By shares that sum to 1. */
export const labelCounts = (
  samples: number,
  fraction: () => number,
  shares: Readonly<Record<string, number>>,
): Counts =>
  countsOf(samples, () => {
    let left = fraction()
    for (const [label, share] of Object.entries(shares)) if ((left -= share) < 0) return label
    return Object.keys(shares).at(-1) ?? ''
  })

const languages = { en: 0.7, de: 0.2, fr: 0.08, it: 0.02 }

/** Of every kind, from one distribution. */
export const someCounts = (samples: number, fraction: () => number): FeatureCounts => ({
  promptTokens: promptCounts(samples, fraction),
  messages: countsOf(samples, () => binOf(1 + 2 * Math.floor(4 * fraction() ** 2))),
  outputTokens: promptCounts(samples, fraction, -1),
  languages: labelCounts(samples, fraction, languages),
})
