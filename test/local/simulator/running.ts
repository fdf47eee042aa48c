import type { SimulatorConfigInput } from '../../../local/simulator/config'
import type { LedgerPage, LedgerRecord } from '../../../local/simulator/ledger'
import type { KeptThing } from '../../../local/simulator/stored/account-store'
import { startSimulator, type Simulator } from '../../../local/simulator/simulator'

export const KEY = 'simulator-key'
const CHAT_PATH = (deployment: string) => `/openai/deployments/${deployment}/chat/completions?api-version=2024-10-21`
const WAIT_MS_MAX = 5_000

/** Deployments that answer at once; a test adds what it is about. */
export const quickDeployments: NonNullable<SimulatorConfigInput['deployments']> = {
  chat: { model: 'gpt-4.1-mini-2025-04-14' },
  older: { model: 'gpt-4-0613' },
  thinker: { model: 'gpt-5-mini-2025-08-07' },
  vectors: { model: 'text-embedding-3-small' },
}

/** One simulator for a test file, started before its tests and ended after them. */
export function runningSimulator(config: SimulatorConfigInput = {}) {
  let simulator: Simulator
  beforeAll(async () => {
    simulator = await startSimulator({
      config: { ...config, deployments: { ...quickDeployments, ...config.deployments } },
    })
  })
  afterAll(() => simulator.close())

  const url = (path: string) => simulator.url + path
  const post = (path: string, body: unknown, headers: Record<string, string> = {}, signal?: AbortSignal) =>
    fetch(url(path), {
      method: 'POST',
      headers: { 'api-key': KEY, 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      ...(signal === undefined ? {} : { signal }),
    })
  const ledger = async (since = 0): Promise<LedgerPage> =>
    (await (await fetch(url(`/simulator/ledger?since=${since}`))).json()) as LedgerPage
  return {
    url,
    post,
    /** A chat call to a deployment on the classic path; text is one user message. */
    chat: (deployment: string, body: string | object, headers?: Record<string, string>, signal?: AbortSignal) =>
      post(CHAT_PATH(deployment), typeof body === 'string' ? user(body) : body, headers, signal),
    ledger,
    /** Calls that have come and are not over. */
    inFlight: async () => ((await (await fetch(url('/simulator/health'))).json()) as { inFlight: number }).inFlight,
    /** The records after `since`, once there are `count`: a record is written when the connection is done, a moment later. */
    async recorded(since: number, count = 1): Promise<readonly LedgerRecord[]> {
      for (let waitedMs = 0; waitedMs < WAIT_MS_MAX; waitedMs += 10) {
        const { records } = await ledger(since)
        if (records.length >= count) return records
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      throw new Error(`the ledger has no ${count} records after ${since}`)
    },
    /** What the accounts keep. */
    async things(): Promise<readonly KeptThing[]> {
      return ((await (await fetch(url('/simulator/stored'))).json()) as { things: KeptThing[] }).things
    },
    /** A request with the key, without a body. */
    send: (method: string, path: string, headers: Record<string, string> = {}) =>
      fetch(url(path), { method, headers: { 'api-key': KEY, ...headers } }),
    patch: (patch: unknown) => fetch(url('/simulator/config'), { method: 'PATCH', body: JSON.stringify(patch) }),
  }
}

export const user = (content: string) => ({ messages: [{ role: 'user', content }] })

/** The `data:` payloads of an SSE text, parsed but for `[DONE]`. */
export function events(sse: string): unknown[] {
  return sse
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => {
      expect(event.startsWith('data: ')).toBe(true)
      const data = event.slice('data: '.length)
      return data === '[DONE]' ? data : (JSON.parse(data) as unknown)
    })
}
