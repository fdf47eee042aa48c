import { inParallel } from '../../../src/base/in-parallel'
import { expectStatus } from '../control-plane-fixtures'
import type { Reply } from '../control-plane-server'
import { baselines, type Baseline } from './baselines'
import { operationsOf, type Operation } from './operations'
import type { Trial } from './trial'
import { trialsOf } from './trials'
import { makeWorld, type World } from './world'

/** What is sent in the place of something sound. */
export interface Sent {
  readonly body?: unknown
  /** A body that need not be JSON. */
  readonly text?: string
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly params?: Readonly<Record<string, string>>
}

export interface Bench {
  readonly world: World
  readonly operations: readonly Operation[]
  readonly components: Parameters<typeof trialsOf>[2]
}

export async function makeBench(): Promise<Bench> {
  const world = await makeWorld()
  const document = expectStatus(await world.server.send('GET', '/api/openapi.json'), 200).body
  return { world, operations: operationsOf(document), components: document.components.schemas }
}

/** A request of an operation, sound but for what is sent. */
export function ask({ server, apiKey, ...world }: World, operation: Operation, sent: Sent): Promise<Reply> {
  const names = sent.params ?? baselineOf(operation).params?.({ server, apiKey, ...world }) ?? {}
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => names[name] ?? `{${name}}`)
  const headers = {
    ...(operation.needsIfMatch ? { 'if-match': '*' } : {}),
    ...baselineOf(operation).headers,
    ...sent.headers,
  }
  const url = sent.query === undefined ? path : `${path}?${sent.query}`
  const body = 'body' in sent ? JSON.stringify(sent.body) : sent.text
  if (path.startsWith('/api/platform')) return server.operate(operation.method, url, body, headers)
  const credential = path.startsWith('/api/tenant') ? { apiKey } : {}
  return server.send(operation.method, url, { body, headers, ...credential })
}

export function operationOf({ operations }: Pick<Bench, 'operations'>, name: string): Operation {
  const found = operations.find((operation) => operation.name === name)
  if (!found) throw new Error(`there is no ${name}`)
  return found
}

export function baselineOf({ name, path, body }: Operation): Baseline {
  const found = baselines[name]
  if (found) return found
  if (body || path.includes('{')) throw new Error(`baselines.ts has none for ${name}`)
  return {}
}

/** Every trial of an operation's body once, from whichever baseline has its field first. */
export function bodyTrials({ world, components }: Bench, operation: Operation): Trial[] {
  const { body } = operation
  if (!body) return []
  const found = new Map<string, Trial>()
  for (const sound of baselineOf(operation).bodies?.(world) ?? [])
    for (const trial of trialsOf(body, sound, components)) {
      const name = `${trial.field}, ${trial.what}`
      if (!found.has(name)) found.set(name, trial)
    }
  return [...found.values()]
}

/** What is wrong with the answers, in words. */
export async function faultsOf<T>(
  items: readonly T[],
  { atOnce }: { atOnce: number },
  faultOf: (item: T) => Promise<string | undefined>,
) {
  const faults: string[] = []
  await inParallel(items, atOnce, async (item) => {
    const fault = await faultOf(item)
    if (fault !== undefined) faults.push(fault)
  })
  return faults.sort()
}

/** Undefined for a refusal that names just the field at fault, and says what would be valid. */
export function refusalFault({ refusal }: Trial, { status, headers, body, text }: Reply): string | undefined {
  if (!refusal) throw new Error('only refusals have faults')
  const errors: readonly { path: string; message: string }[] = body?.errors ?? []
  const isRefused = status === 400 && headers.get('content-type') === 'application/problem+json'
  if (!isRefused || body.code !== 'invalid_request') return `${status} ${text}`
  const isNamed = errors.length > 0 && errors.every(({ path }) => path === refusal.path)
  if (!isNamed) return `should name ${refusal.path}: ${JSON.stringify(errors)}`
  if (!errors.some(({ message }) => refusal.says.test(message)))
    return `should say ${String(refusal.says)}: ${JSON.stringify(errors)}`
  return String(body.detail).startsWith(refusal.path || 'body') ? undefined : `detail: ${body.detail}`
}

/** Whether a request that its schema takes was answered as its baseline says. */
export function isExpected({ field, what }: Trial, { answers, exceptions = [] }: Baseline, reply: Reply): boolean {
  if (answers ? reply.status === answers.status && answers.says.test(reply.text) : reply.status < 300) return true
  return exceptions.some(
    (exception) =>
      exception.field.test(field) &&
      (exception.what?.test(what) ?? true) &&
      exception.status === reply.status &&
      exception.says.test(reply.body.detail),
  )
}
