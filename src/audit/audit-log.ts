import type { TenantScope } from '../storage/tenant-scope'

/** One chain a tenant, and one of the platform's own. */
export type AuditChain = TenantScope | 'platform'

/** Something that was done or tried, as it is handed in. Never content, never a secret. */
export interface AuditEvent {
  readonly actor: AuditActor
  /** The permission that it took (`keys.manage`), or what an orchestration did (`onboarding.activate`). */
  readonly action: string
  /** Ids and paths of what it was done to: `key_…`, `/api/tenant/keys`. */
  readonly target: string
  readonly outcome: 'done' | 'refused' | 'failed'
  /** The HTTP request or the operation that it was part of. */
  readonly requestId: string
  /** Names of changed fields, counts, reasons. */
  readonly details?: Readonly<Record<string, string | number | boolean>>
}

export interface AuditActor {
  readonly kind: 'key' | 'user' | 'application' | 'operator' | 'orchestration'
  /** A key's id, `{directory}/{object id}`, an operator's name, an operation's id. */
  readonly id: string
}

/** An event in its chain. `hash` is over everything else of the entry, `previousHash` included. */
export interface AuditEntry extends AuditEvent {
  /** From 1, without gaps. */
  readonly sequence: number
  /** ISO 8601, UTC. */
  readonly at: string
  /** Of the entry before it; of the first one 64 zeros. */
  readonly previousHash: string
  /** SHA-256 in hex. */
  readonly hash: string
}

export interface AuditLog {
  /** Resolves when the entry is durable in its chain; entries of one chain are in the order of their numbers. */
  append(chain: AuditChain, event: AuditEvent): Promise<AuditEntry>
  /** In the order of their numbers; `after` is the last number of the page before (0 begins). */
  page(chain: AuditChain, page: { after: number; limit: number }): Promise<readonly AuditEntry[]>
  /** The chain's last number and hash; number 0 where nothing was written yet. */
  head(chain: AuditChain): Promise<{ readonly sequence: number; readonly hash: string }>
}
