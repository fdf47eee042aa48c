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
