import type { CallerId, FileId } from '../base/ids'

/** What clients may upload for. Source: Azure OpenAI's v1 specification. */
export const uploadPurposes = ['fine-tune', 'batch', 'assistants', 'evals', 'user_data', 'vision'] as const
export type UploadPurpose = (typeof uploadPurposes)[number]

/** What files are for; the last two are made by the platform only. */
export const filePurposes = [...uploadPurposes, 'batch_output', 'fine-tune-results'] as const
export type FilePurpose = (typeof filePurposes)[number]

/** SHA-256 in lower-case hexadecimal. */
export type ContentHash = `sha256:${string}`

/** What is known of a tenant's file. It is there only when all of its content is, so every file can be used at once. */
export interface FileRecord {
  readonly id: FileId
  /** As the client named it: shown to its tenant, never used as a path. */
  readonly filename: string
  readonly purpose: FilePurpose
  readonly bytes: number
  /** Of all bytes; unknown where it came in parts, which nobody has read in their order. */
  readonly contentHash?: ContentHash | undefined
  /** Unix milliseconds. */
  readonly createdAt: number
  /** Unix milliseconds, from which on nobody sees it; undefined for one that stays. */
  readonly expiresAt: number | undefined
  /** Undefined for what the platform made. */
  readonly createdBy: CallerId | undefined
}

/** A file as clients see it. Source: OpenAI's `FileObject`; Azure's statuses end in `processed`, which ours all are. */
export const fileView = ({ id, filename, purpose, bytes, createdAt, expiresAt }: FileRecord) => ({
  id,
  object: 'file' as const,
  bytes,
  created_at: Math.floor(createdAt / 1_000),
  filename,
  purpose,
  status: 'processed' as const,
  ...(expiresAt === undefined ? {} : { expires_at: Math.floor(expiresAt / 1_000) }),
})
