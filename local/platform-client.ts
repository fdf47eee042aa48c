/** The operator API, as far as the local stack and its tests use it. */
export interface PlatformClient {
  get<T>(path: string): Promise<{ body: T; etag: string }>
  post<T>(path: string, body: unknown): Promise<T>
  put<T>(path: string, body: unknown): Promise<T>
  /** Replaces whatever version is there. */
  patch<T>(path: string, body: unknown): Promise<T>
  /** Whatever version is there. */
  remove<T>(path: string): Promise<T>
  /** Registers a tenant and waits until its onboarding has ended; the first key comes by the one-time link. */
  onboard(tenant: object): Promise<OnboardedTenant>
  /** The status of an operation once it has ended, whatever way. */
  ended(operationId: string, timeoutMs?: number): Promise<OperationStatus>
}

export interface OnboardedTenant {
  readonly tenantId: string
  readonly onboardingId: string
  readonly keyId: string
  readonly apiKey: string
}

export interface OperationStatus {
  readonly state: string
  readonly steps: readonly { id: string; state: string; attempts: number; error?: { code: string; detail: string } }[]
  readonly facts: Readonly<Record<string, string>>
  readonly credentials?: { readonly url: string }
  readonly certificateUrl?: string
}

interface Answer {
  readonly method: string
  readonly path: string
  readonly response: Response
  readonly text: string
}

const ENDED_MS_MAX = 240_000
const POLL_MS = 50

export function platformClient(baseUrl: string, operatorToken: string): PlatformClient {
  const send = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const response = await fetch(`${baseUrl}/api/platform${path}`, {
      method,
      headers: { authorization: `Bearer ${operatorToken}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { method, path, response, text: await response.text() }
  }
  const call = async <T>(...request: Parameters<typeof send>) => {
    const answer = await send(...request)
    return { body: parse<T>(answer), etag: answer.response.headers.get('etag') ?? '' }
  }
  const onAnyVersion = async <T>(method: string, path: string, body?: unknown) =>
    (await call<T>(method, path, body, { 'if-match': (await call('GET', path)).etag })).body

  const ended: PlatformClient['ended'] = async (operationId, timeoutMs = ENDED_MS_MAX) => {
    const deadline = Date.now() + timeoutMs
    for (;;) {
      const answer = await send('GET', `/operations/${operationId}`)
      // Storage did not answer in time. The operation goes on all the same, and is asked for again.
      const isUnknown = answer.response.status === 503
      const status = isUnknown ? undefined : parse<OperationStatus>(answer)
      if (status && !['running', 'waiting-for-approval'].includes(status.state)) return status
      if (Date.now() > deadline) throw new Error(`${operationId} has not ended: ${answer.text}`)
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }

  return {
    ended,
    get: (path) => call('GET', path),
    post: async <T>(path: string, body: unknown) => (await call<T>('POST', path, body)).body,
    put: (path, body) => onAnyVersion('PUT', path, body),
    patch: (path, body) => onAnyVersion('PATCH', path, body),
    remove: async <T>(path: string) => (await call<T>('DELETE', path, undefined, { 'if-match': '*' })).body,
    onboard: async (tenant) => {
      const started = await call<{ tenantId: string; onboardingId: string }>('POST', '/tenants', tenant)
      const { tenantId, onboardingId } = started.body
      const status = await ended(onboardingId)
      if (status.state !== 'completed' || !status.credentials)
        throw new Error(`the onboarding of ${tenantId} ended as ${status.state}: ${JSON.stringify(status.steps)}`)
      const shown = await fetch(status.credentials.url)
      const { keyId, apiKey } = (await shown.json()) as { keyId: string; apiKey: string }
      return { tenantId, onboardingId, keyId, apiKey }
    },
  }
}

/** Throws what was answered where it is no success. */
function parse<T>({ method, path, response, text }: Answer): T {
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`)
  return JSON.parse(text || 'null') as T
}
