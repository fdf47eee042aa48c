import { speechSound } from '../../local/simulator/audio/speech-sound'
import type { TestStack, TestTenant, TenantOptions } from './stack'

/** Aliases for what is neither chat nor embeddings, named for what they do; `gpt-image-1` as clients know it by its name. */
const deployments = [
  ['instruct', 'gpt-35-turbo-instruct', 'completions'],
  ['gpt-image-1', 'gpt-image-1', 'images'],
  ['whisper', 'whisper', 'transcription'],
  ['listener', 'gpt-4o-transcribe', 'transcription'],
  ['speaker', 'gpt-4o-mini-tts', 'speech'],
] as const

export type MediaAlias = (typeof deployments)[number][0]

/** A tenant with an alias for each kind of model that there is beside chat and embeddings. */
export async function makeMediaTenant(stack: TestStack, options: TenantOptions = {}): Promise<TestTenant> {
  await stack.configureSimulator({
    deployments: Object.fromEntries(
      deployments.map(([, deployment]) => [
        deployment,
        { latency: { firstTokenMs: 0, tokensPerSecond: 0, jitter: 0 }, admission: { kind: 'unlimited' } },
      ]),
    ),
  })
  const aliases = await Promise.all(
    deployments.map(async ([name, deployment, capability]) => ({
      name,
      model: deployment,
      capabilities: [capability],
      groups: [{ members: [{ backendId: await stack.makeBackend(deployment) }] }],
      ...(capability === 'completions' ? { outputTokensMax: 500 } : {}),
    })),
  )
  return stack.makeTenant({ ...options, aliases })
}

/** What the tenant's usage log says of its calls so far, by operation. */
export async function usageByOperation(stack: TestStack, { apiKey }: TestTenant): Promise<Record<string, UsageRow>> {
  const answer = await fetch(`${stack.baseUrl}/api/tenant/usage?groupBy=operation`, { headers: { 'api-key': apiKey } })
  const { rows } = (await answer.json()) as { rows: (UsageRow & { operation: string })[] }
  return Object.fromEntries(rows.map((row) => [row.operation, row]))
}

export interface UsageRow {
  readonly calls: number
  readonly unsettled: number
  readonly promptTokens: number
  readonly outputTokens: number
  readonly images: number
  readonly audioMs: number
  readonly characters: number
}

export const SOUND_SECONDS = 8.4
export const sound = () => speechSound('wav', SOUND_SECONDS, 1)
