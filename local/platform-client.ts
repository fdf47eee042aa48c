/** The operator API, as far as the local stack and its tests use it. */
export interface PlatformClient {
  get<T>(path: string): Promise<{ body: T; etag: string }>
  post<T>(path: string, body: unknown): Promise<T>
  /** Replaces whatever version is there. */
  patch<T>(path: string, body: unknown): Promise<T>
}

export function platformClient(baseUrl: string, operatorToken: string): PlatformClient {
  const call = async <T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`${baseUrl}/api/platform${path}`, {
      method,
      headers: { authorization: `Bearer ${operatorToken}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`)
    return { body: JSON.parse(text) as T, etag: response.headers.get('etag') ?? '' }
  }
  return {
    get: (path) => call('GET', path),
    post: async <T>(path: string, body: unknown) => (await call<T>('POST', path, body)).body,
    patch: async <T>(path: string, body: unknown) =>
      (await call<T>('PATCH', path, body, { 'if-match': (await call('GET', path)).etag })).body,
  }
}
