import { armToken } from './arm-token'

const GROUP = '/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/tenantry'
const API_VERSION = '2024-10-01'
const POLL_MS = 100
const READY_MS_MAX = 30_000

/** Model accounts of the simulated subscription, by ARM. */
export interface ModelAccounts {
  /** Resolves with its ARM id, once it is ready. */
  make(name: string, region: string): Promise<string>
  /** With every model that it has: the disaster. */
  destroy(accountId: string): Promise<void>
  /** Names of the deployments that an account has. */
  deployments(accountId: string): Promise<readonly string[]>
}

export async function modelAccounts(simulatorUrl: string): Promise<ModelAccounts> {
  const token = await armToken(simulatorUrl)
  const ask = async (method: string, id: string, body?: object) => {
    const answer = await fetch(`${simulatorUrl}${id}?api-version=${API_VERSION}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    const text = await answer.text()
    if (!answer.ok && answer.status !== 404) throw new Error(`${method} ${id} answered ${answer.status}: ${text}`)
    return { status: answer.status, json: JSON.parse(text || '{}') as ArmAnswer }
  }
  const until = async (what: string, isSo: () => Promise<boolean>) => {
    const deadline = Date.now() + READY_MS_MAX
    while (!(await isSo())) {
      if (Date.now() > deadline) throw new Error(`${what} takes longer than ${READY_MS_MAX / 1_000} s`)
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }
  return {
    make: async (name, region) => {
      const id = `${GROUP}/providers/Microsoft.CognitiveServices/accounts/${name}`
      await ask('PUT', id, { location: region, kind: 'OpenAI', sku: { name: 'S0' }, properties: {} })
      await until(`the account ${name}`, async () => {
        const { json } = await ask('GET', id)
        return json.properties?.provisioningState === 'Succeeded'
      })
      return id
    },
    destroy: async (accountId) => {
      for (const { id } of (await ask('GET', `${accountId}/deployments`)).json.value ?? []) {
        await ask('DELETE', id)
        await until(`removing ${id}`, async () => (await ask('GET', id)).status === 404)
      }
      await ask('DELETE', accountId)
      await until(`removing ${accountId}`, async () => (await ask('GET', accountId)).status === 404)
    },
    deployments: async (accountId) =>
      ((await ask('GET', `${accountId}/deployments`)).json.value ?? []).map(({ name }) => name),
  }
}

interface ArmAnswer {
  readonly properties?: { readonly provisioningState?: string }
  readonly value?: readonly { readonly id: string; readonly name: string }[]
}

/** The resource group that stamps of the simulated subscription name. */
export const simulatedGroup = GROUP
