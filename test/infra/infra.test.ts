import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { roles as handedOn } from '../../src/provisioning/role-assignments'
import {
  everyFileParses,
  everyNameIsDeclared,
  everythingDeclaredIsUsed,
  loopsStandWhereTheyMay,
  modulesAreCalledAsDeclared,
  noNameIsTakenTwice,
  outputsThatAreReadExist,
} from './consistency'
import {
  accountsChangeOnceAtATime,
  everyParameterIsDescribed,
  everyResourceIsTagged,
  keysLieWhereNothingIsPurged,
  noSecretIsShown,
  nothingOpensByAKey,
  resourceTypesAreKnown,
} from './resource-rules'
import { grantsAreTheLeast, grantsIn, principalsAreWhoTheyAreCalled, rolesAreNamed } from './role-rules'
import { readTemplates, type Rule, type TemplateReader } from './templates'

/** A change to a template that the rule must find, and what it must say. */
type Example = readonly [path: string, from: string | RegExp, to: string, fault: RegExp]

const storage = 'modules/storage.bicep'
const vault = 'modules/key-vault.bicep'
const secretsVault = 'modules/secrets-vault.bicep'
const models = 'modules/model-account.bicep'
const site = 'modules/function-app.bicep'

const rules: readonly (readonly [guarantee: string, rule: Rule, examples: readonly Example[]])[] = [
  [
    'every template is Bicep',
    everyFileParses,
    [
      [storage, "kind: 'StorageV2'", 'kind: = ', /storage\.bicep:\d+:\d+/],
      ['main.bicep', 'module network', 'modul network', /main\.bicep:\d+:\d+/],
    ],
  ],
  [
    'modules are there, and are given what they declare and nothing else',
    modulesAreCalledAsDeclared,
    [
      ['main.bicep', 'modules/budget.bicep', 'modules/budgets.bicep', /budget has no file modules\/budgets\.bicep/],
      ['main.bicep', 'modules/budget.bicep', 'modules/budgets.bicep', /modules\/budget\.bicep: nobody uses it/],
      ['main.bicep', 'keyPepper: keyPepper', 'pepper: keyPepper', /vault does not know the parameter pepper/],
      ['main.bicep', 'keyPepper: keyPepper', 'pepper: keyPepper', /vault lacks the parameter keyPepper/],
      [storage, 'param holdsPackage bool', 'param holdsPackages bool', /storage lacks the parameter holdsPackages/],
    ],
  ],
  [
    'outputs that are read are there, and none is read of a module that may be missing',
    outputsThatAreReadExist,
    [
      ['modules/identity.bicep', 'output clientId', 'output applicationId', /appIdentity\.outputs\.clientId does not/],
      [
        'modules/stamp.bicep',
        'output modelAccountIds',
        'output accountIds',
        /stampModules\.outputs\.modelAccountIds does not/,
      ],
      [
        'main.bicep',
        "isPrivate ? network!.outputs.appSubnetId : ''",
        'network!.outputs.appSubnetId',
        /network\.outputs\.appSubnetId is read unconditionally/,
      ],
    ],
  ],
  [
    'nothing is declared that nobody reads',
    everythingDeclaredIsUsed,
    [
      [site, 'zoneRedundant: zoneRedundant', 'zoneRedundant: true', /function-app\.bicep: zoneRedundant is never used/],
      [models, 'alwaysOn\n', '[]\n', /model-account\.bicep: alwaysOn is never used/],
    ],
  ],
  [
    'every name that is read is declared',
    everyNameIsDeclared,
    [
      [storage, 'targetId: account.id', 'targetId: acount.id', /acount is not declared/],
      ['modules/workbook.bicep', 'displayName: title', 'displayName: name', /name is not declared/],
      [models, 'severityThreshold: contentFilter.', 'severityThreshold: filter.', /filter is not declared/],
    ],
  ],
  [
    'no name is declared twice in a file',
    noNameIsTakenTwice,
    [[storage, 'module blobEndpoint', 'module account', /storage\.bicep: account is there twice/]],
  ],
  [
    'loops stand where Bicep takes them',
    loopsStandWhereTheyMay,
    [
      [
        'modules/stamp.bicep',
        'array = [for (account, i) in accounts: models[i].outputs.id]',
        'object = { a: [for b in accounts: b] }',
        /no loop may stand here/,
      ],
      [
        site,
        'alwaysReady: concat(httpReady, durableReady)',
        'alwaysReady: concat([for b in httpReady: b], [])',
        /no loop may stand here/,
      ],
    ],
  ],
  [
    'every resource is of a known type and api-version',
    resourceTypesAreKnown,
    [
      [storage, '/storageAccounts@2024-01-01', '/storageAccounts@2099-01-01', /account is in|is in 2099-01-01/],
      [storage, 'Microsoft.Storage/storageAccounts@', 'Microsoft.Storage/accounts@', /accounts is not on the list/],
    ],
  ],
  [
    'every resource that can carries the tags of its environment',
    everyResourceIsTagged,
    [
      [vault, '  tags: tags\n', '', /vault does not have the tags/],
      [
        site,
        "union(tags, { 'azd-service-name': 'api' })",
        "{ 'azd-service-name': 'api' }",
        /app does not have the tags/,
      ],
    ],
  ],
  [
    'every parameter is described',
    everyParameterIsDescribed,
    [[vault, /@description\('A key of hardware[^\n]*\n/, '', /keyType has no description/]],
  ],
  [
    'deployments and content filters of an account are made one after another',
    accountsChangeOnceAtATime,
    [[models, '@batchSize(1)\nresource models', 'resource models', /models is made all at once/]],
  ],
  [
    'accounts take no keys, names and roles decide, and what is private is closed to the internet',
    nothingOpensByAKey,
    [
      [storage, 'allowSharedKeyAccess: false', 'allowSharedKeyAccess: true', /allowSharedKeyAccess: false/],
      [models, 'disableLocalAuth: true', 'disableLocalAuth: false', /disableLocalAuth: true/],
      [models, '    restrictOutboundNetworkAccess: true\n', '', /restrictOutboundNetworkAccess: true/],
      ['modules/event-grid.bicep', 'disableLocalAuth: true', 'disableLocalAuth: false', /topic does not say/],
      [vault, '    rotationPolicy: rotation\n', '', /wrappingKey does not say properties\.rotationPolicy/],
      [vault, "isPrivate ? 'Disabled' : 'Enabled'", "'Enabled'", /publicNetworkAccess/],
      [site, 'allow: false', 'allow: true', /noFtpPassword does not say properties\.allow/],
    ],
  ],
  [
    'keys cannot be purged, and what tenants hand over can',
    keysLieWhereNothingIsPurged,
    [
      [vault, '    enablePurgeProtection: true\n', '', /key-vault\.bicep: vault holds keys that can be purged/],
      [
        secretsVault,
        'enableSoftDelete: true',
        'enableSoftDelete: true\n    enablePurgeProtection: true',
        /secrets-vault\.bicep: vault holds secrets that cannot be purged/,
      ],
    ],
  ],
  [
    'no secret is fetched, shown, or written down',
    noSecretIsShown,
    [
      [storage, 'string = account.id', 'string = account.listKeys().keys[0].value', /listKeys fetches a key/],
      [storage, 'string = account.id', 'string = listKeys(account.id).keys[0].value', /listKeys fetches a key/],
      [vault, 'string = vault.id', 'string = keyPepper', /the output id shows a secret/],
      [
        'modules/monitoring.bicep',
        'string = component.id',
        'string = component.properties.ConnectionString',
        /the output componentId shows a secret/,
      ],
      [site, "value: 'ClientId=", `value: '${'c2VjcmV0'.repeat(6)}ClientId=`, /looks like a key/],
      [vault, '@secure()\n', '', /keyPepper is a secret and not @secure/],
      ['main.bicep', 'param keyPepper string', "param keyPepper string = 'x'", /keyPepper is a secret with a default/],
    ],
  ],
  [
    'identities have the roles of the table, and no others',
    grantsAreTheLeast,
    [
      [
        secretsVault,
        /roles\.keyVaultSecretsOfficer\)\n {4}p/,
        'roles.storageAccountContributor)\n    p',
        /beyond the table: app: storageAcc/,
      ],
      [vault, '  scope: wrappingKey\n', '  scope: vault\n', /app: keyVaultCrypto\w+ on Microsoft\.KeyVault\/vaults$/m],
      ['modules/stamp.bicep', '    condition: ownRolesOnly\n', '', /beyond the table: app: roleBasedAccess/],
      ['modules/purge-role.bicep', 'deletedAccounts/delete', '*', /beyond the table: app: custom/],
      ['modules/monitoring.bicep', '  scope: component\n', '', /on monitoring\.bicep resource group/],
    ],
  ],
  [
    'every role that is assigned has a name',
    rolesAreNamed,
    [
      [
        secretsVault,
        /roles\.keyVaultSecretsOfficer\)\n {4}p/,
        'roles.owner)\n    p',
        /appKeepsSecrets has no named role/,
      ],
      [
        'modules/monitoring.bicep',
        /roles\.monitoringMetricsPublisher\)\n {4}p/,
        "'8e3af657-a8ff-443c-a75c-2fe8c4bcb635')\n    p",
        /8e3af657\S+ is an id without a name/,
      ],
    ],
  ],
  [
    'no module gives the roles of one identity to another',
    principalsAreWhoTheyAreCalled,
    [
      [
        'main.bicep',
        'appPrincipalId: appIdentity.outputs.principalId',
        'appPrincipalId: principalId',
        /is given principalId as appPrincipalId/,
      ],
    ],
  ],
]

