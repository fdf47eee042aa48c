import { directories, PLATFORM_CLIENT_ID, SIMULATED_SECRET } from '../../../local/simulator/entra/directories'
import type { SimulatorConfigInput } from '../../../local/simulator/config'
import { runningSimulator } from './running'

export const SUBSCRIPTION = '/subscriptions/00000000-0000-4000-8000-000000000001'
export const GROUP = `${SUBSCRIPTION}/resourceGroups/tenantry`
export const accountId = (name: string, group = GROUP) =>
  `${group}/providers/Microsoft.CognitiveServices/accounts/${name}`
export const OPENAI_USER = '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd'
export const INFERENCE_SCOPE = 'https://cognitiveservices.azure.com/.default'
const ARM_SCOPE = 'https://management.azure.com/.default'

export const directoryId = (name: string) => directories.find((directory) => directory.name === name)?.id ?? ''
/** The platform's own service principal. */
export const PLATFORM_PRINCIPAL = directories[0]?.applications[0]?.objectId ?? ''

/** A body, with what tests read of it. */
export interface ArmBody {
  readonly id?: string
  readonly name?: string
  readonly location?: string
  readonly sku?: { readonly name: string; readonly capacity: number }
  readonly tags?: Readonly<Record<string, string>>
  readonly properties?: Readonly<Record<string, unknown>>
  readonly value?: readonly ArmBody[]
  readonly error?: { readonly code: string; readonly message: string }
  readonly status?: string
  readonly key1?: string
  readonly keys?: readonly { readonly value: string }[]
}

/** A simulator whose Resource Manager answers at once, and whoever calls it. */
export function runningArm(arm: SimulatorConfigInput['arm'] = {}) {
  const simulator = runningSimulator({ arm: { delayMs: 0, ...arm } })
  return { ...simulator, ...armCaller(simulator.url) }
}

/** Calls to the Resource Manager at an address, by the platform's application unless told otherwise. */
export function armCaller(url: (path: string) => string) {
  const token = async (directory: string, scope = ARM_SCOPE, clientId: string = PLATFORM_CLIENT_ID) => {
    const answer = await fetch(url(`/entra/${directoryId(directory)}/oauth2/v2.0/token`), {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: SIMULATED_SECRET,
        scope,
      }),
    })
    return ((await answer.json()) as { access_token: string }).access_token
  }
  const call = async (
    method: string,
    id: string,
    { body, version = '2024-10-01', bearer, query = '' }: CallOptions = {},
  ) => {
    const answer = await fetch(url(`${id}?api-version=${version}${query}`), {
      method,
      headers: {
        authorization: `Bearer ${bearer ?? (await token('platform'))}`,
        'content-type': 'application/json',
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    const parsed = (text === '' ? {} : JSON.parse(text)) as ArmBody
    return { status: answer.status, headers: answer.headers, body: parsed, code: parsed.error?.code }
  }
  const putAccount = (name: string, properties: object = {}, more: object = {}) =>
    call('PUT', accountId(name), { body: accountBody(name, properties, more) })
  const putDeployment = (account: string, name: string, more: DeploymentOptions = {}) =>
    call('PUT', `${accountId(account)}/deployments/${name}`, { body: deploymentBody(more) })
  return { token, call, putAccount, putDeployment }
}

interface CallOptions {
  readonly body?: object
  readonly version?: string
  readonly bearer?: string
  readonly query?: string
}

export const accountBody = (name: string, properties: object = {}, more: object = {}) => ({
  location: 'swedencentral',
  kind: 'OpenAI',
  sku: { name: 'S0' },
  properties: { customSubDomainName: name, ...properties },
  ...more,
})

interface DeploymentOptions {
  readonly model?: string
  readonly version?: string
  readonly sku?: string
  readonly capacity?: number
}

export const deploymentBody = ({
  model = 'gpt-4.1-mini',
  version = '2025-04-14',
  sku = 'GlobalStandard',
  capacity = 10,
}: DeploymentOptions = {}) => ({
  sku: { name: sku, capacity },
  properties: { model: { format: 'OpenAI', name: model, version } },
})
