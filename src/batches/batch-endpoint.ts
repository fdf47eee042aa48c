/** What the lines of a batch ask for. Azure takes its own older spelling, without the version, as well. */
export const batchEndpoints = ['/v1/chat/completions', '/chat/completions', '/v1/responses', '/responses'] as const
export type BatchEndpoint = (typeof batchEndpoints)[number]

export type BatchKind = 'chat' | 'responses'

export const isBatchEndpoint = (text: unknown): text is BatchEndpoint =>
  batchEndpoints.some((endpoint) => endpoint === text)

export const withoutVersion = (url: string): string => url.replace(/^\/v1(?=\/)/, '')

export const kindOf = (endpoint: BatchEndpoint): BatchKind =>
  withoutVersion(endpoint) === '/responses' ? 'responses' : 'chat'
