import type { StoredFile } from './stored-file'

/** A file that comes in parts. Times are Unix milliseconds. */
export interface StoredUpload {
  readonly id: string
  readonly filename: string
  readonly purpose: string
  /** Promised, and kept to. */
  readonly bytes: number
  readonly createdAt: number
  readonly expiresAt: number
  readonly parts: Map<string, Buffer>
  state: { readonly kind: 'pending' | 'cancelled' } | { readonly kind: 'completed'; readonly file: StoredFile }
}

export const uploadStatus = ({ state, expiresAt }: StoredUpload, now: number): string =>
  state.kind === 'pending' && now >= expiresAt ? 'expired' : state.kind
