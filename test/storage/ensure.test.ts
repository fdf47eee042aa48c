import { connectStorage } from '../../src/storage/connect'
import { freshStorage, testConnectionString } from '../harness/storage'

const NEEDS = { tables: ['one', 'two'], containers: ['one'], queues: ['one'] }

describe('preparing storage', () => {
  it('makes what is missing beside what is there, and nothing twice, by two instances at once', async () => {
    const storage = freshStorage()
    await storage.ensure({ tables: ['two'] })
    await Promise.all([storage.ensure(NEEDS), storage.ensure(NEEDS)])
    await storage.ensure(NEEDS)
    expect((await storage.tableNames()).sort()).toEqual(['one', 'two'])
    expect(await storage.containerNames()).toEqual(['one'])
  })

  it('is not misled by the tables of another installation whose prefix begins alike', async () => {
    const { prefix } = freshStorage()
    const connection = { kind: 'connection-string', connectionString: testConnectionString() } as const
    const [one, other] = [connectStorage(connection, prefix), connectStorage(connection, `${prefix}x`)]
    await other.ensure({ tables: ['one'] })
    await one.ensure({ tables: ['one', 'two'] })
    expect((await one.tableNames()).sort()).toEqual(['one', 'two', 'xone'])
    expect(await other.tableNames()).toEqual(['one'])
  })
})
