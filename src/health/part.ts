import { UpstreamError } from '../azure/upstream-error'
import { storageStatus } from '../storage/connect'

/** What an instance works with. Public: the names say nothing that is not in the documentation. */
export const partNames = ['storage', 'usage-log', 'backends', 'key-vault', 'sign-in'] as const
export type PartName = (typeof partNames)[number]

/** `impaired`: some of it is missing, and what is left serves. */
export const partStates = ['ok', 'impaired', 'failing'] as const
export type PartState = (typeof partStates)[number]

/** How a part was found just now. */
export interface Found {
  readonly state: PartState
  /** For operators: the kind of what is wrong, without addresses and without content. */
  readonly why?: string | undefined
}

/** Looks at one part. What it throws is a part that fails. */
export type Look = () => Found | Promise<Found>

export const sound: Found = { state: 'ok' }

/** Kinds only: messages of the SDKs hold addresses, names of accounts, and request ids. */
export function kindOfError(error: unknown): string {
  const status = storageStatus(error)
  if (status !== undefined) return `status ${status}`
  if (error instanceof UpstreamError) return error.kind
  if (!(error instanceof Error)) return 'unknown'
  if ('code' in error && typeof error.code === 'string' && /^[A-Z][A-Z0-9_]{1,40}$/.test(error.code)) return error.code
  return error.name
}
