import { COGNITIVE } from './account-view'
import { findAccount } from './accounts'
import { endpointPath, IN_GROUP, resourceNotFound, type ArmAnswer, type ArmCall, type ArmEndpoint } from './arm-answer'
import type { ArmDeps } from './arm-deps'
import { DEPLOYMENT_TYPE, shownDeployment } from './deployment-view'
import { checkAccountIsIdle, isConfigured, putDeployment } from './put-deployment'
import { beginDeleting } from './slow-change'
import type { StoredDeployment } from './stored-resource'

const ACCOUNT = `(?<account>${IN_GROUP}/${COGNITIVE}/accounts/[^/]+)`

/** `Microsoft.CognitiveServices/accounts/deployments`: an account takes one change of them at a time. */
export function deploymentEndpoints(deps: ArmDeps): ArmEndpoint[] {
  const { store } = deps
  return [
    {
      path: endpointPath(`${ACCOUNT}/deployments/(?<name>[^/]+)`),
      type: DEPLOYMENT_TYPE,
      serve: {
        GET: ({ id, params }) => {
          const deployment = deploymentsIn(deps, params['account'] ?? '').find(hasId(id))
          if (!deployment) throw resourceNotFound(id)
          return { status: 200, body: shownDeployment(deployment) }
        },
        PUT: (call) => putDeployment(deps, call),
        DELETE: (call) => deleteDeployment(deps, call),
      },
    },
    {
      path: endpointPath(`${ACCOUNT}/deployments`),
      type: DEPLOYMENT_TYPE,
      serve: {
        GET: ({ params }) => {
          const { id } = findAccount(store, params['account'] ?? '')
          return { status: 200, body: { value: deploymentsIn(deps, id).map(shownDeployment) } }
        },
      },
    },
  ]
}

const hasId = (id: string) => (deployment: StoredDeployment) => deployment.id.toLowerCase() === id.toLowerCase()

const deploymentsIn = ({ store, configured }: ArmDeps, accountId: string): StoredDeployment[] => [
  ...configured(accountId),
  ...store.deploymentsOf(accountId),
]

async function deleteDeployment(
  { store, config, configured, deploymentChanged }: ArmDeps,
  call: ArmCall,
): Promise<ArmAnswer> {
  const account = findAccount(store, call.params['account'] ?? '')
  const deployment = store.get('deployment', call.id)
  if (!deployment && configured(account.id).some(hasId(call.id))) throw isConfigured()
  if (!deployment) return { status: 204 }
  checkAccountIsIdle(store, account)
  const { delayMs } = config()
  const { phase, headers } = beginDeleting(store, call, { delayMs, provider: COGNITIVE, location: account.location })
  store.put({ ...deployment, phase })
  await deploymentChanged(deployment.id)
  return { status: 202, headers }
}
