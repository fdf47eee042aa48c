import { serveJson, type JsonAnswer, type JsonRequest } from '../azure/json-server'

/**
 * ARM and the accounts' data plane as far as provisioning meets them, over a real socket: resources that take some looks until
 * they are ready, one change at a time for each account, quota by account, soft-deleted accounts. What goes wrong is the test's.
 */
export interface ArmServer {
  readonly url: string
  /** Every change that was asked for, in order: `PUT …/deployments/x`. */
  readonly changes: readonly string[]
  /** Ids of what is there, in lower case. */
  ids(): string[]
  /** Answers these in place of its own, while they do. */
  fault: (request: JsonRequest) => JsonAnswer | undefined
  /** The data plane's answer to a call of a deployment that exists. */
  inference: (deployment: string) => JsonAnswer
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

interface Stored {
  readonly id: string
  readonly body: Record<string, unknown>
  /** Looks until it is ready. */
  looks: number
}

const LOOKS = 2
const isAccount = (path: string) => /\/accounts\/[^/]+$/i.test(path)
const error = (status: number, code: string): JsonAnswer => ({
  status,
  body: { error: { code, message: `about ${code}` } },
})

export async function startArm({ quota = {} }: { quota?: Readonly<Record<string, number>> } = {}): Promise<ArmServer> {
  const stored = new Map<string, Stored>()
  const deleted = new Set<string>()
  const changes: string[] = []

  const server = await serveJson((request): JsonAnswer => {
    const { method, path } = request
    if (method !== 'GET' && path.startsWith('/subscriptions/')) changes.push(`${method} ${path}`)
    const fault = made.fault(request)
    if (fault) return fault
    const call = /^\/data\/([^/]+)\/openai\/deployments\/([^/]+)\//.exec(path)
    if (call)
      return exists(call[1] ?? '', call[2] ?? '') ? made.inference(call[2] ?? '') : error(404, 'DeploymentNotFound')
    if (/\/deletedAccounts\//.test(path)) return purge(method, path)
    if (method === 'PUT') return put(path, JSON.parse(request.text))
    if (method === 'DELETE') return remove(path)
    return look(path)
  })
  const exists = (account: string, deployment: string) =>
    [...stored.keys()].some((id) => id.endsWith(`/accounts/${account}/deployments/${deployment}`.toLowerCase()))

  const put = (path: string, body: Record<string, unknown>): JsonAnswer => {
    const account = /^(.*\/accounts\/[^/]+)\/deployments\//i.exec(path)?.[1]
    if (account) {
      const siblings = [...stored.values()].filter(({ id }) => id.startsWith(`${account}/deployments/`))
      if (siblings.some(({ looks }) => looks > 0)) return error(409, 'RequestConflict')
      if (siblings.length >= (quota[account] ?? 99)) return error(400, 'InsufficientQuota')
    }
    if (deleted.has(path.toLowerCase())) return error(409, 'FlagMustBeSetForRestore')
    const item = { id: path, body, looks: path.includes('/roleAssignments/') ? 0 : LOOKS }
    stored.set(path.toLowerCase(), item)
    return { status: 201, body: shown(item) }
  }
  const look = (path: string): JsonAnswer => {
    const item = stored.get(path.toLowerCase())
    if (!item) return error(404, 'ResourceNotFound')
    if (item.looks > 0) item.looks--
    return { status: 200, body: shown(item) }
  }
  const remove = (path: string): JsonAnswer => {
    if (!stored.delete(path.toLowerCase())) return { status: 204 }
    if (isAccount(path)) deleted.add(path.toLowerCase())
    return { status: 202 }
  }
  const purge = (method: string, path: string): JsonAnswer => {
    const id = [...deleted].find((each) => each.endsWith(`/accounts/${path.split('/').at(-1)?.toLowerCase()}`))
    if (id === undefined) return error(404, 'ResourceNotFound')
    if (method === 'DELETE') deleted.delete(id)
    return { status: 200, body: { id: path, name: '', properties: {} } }
  }
  const shown = ({ id, body, looks }: Stored) => {
    const name = id.split('/').at(-1) ?? ''
    const endpoint = isAccount(id) ? { endpoint: `${server.url}/data/${name}/` } : {}
    const services = id.includes('/storageAccounts/') ? ['blob', 'queue', 'table'] : []
    const primaryEndpoints = Object.fromEntries(services.map((each) => [each, `https://${name}.${each}.example/`]))
    const provisioningState = looks > 0 ? 'Creating' : 'Succeeded'
    const properties = { ...(body['properties'] as object), ...endpoint, primaryEndpoints, provisioningState }
    return { ...body, id, name, properties }
  }

  const made: ArmServer = {
    url: server.url,
    changes,
    ids: () => [...stored.keys(), ...deleted].sort(),
    fault: () => undefined,
    inference: () => ({ status: 200, body: { model: 'gpt-4.1-mini-2025-04-14' } }),
    close: () => server.close(),
    [Symbol.asyncDispose]: () => server.close(),
  }
  return made
}
