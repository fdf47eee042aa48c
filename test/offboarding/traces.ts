import type { TenantId } from '../../src/base/ids'
import { connectStorage } from '../../src/storage/connect'
import { validationLimitsId } from '../../src/tenants/canary'
import type { TestStack } from '../harness/stack'
import { testConnectionString } from '../harness/storage'

/** What of a stack's storage has the tenant's id, or that of its validation, as a partition, in a name or at the head of a blob's path. */
export async function tracesOf({ storagePrefix }: TestStack, tenantId: string): Promise<string[]> {
  const validationId = validationLimitsId(tenantId as TenantId)
  const storage = storageOf(storagePrefix)
  const traces: string[] = []
  const [tables, containers] = [await storage.tableNames(), await storage.containerNames()]
  const rowsIn = async (name: string) =>
    (await storage.rowsInPartition(name, tenantId)) + (await storage.rowsInPartition(name, validationId))
  for (const name of tables) if ((await rowsIn(name)) > 0) traces.push(name)
  for (const name of containers) if ((await storage.blobsUnder(name, `${tenantId}/`)) > 0) traces.push(name)
  return [...traces, ...[...tables, ...containers].filter((name) => name.includes(tenantId.slice('ten_'.length)))]
}

export const storageOf = (prefix: string) =>
  connectStorage({ kind: 'connection-string', connectionString: testConnectionString() }, prefix)

/** What a signed certificate says; whether it is signed is another test's question. */
export async function certificateOf(stack: TestStack, tenantId: string): Promise<Record<string, unknown>> {
  const { body } = await stack.platform.get<{ certificate: string }>(`/tenants/${tenantId}/deletion-certificate`)
  return JSON.parse(Buffer.from(body.certificate.split('.')[1] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >
}
