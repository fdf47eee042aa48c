import { z } from 'zod'
import type { AuditChain, AuditEntry, AuditLog } from './audit-log'

const hash = z.string().regex(/^[0-9a-f]{64}$/)

const entry = z.strictObject({
  sequence: z.int().min(1).meta({ description: 'From 1, without gaps.' }),
  at: z.iso.datetime(),
  actor: z.strictObject({ kind: z.enum(['key', 'user', 'application', 'operator', 'orchestration']), id: z.string() }),
  action: z.string().meta({ description: 'The permission that it took, or what an operation did.' }),
  target: z.string().meta({ description: 'The path and the ids of what it was done to.' }),
  outcome: z.enum(['done', 'refused', 'failed']),
  requestId: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  previousHash: hash.meta({ description: 'The hash of the entry before; of the first one 64 zeros.' }),
  hash: hash.meta({
    description: 'SHA-256 (hex) over the RFC 8785 JSON of everything else of the entry, previousHash included.',
  }),
})

const page = z.strictObject({
  entries: z.array(entry),
  next: z.int().optional().meta({ description: 'The `after` of the next page; absent on the last.' }),
  head: z.strictObject({ sequence: z.int().min(0), hash }).meta({
    description: 'Where the chain ends. Keep it: a later check against it shows whether anything before was changed.',
  }),
})

/** A page of a chain as its readers see it. */
export const auditPage = {
  schema: page,
  read: async (
    audit: AuditLog,
    chain: AuditChain,
    { after, limit }: { after: number; limit: number },
  ): Promise<{
    entries: readonly AuditEntry[]
    next: number | undefined
    head: { sequence: number; hash: string }
  }> => {
    const entries = await audit.page(chain, { after, limit })
    // Read last, so that the end is never before an entry that is shown.
    const head = await audit.head(chain)
    const last = after + limit
    return { entries, next: last < head.sequence ? last : undefined, head }
  },
}
