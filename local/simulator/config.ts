import { z } from 'zod'
import { armSchema } from './arm/arm-config'
import { FAULT_FORMS, parseFault } from './faults'
import { fineTuningSchema } from './fine-tuning/fine-tuning-config'
import { latencySchema } from './latency-config'
import { modelFacts } from './model-catalogue'

const OUTPUT_TOKENS_MAX = 128_000
const DELAY_MS_MAX = 3_600_000

const fault = z
  .string()
  .refine((text) => parseFault(text).kind === 'fault', { error: `expected one of ${FAULT_FORMS}` })
const faultRule = z.union([
  z.strictObject({ kind: fault, probability: z.number().min(0).max(1) }),
  z.strictObject({ kind: fault, next: z.int().min(0) }),
])

const admission = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('unlimited') }),
  z.strictObject({
    kind: z.literal('standard'),
    tokensPerMinute: z.int().min(1),
    /** By the model's capacity rule when absent. */
    requestsPerMinute: z.int().min(1).optional(),
    refusals: z.enum(['standard', 'no-retry-after', 'negative-limits', 'high-demand']).default('standard'),
  }),
  z.strictObject({ kind: z.literal('provisioned'), units: z.int().min(1).max(100_000) }),
  /** Serves batches and nothing else. */
  z.strictObject({ kind: z.literal('batch'), enqueuedTokensMax: z.int().min(1).default(200_000_000) }),
])

const output = z
  .strictObject({
    tokensMin: z.int().min(1).max(OUTPUT_TOKENS_MAX).default(24),
    tokensMax: z.int().min(1).max(OUTPUT_TOKENS_MAX).default(96),
  })
  .refine(({ tokensMin, tokensMax }) => tokensMin <= tokensMax, { error: 'expected tokensMin to be at most tokensMax' })

const deployment = z
  .strictObject({
    /** The model version that answers name, for example `gpt-4.1-mini-2025-04-14`. */
    model: z.string().min(1),
    /** Length of an answer that asks for none. */
    output: output.prefault({}),
    latency: latencySchema.prefault({}),
    admission: admission.default({ kind: 'unlimited' }),
    contentFilter: z.enum(['default', 'asynchronous', 'off']).default('default'),
    faults: z.array(faultRule).max(32).default([]),
  })
  .refine(({ admission, model }) => admission.kind !== 'provisioned' || modelFacts(model).provisioned !== undefined, {
    path: ['admission', 'kind'],
    error: 'this model is not sold provisioned: expected unlimited or standard',
  })

const pleasant = { firstTokenMs: 150, tokensPerSecond: 80, jitter: 0.1 }

/** The resource that is simulated when no other is named. */
const defaultDeployments: Record<string, z.input<typeof deployment>> = {
  'gpt-4.1-mini': { model: 'gpt-4.1-mini-2025-04-14', latency: pleasant },
  'gpt-4.1': { model: 'gpt-4.1-2025-04-14', latency: pleasant },
  'gpt-4.1-ptu': { model: 'gpt-4.1-2025-04-14', latency: pleasant, admission: { kind: 'provisioned', units: 50 } },
  'gpt-5-mini': { model: 'gpt-5-mini-2025-08-07', latency: pleasant },
  'text-embedding-3-small': { model: 'text-embedding-3-small', latency: { firstTokenMs: 40 } },
  'gpt-4.1-mini-batch': { model: 'gpt-4.1-mini-2025-04-14', admission: { kind: 'batch' } },
  'gpt-35-turbo-instruct': { model: 'gpt-35-turbo-instruct-0914', latency: pleasant },
  'gpt-image-1': { model: 'gpt-image-1-2025-04-15', latency: { firstTokenMs: 2_000 } },
  whisper: { model: 'whisper-001', latency: { firstTokenMs: 400 } },
  'gpt-4o-transcribe': { model: 'gpt-4o-transcribe-2025-03-20', latency: pleasant },
  'gpt-4o-mini-tts': { model: 'gpt-4o-mini-tts-2025-03-20', latency: { firstTokenMs: 300 } },
}

