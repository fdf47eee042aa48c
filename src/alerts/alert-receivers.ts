import type { TenantScope } from '../storage/tenant-scope'
import type { Columns, TenantTable } from '../storage/tenant-table'

/** Whom alerts about a tenant go to. */
export interface AlertReceivers {
  put(scope: TenantScope, receiver: AlertReceiver): Promise<void>
  get(scope: TenantScope): Promise<AlertReceiver | undefined>
  remove(scope: TenantScope): Promise<void>
}

export interface AlertReceiver {
  readonly email: string
}

const ROW = 'receiver'

export function createAlertReceivers(table: TenantTable<Columns>): AlertReceivers {
  return {
    put: (scope, { email }) => table.put(scope, ROW, { email }),
    get: async (scope) => {
      const email = (await table.get(scope, ROW))?.columns['email']
      return typeof email === 'string' ? { email } : undefined
    },
    remove: (scope) => table.remove(scope, ROW),
  }
}
