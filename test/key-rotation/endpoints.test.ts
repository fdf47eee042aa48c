import { createBackend, createStamp, stampBody } from '../functions/control-plane-fixtures'
import { serveControlPlane, type ControlPlaneServer } from '../functions/control-plane-server'

let server: ControlPlaneServer
let path: string
beforeAll(async () => {
  server = await serveControlPlane()
  const group = `${stampBody.resourceGroupId}/providers/Microsoft.CognitiveServices/accounts`
  await createStamp(server, { modelAccountIds: [`${group}/rotated`] })
  path = `/api/platform/backends/${await createBackend(server, { endpoint: 'https://rotated.openai.azure.com' })}`
})
afterAll(() => server.close())

it('the policy of an account is off until it is set, and is every backend’s at its address', async () => {
  expect(await server.operate('GET', `${path}/key-rotation`)).toMatchObject({ status: 404 })
  const set = await server.operate('PUT', `${path}/key-rotation`, { everyDays: 90 })
  expect(set).toMatchObject({ status: 200, body: { everyDays: 90 } })
  const endpoint = 'https://rotated.cognitiveservices.azure.com'
  const other = `/api/platform/backends/${await createBackend(server, { endpoint, name: 'other' })}`
  expect(await server.operate('GET', `${other}/key-rotation`)).toMatchObject({ status: 200, body: set.body })
})

it('a rotation that is asked for twice under one key is one, and another is refused while it is under way', async () => {
  const headers = { 'idempotency-key': 'rotate-once' }
  const first = await server.operate('POST', `${path}/rotate-key`, undefined, headers)
  expect(first).toMatchObject({ status: 202, body: { operationId: expect.stringMatching(/^krt_/) as unknown } })
  expect((await server.operate('POST', `${path}/rotate-key`, undefined, headers)).body).toEqual(first.body)
  expect(await server.operate('POST', `${path}/rotate-key`)).toMatchObject({ status: 409, body: { code: 'conflict' } })
  const { operationId } = first.body as { operationId: string }
  expect((await server.operate('GET', `${path}/key-rotation`)).body).toMatchObject({ operation: { operationId } })
})

it('a backend that nobody made has no keys to rotate', async () => {
  const none = `/api/platform/backends/bke_${'0'.repeat(26)}`
  expect(await server.operate('POST', `${none}/rotate-key`)).toMatchObject({ status: 404 })
  expect(await server.operate('PUT', `${none}/key-rotation`, { everyDays: null })).toMatchObject({ status: 404 })
})
