import { isTunedName } from '../fine-tuning/trainable-models'
import type { TunedModel } from '../fine-tuning/tuned-model'
import type { ArmConfig } from './arm-config'
import { ArmError, type ArmCall } from './arm-answer'
import type { ArmStore } from './arm-store'
import { ACCOUNT_TYPE } from './account-view'
import { rolesOn } from './authority'
import type { StoredAccount, StoredDeployment } from './stored-resource'

type DeployedModel = StoredDeployment['model']

/** The account that a deployed model was trained in: its own, unless it names another. */
export const sourceAccountOf = ({ accountId, model }: Pick<StoredDeployment, 'accountId' | 'model'>): string =>
  (model.source ?? accountId).split('/').at(-1) ?? ''

/** Tuned models have one version. */
const VERSION = '1'

export interface SourceDeps {
  readonly store: ArmStore
  readonly config: () => ArmConfig
  readonly tunedModel: (account: string, name: string) => TunedModel | undefined
}

/**
 * The tuned model that is to be deployed in an account; undefined where its name is none's or nobody has it. A model of
 * another account takes the right to read that account. Throws ARM's 403 without it.
 */
export function readTunedModel(
  { store, config, tunedModel }: SourceDeps,
  { caller, now }: Pick<ArmCall, 'caller' | 'now'>,
  asked: {
    account: StoredAccount
    format: string
    name: string
    version: string | undefined
    source: string | undefined
  },
): DeployedModel | undefined {
  const { account, format, name, version = VERSION, source } = asked
  if (format !== 'OpenAI' || !isTunedName(name) || version !== VERSION) return undefined
  const from = source === undefined ? account : store.get('account', source)
  if (source !== undefined) {
    const roles = rolesOn(store, source, { principalId: caller.oid, now, delayMs: config().roleDelayMs })
    if (!from || !roles.some(({ allows }) => allows(`${ACCOUNT_TYPE}/read`)))
      throw linkedAuthorizationFailed(caller.oid, source)
  }
  if (!from || !tunedModel(from.name, name)) return undefined
  return { format, name, version, ...(from.id === account.id ? {} : { source: from.id }) }
}

const linkedAuthorizationFailed = (principalId: string, source: string) =>
  new ArmError(
    403,
    'LinkedAuthorizationFailed',
    `The client with object id '${principalId}' has permission to perform action '${ACCOUNT_TYPE}/deployments/write'; however, it does not have permission to perform action '${ACCOUNT_TYPE}/read' on the linked scope '${source}' or the linked scope is invalid.`,
  )
