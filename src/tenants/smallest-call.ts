import type { ModelAlias } from './snapshot'

/** A call by which it is tried whether a model answers. */
export interface SmallestCall {
  /** Behind `/openai/v1` or the deployment. */
  readonly path: '/chat/completions' | '/completions' | '/embeddings'
  /** Without `model`. */
  readonly body: object
}

/** Reasoning models need a few tokens before they answer anything. */
const OUTPUT_TOKENS = 16

/**
 * Undefined where an alias serves nothing that can be tried for next to nothing: an image costs cents, sound needs a recording, and a
 * deployment for batches answers no call.
 */
export function smallestCall(
  {
    capabilities,
    outputTokensMax,
    outputTokensField,
  }: Pick<ModelAlias, 'capabilities' | 'outputTokensMax' | 'outputTokensField'>,
  prompt: string,
): SmallestCall | undefined {
  const tokens = Math.min(OUTPUT_TOKENS, outputTokensMax)
  if (capabilities.includes('chat')) {
    const messages = [{ role: 'user', content: prompt }]
    return { path: '/chat/completions', body: { messages, [outputTokensField]: tokens } }
  }
  if (capabilities.includes('embeddings')) return { path: '/embeddings', body: { input: prompt } }
  return capabilities.includes('completions')
    ? { path: '/completions', body: { prompt, max_tokens: tokens } }
    : undefined
}
