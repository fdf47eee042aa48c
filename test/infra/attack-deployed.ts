import type { OpenApiDocument } from '../../src/http/openapi-document'
import { documentedOperations, kindsInText, type DocumentedOperation } from '../attack/documented-operations'

/**
 * One tenant tries another's things at a running platform that it knows by its address alone: every route of the API's own
 * document, and files, batches and jobs as SDKs reach them. Each attempt must be answered as for an id that never was. Both
 * tenants must be made for this: where isolation failed, what is tried would happen.
 */
export interface Target {
  /** Without a slash at the end. */
  readonly url: string
  /** Keys that may manage keys: owners'. */
  readonly keyOfA: string
  readonly keyOfB: string
}

export interface AttackReport {
  readonly attempts: number
  /** Of which kinds tenant A had something to be tried. */
  readonly kinds: readonly string[]
  /** What answered otherwise than for an unknown id, or let B in; empty where tenants are apart. */
  readonly breaches: readonly string[]
}

type Names = Readonly<Record<string, string>>
type Attempt = Pick<DocumentedOperation, 'method' | 'path'> & Partial<DocumentedOperation>

const REQUEST_MS_MAX = 60_000
/** The last so many characters of an id make another id of it, of the same form. */
const CHANGED_CHARACTERS = 8

/** Where A's things are listed, and the kind of id that stands in each entry's `id`-like field. */
const lists = [
  { kind: 'keyId', path: '/api/tenant/keys', list: 'keys', field: 'keyId' },
  { kind: 'memberId', path: '/api/tenant/members', list: 'members', field: 'memberId' },
  { kind: 'modelId', path: '/api/tenant/models', list: 'models', field: 'id' },
  { kind: 'jobId', path: '/api/tenant/tuning/jobs', list: 'jobs', field: 'id' },
  { kind: 'datasetId', path: '/api/tenant/datasets', list: 'datasets', field: 'id' },
  { kind: 'file', path: '/openai/v1/files', list: 'data', field: 'id' },
  { kind: 'batch', path: '/openai/v1/batches', list: 'data', field: 'id' },
  { kind: 'job', path: '/openai/v1/fine_tuning/jobs', list: 'data', field: 'id' },
] as const

const ofSdks: readonly Attempt[] = ['/openai/v1', '/openai'].flatMap((base) => [
  { method: 'GET', path: `${base}/files/{file}` },
  { method: 'GET', path: `${base}/files/{file}/content` },
  { method: 'DELETE', path: `${base}/files/{file}` },
  {
    method: 'POST',
    path: `${base}/batches`,
    body: { input_file_id: '{file}', endpoint: '/v1/chat/completions', completion_window: '24h' },
  },
  { method: 'GET', path: `${base}/batches/{batch}` },
  { method: 'POST', path: `${base}/batches/{batch}/cancel` },
  { method: 'GET', path: `${base}/fine_tuning/jobs/{job}` },
  { method: 'GET', path: `${base}/fine_tuning/jobs/{job}/events` },
  { method: 'POST', path: `${base}/fine_tuning/jobs/{job}/cancel` },
])

/** Leaves nothing behind at A. Throws where the attack itself cannot be made. */
export async function attackDeployed(target: Target): Promise<AttackReport> {
  const [a, b] = [await tenantOf(target, target.keyOfA), await tenantOf(target, target.keyOfB)]
  if (a === b) throw new Error('both keys are of one tenant')
  const things = await makeThings(target)
  const made = await Promise.all(things.map(async (thing) => ({ ...thing, entry: await entryOf(target, thing) })))
  try {
    const ofNow = Object.fromEntries(made.map(({ kind, id }) => [kind, id]))
    const real: Names = { tenantId: a, ...(await thingsOf(target)), ...ofNow }
    const unknown = Object.fromEntries(Object.entries(real).map(([kind, id]) => [kind, anotherId(id)]))
    const document = await readJson<OpenApiDocument>(target, '/api/openapi.json', target.keyOfA)
    const tried = [...ofDocument(document), ...ofSdks].filter((attempt) =>
      kindsIn(attempt).every((kind) => kind in real),
    )
    const breaches: string[] = []
    for (const attempt of tried) {
      const isOperators = attempt.path.startsWith('/api/platform/')
      const onReal = await answerTo(target, attempt, real)
      const onUnknown = isOperators ? onReal : await answerTo(target, attempt, unknown)
      const isOpen = isOperators ? !/^(?:401|429) /.test(onReal) : onReal !== onUnknown || onReal.startsWith('2')
      if (isOpen) breaches.push(`${attempt.method} ${attempt.path}\n  of A:    ${onReal}\n  unknown: ${onUnknown}`)
    }
    // An answer may say that nothing happened where it has.
    for (const thing of made) {
      const now = await entryOf(target, thing)
      if (now !== thing.entry)
        breaches.push(`${thing.list} of A has changed\n  before: ${thing.entry}\n  after:  ${now}`)
    }
    return { attempts: tried.length, kinds: Object.keys(real), breaches }
  } finally {
    for (const { list, id } of made) await send(target, 'DELETE', `${list}/${id}`, target.keyOfA)
  }
}

