import { createSmallHttp } from '../../src/azure/small-http'
import { createUpstreamHttp } from '../../src/azure/upstream-http'
import type { Account } from '../../src/files/account-files'
import { createAccountImports } from '../../src/files/account-imports'
import { serveJson, type JsonAnswer, type JsonRequest } from '../azure/json-server'

/** Accounts that answer as versions of Azure's API do, and as none should. */
const http = createSmallHttp()
const upstream = createUpstreamHttp()
afterAll(() => Promise.all([http.close(), upstream.close()]))
const imports = createAccountImports({ http, upstream, credentials: { headerOf: () => ['api-key', 'a-key'] } })

const file = { filename: 'tenantry-1.jsonl', purpose: 'fine-tune', url: 'https://storage.example/blob?sig=1' }
async function importedFrom(answer: (request: JsonRequest) => JsonAnswer) {
  await using server = await serveJson(answer)
  const account: Account = {
    endpoint: server.url,
    api: { kind: 'azure-openai', apiVersion: '2024-10-21' },
    credential: { kind: 'identity' },
  }
  const result = await imports.importFrom(account, file)
  return {
    result,
    asked: server.requests.map(({ path, query }) => `${path}?${query.toString()}`),
    requests: server.requests,
  }
}
const CLASSIC = '/openai/files/import?api-version=2024-10-21'
const V1 = '/openai/v1/files/import?api-version=preview'

describe('an import', () => {
  it('is asked for with the address, and is the file that the account names', async () => {
    const pending = { id: 'file-1', status: 'pending', bytes: null }
    const { result, asked, requests } = await importedFrom(() => ({ status: 201, body: pending }))
    expect(result).toEqual({ kind: 'file', id: 'file-1', state: 'processing' })
    expect(asked).toEqual([CLASSIC])
    expect(JSON.parse(requests[0]?.text ?? '')).toEqual({
      purpose: 'fine-tune',
      filename: file.filename,
      content_url: file.url,
    })
  })

  it.each(['/openai/files/file-2?api-version=2024-10-21', 'https://a.openai.azure.com/openai/files/file-2'])(
    'that is answered without a body is the file at %s',
    async (location) => {
      const { result } = await importedFrom(() => ({ status: 201, headers: { location } }))
      expect(result).toEqual({ kind: 'file', id: 'file-2', state: 'processing' })
    },
  )

  it.each([404, 405, 400])('is asked of the newer family where the older one answers %d', async (status) => {
    const { result, asked } = await importedFrom(({ path }) =>
      path.includes('/v1/') ? { status: 200, body: { id: 'file-3', status: 'processed' } } : { status },
    )
    expect(result).toEqual({ kind: 'file', id: 'file-3', state: 'processed' })
    expect(asked).toEqual([CLASSIC, V1])
  })

  it.each([
    ['is missing where no family knows it', { status: 404 }, { kind: 'missing' }],
    [
      'is refused where the account says so',
      { status: 422, body: { error: { code: 'no' } } },
      { kind: 'refused', code: 'no' },
    ],
    [
      'may come later where the account is busy',
      { status: 503, headers: { 'retry-after': '7' } },
      { kind: 'unsure', againMs: 7_000 },
    ],
    ['may come later where the answer is no file', { status: 200, body: 'a page' }, { kind: 'unsure' }],
  ])('%s', async (_, answer, expected) => {
    expect((await importedFrom(() => answer)).result).toMatchObject(expected)
  })
})