const configSchema = z.strictObject({
  /** What the texts are drawn from: the same seed and messages give the same answer. */
  seed: z.int().default(1),
  region: z.string().min(1).default('East US 2'),
  authentication: z
    .strictObject({
      keys: z.array(z.string().min(1)).min(1).default(['simulator-key']),
      /** `accept` takes whatever looks like a JWT; `check` reads its `aud` and `exp`, never its signature. */
      tokens: z.enum(['accept', 'check', 'refuse']).default('accept'),
      audiences: z.array(z.string().min(1)).default(['https://cognitiveservices.azure.com', 'https://ai.azure.com']),
    })
    .prefault({}),
  deployments: z.record(z.string().min(1), deployment).prefault(defaultDeployments),
  /** Standing faults of what accounts keep, by operation as the ledger names it: `files.delete`. */
  storedFaults: z.record(z.string().min(1), z.array(faultRule).max(32)).default({}),
  files: z
    .strictObject({
      /** How long a new file is pending and running before it can be used. */
      processingMs: z.number().min(0).max(DELAY_MS_MAX).default(0),
      /** Whether v1 too takes files by their addresses, which its specification does not say. */
      importOnV1: z.boolean().default(false),
      /** Uploads that an account takes in a second; Azure's are 30. Zero: no bound. */
      uploadsPerSecond: z.int().min(0).default(0),
      /** Of all files for training of an account together. */
      trainingBytesMax: z.int().min(1).default(1_073_741_824),
    })
    .prefault({}),
  batches: z
    .strictObject({
      validatingMs: z.number().min(0).max(DELAY_MS_MAX).default(0),
      /** Zero runs all lines at once. */
      linesPerSecond: z.number().min(0).default(0),
      finalizingMs: z.number().min(0).max(DELAY_MS_MAX).default(0),
    })
    .prefault({}),
  responses: z
    .strictObject({
      /** How long one in the background waits before it begins. */
      queuedMs: z.number().min(0).max(DELAY_MS_MAX).default(0),
    })
    .prefault({}),
  fineTuning: fineTuningSchema.prefault({}),
  hosting: z
    .strictObject({
      /** How many seconds pass in one for the deployments of tuned models: their lifetimes, idleness and charges. */
      speed: z.number().min(0).max(1_000_000_000).default(1),
    })
    .prefault({}),
  /** Azure Resource Manager and what is made through it. */
  arm: armSchema.prefault({}),
})

export type SimulatorConfig = z.infer<typeof configSchema>
export type DeploymentConfig = z.infer<typeof deployment>
/** What may be written in a file or a patch: everything with a default may be left out. */
export type SimulatorConfigInput = z.input<typeof configSchema>

export type ParsedConfig =
  | { readonly kind: 'config'; readonly config: SimulatorConfig }
  | { readonly kind: 'invalid'; readonly faults: readonly string[] }

/** Reads a whole configuration; all faults are reported together, each naming its field and what would be valid. */
export function parseConfig(raw: unknown): ParsedConfig {
  const parsed = configSchema.safeParse(raw)
  if (parsed.success) return { kind: 'config', config: parsed.data }
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'config'}: ${message}`)
  return { kind: 'invalid', faults }
}

type Json = Record<string, unknown>
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Merges a patch into a configuration, as JSON Merge Patch does: objects merge, null removes, all else replaces.
 * An object whose `kind` changes is replaced, since the fields of one kind mean nothing to another.
 */
export function mergeConfig(base: unknown, patch: unknown): unknown {
  if (!isObject(base) || !isObject(patch)) return patch
  if (patch['kind'] !== undefined && patch['kind'] !== base['kind']) return patch
  const merged = new Map(Object.entries(base))
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name)
    else merged.set(name, mergeConfig(merged.get(name), value))
  }
  return Object.fromEntries(merged)
}