let reader: TemplateReader
beforeAll(async () => {
  reader = await readTemplates()
})

describe.each(rules)('%s', (_guarantee, rule, examples) => {
  test('of the templates as they are', () => {
    expect(reader.templates.files.size).toBeGreaterThan(15)
    expect(rule(reader.templates)).toEqual([])
  })

  test.each(examples.map((example) => [String(example[3]), example] as const))(
    'and what breaks it is caught: %s',
    (_, example) => {
      const [path, from, to, fault] = example
      expect(rule(reader.broken(path, from, to)).join('\n')).toMatch(fault)
    },
  )
})

test('the platform may hand on the roles that it gives itself, and no others', () => {
  const stamp = reader.templates.files.get('modules/stamp.bicep')
  const list = stamp?.root.text.match(/var handedOn = join\(\s*\[([^\]]*)\]/)?.[1] ?? ''
  const ids = [...list.matchAll(/roles\.(\w+)/g)].map(([, name = '']) => reader.templates.roles[name])
  expect(new Set(ids)).toEqual(new Set(Object.values(handedOn)))
})

test('every named role is one that is granted, or handed on', () => {
  const granted = new Set(grantsIn(reader.templates).map(({ role }) => role.replace(', conditional', '')))
  const others = Object.entries(reader.templates.roles).filter(([name]) => !granted.has(name))
  expect(Object.values(handedOn)).toEqual(expect.arrayContaining(others.map(([, id]) => id)))
})

test('the parameters that azd fills are parameters of main, and those without a default are all filled', () => {
  const file = join(__dirname, '..', '..', 'infra', 'main.parameters.json')
  const { parameters } = JSON.parse(readFileSync(file, 'utf8')) as { parameters: Record<string, unknown> }
  const main = reader.templates.files.get('main.bicep')
  const declared = main?.parameters.map(({ name }) => name) ?? []
  const required = main?.parameters.filter(({ hasDefault }) => !hasDefault).map(({ name }) => name) ?? []
  expect(declared).toEqual(expect.arrayContaining(Object.keys(parameters)))
  expect(Object.keys(parameters)).toEqual(expect.arrayContaining(required))
})
