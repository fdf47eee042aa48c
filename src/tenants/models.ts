import type { Capability, ModelAlias } from './snapshot'

/** What is known of a model, so that an alias need not say it. */
export interface ModelFacts {
  readonly capabilities: readonly Capability[]
  /** The model's own bound; 0 for embeddings. */
  readonly outputTokensMax: number
  readonly outputTokensField: ModelAlias['outputTokensField']
}

const chat = (outputTokensMax: number): ModelFacts => ({
  capabilities: ['chat'],
  outputTokensMax,
  outputTokensField: 'max_tokens',
})

/** Reasoning models refuse `max_tokens` with a 400. */
const reasoning = (outputTokensMax: number): ModelFacts => ({
  capabilities: ['chat'],
  outputTokensMax,
  outputTokensField: 'max_completion_tokens',
})

const instruct: ModelFacts = { capabilities: ['completions'], outputTokensMax: 4_096, outputTokensField: 'max_tokens' }

const embeddings: ModelFacts = { capabilities: ['embeddings'], outputTokensMax: 0, outputTokensField: 'max_tokens' }

/** As of 2026-09, from Microsoft's pages of models and their retirement. A model that is missing is no error: its aliases say what it can do. */
const facts: ReadonlyMap<string, ModelFacts> = new Map([
  ['gpt-4o', chat(16_384)],
  ['gpt-4o-mini', chat(16_384)],
  ['gpt-4.1', chat(32_768)],
  ['gpt-4.1-mini', chat(32_768)],
  ['gpt-4.1-nano', chat(32_768)],
  ['o4-mini', reasoning(100_000)],
  ['gpt-5', reasoning(128_000)],
  ['gpt-5-mini', reasoning(128_000)],
  ['gpt-5-nano', reasoning(128_000)],
  ['gpt-5.1', reasoning(128_000)],
  ['gpt-5.2', reasoning(128_000)],
  ['gpt-5.4', reasoning(128_000)],
  ['gpt-5.4-mini', reasoning(128_000)],
  ['gpt-5.4-nano', reasoning(128_000)],
  ['gpt-5.4-pro', reasoning(128_000)],
  ['gpt-5.5', reasoning(128_000)],
  ['gpt-35-turbo-instruct', instruct],
  ['text-embedding-3-small', embeddings],
  ['text-embedding-3-large', embeddings],
  ['text-embedding-ada-002', embeddings],
])

export function modelFacts(model: string): ModelFacts | undefined {
  return facts.get(model)
}
