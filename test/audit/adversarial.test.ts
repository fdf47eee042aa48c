import { RestError, type PipelinePolicy } from '@azure/core-rest-pipeline'
import { verifyChain } from '../../src/audit/verify-chain'
import type { StorageAccount } from '../../src/storage/connect'
import { tenantTable } from '../../src/storage/tenant-table'
import { auditLogOn, auditStorageForTest, event, scope } from './audit-fixtures'

/** The account with something in the way of what is sent to its tables. */
const withPolicy = (storage: StorageAccount, sendRequest: PipelinePolicy['sendRequest']): StorageAccount => ({
  ...storage,
  table: (name) => {
    const client = storage.table(name)
    client.pipeline.addPolicy({ name: 'in the way', sendRequest }, { phase: 'Sign' })
    return client
  },
})

const faultsOf = async (log: ReturnType<typeof auditLogOn>) =>
  verifyChain(await log.page(scope, { after: 0, limit: 1_000 }), { end: await log.head(scope) }).faults

describe('what breaks', () => {
  it('if storage carries a transaction out and its answer is lost: the entry is there once, and the append succeeds', async () => {
    const storage = await auditStorageForTest()
    let lost = 0
    const flaky = withPolicy(storage, async (request, next) => {
      const response = await next(request)
      if (request.method === 'POST' && lost++ === 0) throw new RestError('lost', { code: 'ECONNRESET', request })
      return response
    })
    const log = auditLogOn(flaky)
    expect(await log.append(scope, event('once'))).toMatchObject({ sequence: 1 })
    expect((await log.page(scope, { after: 0, limit: 10 })).map(({ requestId }) => requestId)).toEqual(['once'])
    expect(lost).toBeGreaterThan(1)
    expect(await faultsOf(log)).toEqual([])
  })

  it('if storage fails for good: the append fails, and the next one continues the same chain', async () => {
    const storage = await auditStorageForTest()
    let isDown = false
    const log = auditLogOn(
      withPolicy(storage, (request, next) => {
        if (isDown) throw new RestError('refused', { statusCode: 403, request })
        return next(request)
      }),
    )
    await log.append(scope, event('before'))
    isDown = true
    await expect(log.append(scope, event('meanwhile'))).rejects.toThrow('refused')
    isDown = false
    expect(await log.append(scope, event('after'))).toMatchObject({ sequence: 2 })
    expect(await faultsOf(log)).toEqual([])
  })

  it('if another instance has written since: an end remembered from before is not written to', async () => {
    const storage = await auditStorageForTest()
    const [here, there] = [auditLogOn(storage), auditLogOn(storage)]
    await here.append(scope, event('1'))
    await there.append(scope, event('2'))
    expect(await here.append(scope, event('3'))).toMatchObject({ sequence: 3 })
    expect(await there.append(scope, event('4'))).toMatchObject({ sequence: 4 })
    expect(await faultsOf(here)).toEqual([])
  })

  it('if the tenant’s rows are deleted under an instance that remembers the chain: a new one begins at 1', async () => {
    const storage = await auditStorageForTest()
    const log = auditLogOn(storage)
    await log.append(scope, event('old'))
    await tenantTable(storage.table('audit')).removeAll(scope)
    expect(await log.append(scope, event('new'))).toMatchObject({ sequence: 1 })
    expect(await faultsOf(log)).toEqual([])
  })
})
