import { Problem } from '../../src/base/problem'
import { matchPath, storedPaths } from '../../src/inference/match-path'
import type { StoredOperation } from '../../src/inference/stored-operation'

const match = (method: string, url: string) => {
  const [path = '', query] = url.split('?')
  return matchPath(method, path, new URLSearchParams(query))
}

describe('a path', () => {
  it.each([
    ['/openai/deployments/chat/chat/completions?api-version=2024-10-21', 'chat.completions', 'deployments', 'chat'],
    ['/openai/deployments/my%20chat/embeddings?api-version=2025-04-01-preview', 'embeddings', 'deployments', 'my chat'],
    ['/openai/v1/chat/completions', 'chat.completions', 'v1', undefined],
    ['/openai/v1/chat/completions?api-version=preview', 'chat.completions', 'v1', undefined],
    ['/openai/v1//embeddings', 'embeddings', 'v1', undefined],
    ['/openai/chat/completions', 'chat.completions', 'bare', undefined],
    ['/openai/embeddings', 'embeddings', 'bare', undefined],
    ['/OpenAI/v1/embeddings/', 'embeddings', 'v1', undefined],
  ])('%s is %s', (url, name, family, deployment) => {
    expect(match('POST', url)).toMatchObject({ kind: 'call', operation: { name }, family, deployment })
  })

  it.each([
    ['/openai/models?api-version=2024-10-21', 'bare', undefined],
    ['/openai/v1/models', 'v1', undefined],
    ['/openai/v1/models/chat', 'v1', 'chat'],
  ])('%s lists models', (url, family, model) => {
    expect(match('GET', url)).toEqual({ kind: 'models', family, model })
  })

  it.each([
    ['POST', '/openai/deployments/chat/chat/completions', 'invalid_api_version'],
    ['POST', '/openai/deployments/chat/chat/completions?api-version=latest-ish', 'invalid_api_version'],
    ['POST', '/openai/deployments/chat/chat/completions?api-version=', 'invalid_api_version'],
    ['GET', '/openai/models', 'invalid_api_version'],
    ['POST', '/openai/v1/chat/completions?api-version=1', 'invalid_api_version'],
    ['GET', '/openai/v1/chat/completions', 'method_not_allowed'],
    ['POST', '/openai/v1/models', 'method_not_allowed'],
    ['POST', '/openai/v1/chat', 'not_found'],
    ['POST', '/openai', 'not_found'],
    ['POST', '/openai/deployments//chat/completions?api-version=2024-10-21', 'not_found'],
    ['POST', `/openai/${'x'.repeat(3_000)}`, 'not_found'],
  ])('%s %s is %s', (method, url, code) => {
    const result = match(method, url)
    expect(result).toBeInstanceOf(Problem)
    expect((result as Problem).code).toBe(code)
  })
})

describe('a path of something that is kept', () => {
  const operation = (method: StoredOperation['method'], path: string, inDeployment?: true): StoredOperation => ({
    name: `${method} ${path}`,
    method,
    path,
    ...(inDeployment ? { inDeployment } : {}),
    serve: () => Promise.reject(new Error('not called')),
  })
  const stored = storedPaths([
    operation('GET', '/files'),
    operation('POST', '/files'),
    operation('GET', '/files/{id}/content'),
    operation('POST', '/batches', true),
    operation('GET', '/responses/{id}'),
  ])
  const matchStored = (method: string, url: string) => {
    const [path = '', query] = url.split('?')
    return matchPath(method, path, new URLSearchParams(query), stored)
  }

  it.each([
    ['GET', '/openai/v1/files', 'v1', undefined, {}],
    ['POST', '/openai/files?api-version=2024-10-21', 'bare', undefined, {}],
    ['GET', '/openai/files/file-1%2F2/content', 'bare', undefined, { id: 'file-1/2' }],
    ['POST', '/openai/deployments/large/batches?api-version=2024-10-21', 'deployments', 'large', {}],
    ['GET', '/openai/v1/responses/resp_1/', 'v1', undefined, { id: 'resp_1' }],
  ])('%s %s is matched by method and segment', (method, url, family, deployment, params) => {
    expect(matchStored(method, url)).toMatchObject({ kind: 'stored', family, deployment, params })
  })

  it.each([
    ['DELETE', '/openai/v1/files', 'method_not_allowed'],
    ['GET', '/openai/v1/files//content', 'not_found'],
    ['GET', '/openai/deployments/chat/files?api-version=2024-10-21', 'not_found'],
    ['POST', '/openai/deployments/chat/batches', 'invalid_api_version'],
    ['GET', '/openai/v1/responses/resp_1/input_items', 'not_found'],
  ])('%s %s is refused as %s', (method, url, code) => {
    expect(matchStored(method, url)).toMatchObject({ code })
  })

  it('is told with its methods', () => {
    expect(matchStored('PUT', '/openai/v1/files')).toMatchObject({ headers: { allow: 'GET, POST' } })
  })
})
