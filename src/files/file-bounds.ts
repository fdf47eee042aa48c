import type { FilePurpose } from './file-record'

const MB = 1024 * 1024

/** Azure's own (azure-facts 3.1 and 4): what is larger could be used nowhere. */
export const FILE_BYTES_MAX = 512 * MB
export const BATCH_FILE_BYTES_MAX = 200 * MB
/** OpenAI's, of one part of an upload. */
export const PART_BYTES_MAX = 64 * MB
export const PARTS_MAX = 1_000
/** 64 MB at 1 Mbit/s. */
export const PART_MS_MAX = 10 * 60_000
/** OpenAI's: an upload that is not completed within an hour is over. */
export const UPLOAD_VALID_MS = 3_600_000

/** How long a link to upload by may be used. Another can be had while the upload is open. */
export const LINK_VALID_MS = 3_600_000
/** An upload by link that is not completed within it is over: 512 MB at 0.2 Mbit/s. */
export const LINK_UPLOAD_VALID_MS = 6 * 3_600_000
/** To take in what came by a link: minutes, or what an outage makes of them. */
export const TAKING_MS_MAX = 3 * 3_600_000

/** What is so large is fetched by its account rather than sent in one request. Source: Microsoft, "Customize a model". */
export const IMPORT_BYTES_MIN = 100_000_000
/** How long an account may read what it is to fetch. */
export const LENT_MS = 2 * 3_600_000

/** Seconds from its creation after which a file may expire. Source: OpenAI's `expires_after`. */
export const expirySeconds = { min: 3_600, max: 2_592_000 } as const

/** What all of a tenant's files may take up together, those that are on their way included. */
export const TENANT_BYTES_MAX = 20 * 1024 * MB
export const TENANT_FILES_MAX = 10_000
/** Creations, uploads and deletions of a tenant that have begun and not ended. */
export const UNDER_WAY_MAX = 200

/** A creation may take so long; then its client is too slow, and what came of it is cleared away. */
export const DRAFT_MS_MAX = 3_600_000
/** Added to the times above before anything is cleared away: instances' clocks differ, and writes end late. */
export const CLEARING_MARGIN_MS = 300_000

export const FILES_PAGE_MAX = 10_000
export const FILES_PAGE_DEFAULT = 1_000

/** What is sealed at once: a creation holds about three times as much. */
export const CHUNK_BYTES = 2 * MB
/** Contents that an instance writes at one time, and those that it reads for clients: about 200 MB of memory each. */
export const WRITES_AT_ONCE_MAX = 32
export const READS_AT_ONCE_MAX = 32

export const FILENAME_CHARACTERS_MAX = 512

export const fileBytesMax = (purpose: FilePurpose): number =>
  purpose === 'batch' ? BATCH_FILE_BYTES_MAX : FILE_BYTES_MAX
