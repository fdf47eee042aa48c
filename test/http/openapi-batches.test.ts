import { createBatchOperations } from '../../src/batches/batch-operations'
import { batchDescriptions } from '../../src/http/openapi-batches'

const none = () => Promise.reject(new Error('nothing is served here'))

it('the API’s documentation has each operation on batches, and no other', () => {
  const operations = createBatchOperations({ create: none, get: none, page: none, cancel: none })
  const named = ({ name, method, path }: { name: string; method: string; path: string }) =>
    `${name}: ${method.toUpperCase()} ${path}`
  expect(batchDescriptions.map(named)).toEqual(operations.map(named))
})
