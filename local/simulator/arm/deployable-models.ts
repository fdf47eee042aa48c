import { isTunedName } from '../fine-tuning/trainable-models'
import { modelFacts } from '../model-catalogue'
import type { DeploymentSku } from './arm-config'

/** Versions that accounts can deploy, by model. Source: Microsoft's model tables, 2026. */
const versions: Readonly<Record<string, readonly string[]>> = {
  'gpt-4.1': ['2025-04-14'],
  'gpt-4.1-mini': ['2025-04-14'],
  'gpt-4.1-nano': ['2025-04-14'],
  'gpt-4o': ['2024-05-13', '2024-08-06', '2024-11-20'],
  'gpt-4o-mini': ['2024-07-18'],
  'gpt-5': ['2025-08-07'],
  'gpt-5-mini': ['2025-08-07'],
  'gpt-5-nano': ['2025-08-07'],
  'gpt-5-chat': ['2025-08-07', '2025-10-03'],
  'gpt-5.1': ['2025-11-13'],
  'gpt-5.2': ['2025-12-11'],
  'gpt-5.4': ['2026-03-05'],
  'gpt-5.4-mini': ['2026-03-17'],
  'gpt-5.4-nano': ['2026-03-17'],
  'gpt-5.5': ['2026-04-24'],
  o3: ['2025-04-16'],
  'o3-mini': ['2025-01-31'],
  'o4-mini': ['2025-04-16'],
  'text-embedding-3-small': ['1'],
  'text-embedding-3-large': ['1'],
  'text-embedding-ada-002': ['2'],
  'gpt-35-turbo-instruct': ['0914'],
  'gpt-5-codex': ['2025-09-15'],
  'gpt-5-pro': ['2025-10-06'],
  'gpt-5.3-codex': ['2026-02-24'],
  'gpt-image-1': ['2025-04-15'],
  'gpt-image-1-mini': ['2025-10-06'],
  'gpt-image-1.5': ['2025-12-16'],
  'dall-e-3': ['3.0'],
  whisper: ['001'],
  'gpt-4o-transcribe': ['2025-03-20'],
  'gpt-4o-mini-transcribe': ['2025-03-20'],
  tts: ['001'],
  'tts-hd': ['001'],
  'gpt-4o-mini-tts': ['2025-03-20'],
}

/** The version, or the newest one where none is asked for; undefined where the model has no such version. */
export function deployableVersion(model: string, version: string | undefined): string | undefined {
  const known = Object.hasOwn(versions, model) ? (versions[model] ?? []) : []
  return version === undefined ? known.at(-1) : known.find((each) => each === version)
}

/** What answers name: `gpt-4.1-mini-2025-04-14`, but `text-embedding-3-small`. */
export const answeredModel = ({ name, version }: { name: string; version: string }): string =>
  version.length > 1 ? `${name}-${version}` : name

export const isProvisioned = (sku: string): boolean => sku.endsWith('ProvisionedManaged')

/** Undefined where the model is not offered by this sku; otherwise the least capacity and by what it can grow. */
export function capacityBounds(model: string, sku: DeploymentSku): { min: number; step: number } | undefined {
  const { provisioned, kind, name: family } = modelFacts(model)
  const isTuned = isTunedName(model)
  switch (sku) {
    case 'Standard':
    case 'GlobalStandard':
    case 'DataZoneStandard':
      return { min: 1, step: 1 }
    case 'ProvisionedManaged':
      if (provisioned === undefined) return undefined
      return isSmall(family) ? { min: 25, step: 25 } : { min: 50, step: 50 }
    case 'GlobalProvisionedManaged':
    case 'DataZoneProvisionedManaged':
      return provisioned === undefined ? undefined : { min: 15, step: 5 }
    case 'GlobalBatch':
    case 'DataZoneBatch':
      // Batches take no tuned models.
      return !isTuned && (kind === 'chat' || kind === 'reasoning') ? { min: 1, step: 1 } : undefined
    case 'DeveloperTier':
      return isTuned ? { min: 1, step: 1 } : undefined
  }
}

const isSmall = (model: string) => /-(mini|nano)$/.test(model)
