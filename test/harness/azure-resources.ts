import { armToken } from '../../local/drill/arm-token'
import type { TestStack } from './stack'

const SUBSCRIPTION = '/subscriptions/00000000-0000-4000-8000-000000000001'
const GROUP = `${SUBSCRIPTION}/resourceGroups/tenantry`
const SHARED = `${GROUP}/providers/Microsoft.CognitiveServices/accounts/simulator`

/** A stamp in the simulated subscription, whose one shared account is the simulator's; its id. */
export async function makeStamp({ platform }: TestStack, name = 'simulated'): Promise<string> {
  const body = { name, region: 'swedencentral', resourceGroupId: GROUP, modelAccountIds: [SHARED] }
  return (await platform.post<{ id: string }>('/stamps', body)).id
}

export interface AzureResource {
  readonly id: string
  readonly type: string
}

/** What Azure has of a tenant: accounts (also deleted ones that are not purged), deployments, storage accounts. */
export async function resourcesOf({ simulatorUrl }: TestStack, tenantId: string): Promise<AzureResource[]> {
  const token = await armToken(simulatorUrl)
  const list = async (path: string, apiVersion: string) => {
    const answer = await fetch(`${simulatorUrl}${path}?api-version=${apiVersion}`, {
      headers: { authorization: `Bearer ${token}` },
    })
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`)
    return ((await answer.json()) as { value: AzureResource[] }).value
  }
  const accounts = await list(`${GROUP}/providers/Microsoft.CognitiveServices/accounts`, '2024-10-01')
  const found = [
    ...accounts,
    ...(await Promise.all(accounts.map(({ id }) => list(`${id}/deployments`, '2024-10-01')))).flat(),
    ...(await list(`${SUBSCRIPTION}/providers/Microsoft.CognitiveServices/deletedAccounts`, '2024-10-01')),
    ...(await list(`${GROUP}/providers/Microsoft.Storage/storageAccounts`, '2024-01-01')),
  ]
  // A storage account's name has room for the last characters of the id only.
  const marks = [tenantId.slice('ten_'.length), tenantId.slice(-16)]
  return found.filter(({ id }) => marks.some((mark) => id.includes(mark)))
}
