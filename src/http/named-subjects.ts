import type { Ranked } from '../capacity/capacity'
import type { Named } from '../capacity/capacity-view'
import { TenantScope } from '../storage/tenant-scope'
import type { ControlPlane } from './control-plane'

/** Of one page, read at one time. */
const READS_AT_ONCE = 16

/** Tenants and deployments with the names that operators know them by; one that is gone has none. For operators only (I4). */
export async function namedSubjects(
  { tenants, backends }: Pick<ControlPlane, 'tenants' | 'backends'>,
  ranked: readonly Ranked[],
): Promise<readonly Named[]> {
  const nameOf = async ({ subject }: Ranked) =>
    subject.kind === 'tenant'
      ? (await tenants.get(TenantScope.ofPlatform(subject.tenantId)))?.displayName
      : (await backends.get(subject.backendId))?.name
  const named: Named[] = []
  for (let i = 0; i < ranked.length; i += READS_AT_ONCE) {
    const some = ranked.slice(i, i + READS_AT_ONCE)
    const names = await Promise.all(some.map(nameOf))
    some.forEach(({ subject, outlook }, at) => named.push({ subject, outlook, name: names[at] }))
  }
  return named
}
