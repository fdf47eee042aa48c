import type { TenantId } from '../base/ids'

/**
 * The only key to a tenant's data (I1). It is made from a caller whose credential was verified, or by a durable
 * orchestration or a platform operator acting for one named tenant; `test/arrows.test.ts` keeps the list of modules
 * that may call each maker. Whoever holds a scope reaches that tenant's rows and nobody else's.
 */
export class TenantScope {
  readonly tenantId: TenantId

  private constructor(tenantId: TenantId) {
    this.tenantId = tenantId
  }

  /** For a caller that `access` has verified. */
  static ofCaller(caller: { readonly tenantId: TenantId }): TenantScope {
    return new TenantScope(caller.tenantId)
  }

  /** For an operator or an orchestration that acts on the one tenant it names. The act is audited where it happens. */
  static ofPlatform(tenantId: TenantId): TenantScope {
    return new TenantScope(tenantId)
  }
}
