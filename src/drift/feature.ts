/** What is measured of a request to a model, alike in its training data and in the calls that it answers. */
export const features = ['promptTokens', 'messages', 'outputTokens', 'scripts', 'languages', 'topics'] as const
export type Feature = (typeof features)[number]

/** Amounts are counted by size, labels by name. */
const amountFeatures = ['promptTokens', 'messages', 'outputTokens'] as const satisfies readonly Feature[]
type AmountFeature = (typeof amountFeatures)[number]

export const isAmount = (feature: Feature): feature is AmountFeature =>
  amountFeatures.some((amount) => amount === feature)

/** How often each bin or label was met. Numbers only: of what they were counted from, nothing is left. */
export type Counts = Readonly<Record<string, number>>

/** A feature that was not measured is absent, which is not the same as one that was never met. */
export type FeatureCounts = { readonly [Name in Feature]?: Counts | undefined }

/** What one request adds: an amount's bin or a label for each feature that could be measured of it. */
export type Measured = { readonly [Name in Feature]?: string | undefined }

/**
 * Names how requests are measured. Counts of another measure are not compared with these: whoever changes what a feature counts, or
 * where its bins lie, changes this, and baselines are made again from their files.
 */
export const MEASURE = '1'
