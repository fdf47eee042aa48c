import { fromJsonColumns, toJsonColumns } from './storage/json-columns'
import type { TenantTable, Columns } from './storage/tenant-table'
import type { SealedRecords } from './onboarding/credential-links'
export const interimRecords = (t: TenantTable<Columns>): SealedRecords => ({
  get: async <T>(s: Parameters<SealedRecords['get']>[0], id: string) => { const r = await t.get(s, id); return r && { value: fromJsonColumns<T>(r.columns), etag: r.etag } },
  put: async (s, id, v) => t.put(s, id, toJsonColumns(v)),
  replace: (s, id, v, e) => t.replace(s, id, toJsonColumns(v), e),
  remove: (s, id) => t.remove(s, id),
})