async function tenantOf(target: Target, key: string): Promise<string> {
  const { tenantId } = await readJson<{ tenantId?: string }>(target, '/api/tenant', key)
  if (tenantId === undefined) throw new Error('the platform does not say whose key it is')
  return tenantId
}

interface Made {
  readonly kind: string
  /** Where A lists it. */
  readonly list: string
  readonly id: string
}

/** The entry of the list that has the id; what a provider does to a file by itself is left out. */
async function entryOf(target: Target, { list, id }: Made): Promise<string> {
  const lists = await readJson<Record<string, unknown>>(target, list, target.keyOfA)
  const entries = Object.values(lists).flatMap((one) => (Array.isArray(one) ? (one as object[]) : []))
  const entry = entries.find((one) => Object.values(one).includes(id))
  return JSON.stringify(entry && { ...entry, status: undefined, status_details: undefined })
}

/** A key and a file of A: what is deleted first where isolation fails. */
async function makeThings(target: Target): Promise<Made[]> {
  const key = await send(target, 'POST', '/api/tenant/keys', target.keyOfA, { name: 'attack' })
  if (key.status !== 201) throw new Error(`A may make no key (${key.status}): an owner’s key is needed`)
  const { keyId } = JSON.parse(key.text) as { keyId: string }
  const form = new FormData()
  form.set('purpose', 'batch')
  form.set('file', new File(['{}\n'], 'attack.jsonl'))
  const file = await fetch(`${target.url}/openai/v1/files`, {
    method: 'POST',
    headers: { 'api-key': target.keyOfA },
    body: form,
    signal: AbortSignal.timeout(REQUEST_MS_MAX),
  })
  if (!file.ok) throw new Error(`A may keep no file (${file.status})`)
  const { id } = (await file.json()) as { id: string }
  return [
    { kind: 'keyId', list: '/api/tenant/keys', id: keyId },
    { kind: 'file', list: '/openai/v1/files', id },
  ]
}

/** One of each kind that A has; of a kind that it has nothing of, nothing is tried. */
async function thingsOf(target: Target): Promise<Names> {
  const found: Record<string, string> = {}
  for (const { kind, path, list, field } of lists) {
    const { status, text } = await send(target, 'GET', path, target.keyOfA)
    if (status !== 200) continue
    const entries = (JSON.parse(text) as Record<string, Record<string, string>[] | undefined>)[list]
    const id = entries?.at(-1)?.[field]
    if (id !== undefined) found[kind] = id
  }
  return found
}

/** Names that tenants choose (aliases, secrets) are not ids of anybody's: B may have the same. */
const ofDocument = (document: OpenApiDocument): Attempt[] =>
  documentedOperations(document).filter(({ path }) => path.includes('{'))

const placesIn = ({ path, body }: Attempt) => `${path} ${JSON.stringify(body ?? '')}`
const kindsIn = (attempt: Attempt) => kindsInText(attempt.path.startsWith('/openai') ? placesIn(attempt) : attempt.path)

/** With everything that may differ put out: the request's own id, and the ids that were asked for. */
async function answerTo(target: Target, { method, path, body }: Attempt, names: Names): Promise<string> {
  const fill = (text: string) => text.replaceAll(/\{(\w+)\}/g, (place, kind: string) => names[kind] ?? place)
  const filled = body === undefined ? undefined : (JSON.parse(fill(JSON.stringify(body))) as unknown)
  const { status, text } = await send(target, method, fill(path), target.keyOfB, filled)
  let shown = `${status} ${text}`
  for (const [kind, name] of Object.entries(names)) shown = shown.replaceAll(name, `{${kind}}`)
  return shown.replaceAll(/req_[0-9a-z]+/g, '{request}')
}

/** An id of the same form that nobody has, unless by a chance of one in millions of millions. */
function anotherId(id: string): string {
  const tail = id.slice(-CHANGED_CHARACTERS)
  return id.slice(0, -CHANGED_CHARACTERS) + tail.replaceAll(/[0-9a-z]/g, (one) => (one === '0' ? '1' : '0'))
}

async function readJson<T>(target: Target, path: string, key: string): Promise<T> {
  const { status, text } = await send(target, 'GET', path, key)
  if (status !== 200) throw new Error(`GET ${path} answered ${status}`)
  return JSON.parse(text) as T
}

async function send({ url }: Target, method: string, path: string, key: string, body?: unknown) {
  const answer = await fetch(url + path, {
    method,
    headers: { 'api-key': key, 'if-match': '*', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(REQUEST_MS_MAX),
  })
  return { status: answer.status, text: await answer.text() }
}
