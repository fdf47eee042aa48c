import type { TracedCall } from './call-trace'

/**
 * Names of the OpenTelemetry semantic conventions for generative AI (https://opentelemetry.io/docs/specs/semconv/gen-ai/), as of the
 * releases since 1.37; they are still in development, so they stand here and nowhere else.
 */
export const genAi = {
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  requestModel: 'gen_ai.request.model',
  responseModel: 'gen_ai.response.model',
  inputTokens: 'gen_ai.usage.input_tokens',
  cachedTokens: 'gen_ai.usage.cache_read.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  tokenType: 'gen_ai.token.type',
} as const

/** The conventions' words where they have one. What the platform itself asks carries its purpose in front. */
export function operationOf(operation: string): string {
  return WELL_KNOWN[operation] ?? operation
}

const WELL_KNOWN: Readonly<Record<string, string>> = {
  'chat.completions': 'chat',
  responses: 'chat',
  completions: 'text_completion',
  embeddings: 'embeddings',
}

export function providerOf(kind: TracedCall['provider']): string | undefined {
  return kind && { 'azure-openai': 'azure.ai.openai', 'openai-compatible': 'openai' }[kind]
}
