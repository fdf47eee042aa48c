import { createAuditLog } from '../../src/audit/create-audit-log'
import type { AuditEntry, AuditEvent } from '../../src/audit/audit-log'
import { emptyChain, entryAfter } from '../../src/audit/audit-entry'
import { auditStorage } from '../../src/audit/chain-rows'
import { systemChance } from '../../src/base/chance'
import { systemClock } from '../../src/base/clock'
import type { StorageAccount } from '../../src/storage/connect'
import { platformTable } from '../../src/storage/platform-table'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import { freshStorage } from '../harness/storage'

export const scope = TenantScope.ofPlatform(`ten_${'a'.repeat(26)}`)
export const otherScope = TenantScope.ofPlatform(`ten_${'b'.repeat(26)}`)

export const event = (name: string, more: Partial<AuditEvent> = {}): AuditEvent => ({
  actor: { kind: 'key', id: 'key_1' },
  action: 'keys.manage',
  target: '/api/tenant/keys',
  outcome: 'done',
  requestId: name,
  ...more,
})

/** One app instance's log; several on one storage are several instances. */
export const auditLogOn = (storage: StorageAccount) =>
  createAuditLog({
    tenantRows: tenantTable(storage.table('audit')),
    platformRows: platformTable(storage.table('audit')),
    clock: systemClock,
    chance: systemChance(),
  })

export async function auditStorageForTest() {
  const storage = freshStorage()
  await storage.ensure(auditStorage)
  return storage
}

/** A sound chain, made in memory. */
export function chainOf(length: number): AuditEntry[] {
  const entries: AuditEntry[] = []
  for (let i = 0; i < length; i++)
    entries.push(
      entryAfter(entries.at(-1) ?? emptyChain, event(`req_${i}`, { details: { status: 200 + i } }), 1_000 * i),
    )
  return entries
}
