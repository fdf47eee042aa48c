import type { TenantId } from '../base/ids'
import type { TenantScope } from '../storage/tenant-scope'

/** Credentials that tenants hand over. Values are never logged and never part of an orchestration's input. */
export interface SecretStore {
  put(scope: TenantScope, name: string, value: string): Promise<void>
  /** Undefined where there is none of that name. */
  get(scope: TenantScope, name: string): Promise<string | undefined>
  /** A missing one is no error. */
  remove(scope: TenantScope, name: string): Promise<void>
  /** Names only. */
  list(scope: TenantScope): Promise<readonly string[]>
  /** Names of all that is not wholly gone: in use, or deleted and still kept by the vault. `remove` takes these away too. */
  remains(scope: TenantScope): Promise<readonly string[]>
}

/** Credentials of the platform's own that it makes itself: keys of accounts. No tenant's name leads to one. */
export interface PlatformSecrets {
  /** Replaces what is there: in Key Vault by a new version. */
  put(name: string, value: string): Promise<void>
  /** Undefined where there is none of that name. */
  get(name: string): Promise<string | undefined>
}

/** When tenants' secrets were last given, for whoever tells them that it is long ago: a cross-tenant reader (I4), of names and times. */
export interface SecretAges {
  /** Read page by page as they are consumed. `scopes` are of those whose secrets may be there; some stores ask each of them. */
  ages(scopes: () => AsyncIterable<TenantScope>): AsyncIterable<SecretAge>
}

export interface SecretAge {
  readonly tenantId: TenantId
  readonly name: string
  /** Unix milliseconds; undefined where the store did not note it. */
  readonly changedAt: number | undefined
}
