import { allOf, named, propertiesOf, propertyOf, unquoted, type BicepFile, type Resource } from './bicep-file'
import type { Rule, Templates } from './templates'

/** Who may do what, and where. */
export interface Grant {
  readonly principal: string
  readonly role: string
  /** The type of the resource, or the scope of the file where the assignment names none. */
  readonly scope: string
}

const ASSIGNMENT = 'Microsoft.Authorization/roleAssignments'
const NAMED_ROLE = /^subscriptionResourceId\('Microsoft\.Authorization\/roleDefinitions',roles\.(\w+)\)$/
const GUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i

/**
 * Everything that the platform's identities may do. A line more is a right more: it takes a reason, here and in
 * docs/deployment.md.
 */
export const leastPrivilege: readonly Grant[] = [
  { principal: 'app', role: 'cognitiveServicesContributor', scope: 'stamp.bicep resource group' },
  { principal: 'app', role: 'cognitiveServicesOpenAiContributor', scope: 'Microsoft.CognitiveServices/accounts' },
  { principal: 'app', role: 'monitoringReader', scope: 'Microsoft.CognitiveServices/accounts' },
  { principal: 'app', role: 'cognitiveServicesUser', scope: 'Microsoft.CognitiveServices/accounts' },
  {
    principal: 'app',
    role: 'communicationAndEmailServiceOwner',
    scope: 'Microsoft.Communication/communicationServices',
  },
  {
    principal: 'app',
    role: 'custom: deletedAccounts/read, deletedAccounts/delete',
    scope: 'purge-role.bicep subscription',
  },
  { principal: 'app', role: 'durableTaskDataContributor', scope: 'Microsoft.DurableTask/schedulers/taskHubs' },
  { principal: 'app', role: 'eventGridDataSender', scope: 'Microsoft.EventGrid/topics' },
  { principal: 'app', role: 'keyVaultCryptoServiceEncryptionUser', scope: 'Microsoft.KeyVault/vaults/keys' },
  { principal: 'app', role: 'keyVaultSecretsOfficer', scope: 'Microsoft.KeyVault/vaults' },
  { principal: 'app', role: 'keyVaultSecretsUser', scope: 'Microsoft.KeyVault/vaults/secrets' },
  { principal: 'app', role: 'monitoringMetricsPublisher', scope: 'Microsoft.Insights/components' },
  { principal: 'app', role: 'roleBasedAccessControlAdministrator, conditional', scope: 'stamp.bicep resource group' },
  { principal: 'app', role: 'storageAccountContributor', scope: 'stamp.bicep resource group' },
  { principal: 'app', role: 'storageBlobDataOwner', scope: 'Microsoft.Storage/storageAccounts' },
  { principal: 'app', role: 'storageQueueDataContributor', scope: 'Microsoft.Storage/storageAccounts' },
  { principal: 'app', role: 'storageTableDataContributor', scope: 'Microsoft.Storage/storageAccounts' },
  { principal: 'encryption', role: 'keyVaultCryptoServiceEncryptionUser', scope: 'Microsoft.KeyVault/vaults/keys' },
]

/** The grants are these and no others. */
export const grantsAreTheLeast: Rule = (templates) => {
  const lineOf = ({ principal, role, scope }: Grant) => `${principal}: ${role} on ${scope}`
  const found = new Set(grantsIn(templates).map(lineOf))
  const wanted = new Set(leastPrivilege.map(lineOf))
  return [
    ...[...found].filter((line) => !wanted.has(line)).map((line) => `is granted beyond the table: ${line}`),
    ...[...wanted].filter((line) => !found.has(line)).map((line) => `is in the table and not granted: ${line}`),
  ]
}

export function grantsIn(templates: Templates): Grant[] {
  return eachAssignment(templates).map(({ file, assignment }) => ({
    principal: (propertyOf(assignment.body, 'properties', 'principalId')?.text ?? '').replace(/PrincipalId$/, ''),
    role: roleOf(templates, file, assignment) ?? 'no named role',
    scope: scopeOf(file, assignment),
  }))
}

/** A role is named in role-ids.json or made in the same file; no template writes an id of a role down. */
export const rolesAreNamed: Rule = (templates) => [
  ...eachAssignment(templates)
    .filter(({ file, assignment }) => roleOf(templates, file, assignment) === undefined)
    .map(({ file, assignment }) => `${file.path}: ${assignment.symbol} has no named role`),
  ...[...templates.files.values()]
    .filter(({ path }) => path !== 'modules/policies.bicep')
    .flatMap(({ path, root }) => allOf(root, 'string').map(({ text }) => ({ path, text })))
    .filter(({ text }) => GUID.test(text))
    .map(({ path, text }) => `${path}: ${text} is an id without a name`),
]

/** A module's principal is the one of its name, from main down: no module hands another identity's roles on. */
export const principalsAreWhoTheyAreCalled: Rule = ({ files }) =>
  [...files.values()].flatMap(({ path, modules }) =>
    modules.flatMap(({ symbol, body }) =>
      propertiesOf(propertyOf(body, 'params'))
        .filter(({ name }) => name.endsWith('PrincipalId'))
        .filter(({ name, value }) => {
          const source = `${name.replace(/PrincipalId$/, '')}Identity`
          const allowed = [name, `${source}.outputs.principalId`, `hasOwnKey ? ${source}!.outputs.principalId : ''`]
          return !allowed.includes(value.text)
        })
        .map(({ name, value }) => `${path}: ${symbol} is given ${value.text} as ${name}`),
    ),
  )

function eachAssignment({ files }: Templates): { file: BicepFile; assignment: Resource }[] {
  return [...files.values()].flatMap((file) =>
    file.resources.filter(({ type }) => type === ASSIGNMENT).map((assignment) => ({ file, assignment })),
  )
}

function roleOf({ roles }: Templates, file: BicepFile, { body }: Resource): string | undefined {
  const text = propertyOf(body, 'properties', 'roleDefinitionId')?.text.replaceAll(/\s/g, '') ?? ''
  const name = NAMED_ROLE.exec(text)?.[1]
  if (name === undefined) return customRoleOf(file, text)
  if (roles[name] === undefined) return undefined
  const isConditional = propertyOf(body, 'properties', 'condition') !== undefined
  return isConditional ? `${name}, conditional` : name
}

/** What a role of our own allows, by the last two words of each action. */
function customRoleOf(file: BicepFile, text: string): string | undefined {
  const made = file.resources.find(
    ({ symbol, type }) => `${symbol}.id` === text && type === 'Microsoft.Authorization/roleDefinitions',
  )
  if (!made) return undefined
  const actions = allOf(made.body, 'object_property').filter((one) =>
    /^(?:data)?[aA]ctions$/.test(named(one)[0]?.text ?? ''),
  )
  const allowed = actions.flatMap((one) => allOf(one, 'string')).map((one) => unquoted(one))
  return `custom: ${allowed.map((action) => action.split('/').slice(-2).join('/')).join(', ')}`
}

function scopeOf(file: BicepFile, { body }: Resource): string {
  const scope = propertyOf(body, 'scope')?.text
  if (scope !== undefined) return file.resources.find(({ symbol }) => symbol === scope)?.type ?? `an unknown ${scope}`
  const own = file.root.text.match(/^targetScope = '(\w+)'$/m)?.[1] ?? 'resource group'
  return `${file.path.replace('modules/', '')} ${own}`
}
