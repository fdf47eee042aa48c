import { defaultPolicy } from '../../../src/neighbours/noisy-policy'
import { TenantScope } from '../../../src/storage/tenant-scope'
import { billingBaselines } from './billing-baselines'
import { usageBaselines } from './usage-baselines'
import { capacityBaselines } from './capacity-baselines'
import { slaBaselines } from './sla-baselines'
import { notificationBaselines } from './notification-baselines'
import { accountOf, aliasesWithFallback, budgets, deploymentOf, DIRECTORY, sharedAlias } from './sound-models'
import { backendBody, expectStatus, stampBody, tenantBody } from '../control-plane-fixtures'
import { OTHER_OWNER, OWNER, type World } from './world'
import { regionPattern, textExamples } from './text-examples'

/** A sound request, from which the trials of its operation are made. */
export interface Baseline {
  /** What the path's placeholders stand for. */
  readonly params?: (world: World) => Readonly<Record<string, string>>
  /** Sound bodies which have every field of the schema between them, in every variant. */
  readonly bodies?: (world: World) => readonly object[]
  /** What must be so before a sound request is. */
  readonly prepare?: (world: World) => Promise<void>
  /** Parameters beside those that the trial is of. */
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  /** What is answered to a sound request; by default a success. */
  readonly answers?: Answered
  /** Trials which the schema takes, and which something else refuses. */
  readonly exceptions?: readonly Exception[]
}

/** Something that no schema says, so that a request that its schema takes is answered otherwise than with success. */
export interface Exception extends Answered {
  readonly field: RegExp
  readonly what?: RegExp
}

export interface Answered {
  readonly status: number
  /** In the answer's detail. */
  readonly says: RegExp
}

const ofTenant = ({ tenantId }: World) => ({ tenantId })

const anywhere = (says: RegExp, field = /./): Exception => ({ field, status: 400, says })

const aliasRules: readonly Exception[] = [
  anywhere(/No backend/, /backendId$/),
  anywhere(/tier allows at most 5 aliases/, /^aliases$/),
  anywhere(/tier allows 1 to/, /outputTokensMax$|\.limits\./),
  anywhere(/is not a model the platform knows/, /model$|capabilities$/),
  anywhere(/No alias|cannot do|Leads back/, /^aliases$|fallback$|capabilities|\.name$|\.model$/),
  anywhere(/Must name at least one group|Only isolation|Must say which deployment/, /groups$|deployment$|deployment\./),
]
const limitRules = [anywhere(/tier allows 1 to/, /^limitOverrides\./)]

const isolationRules = [
  anywhere(/Must say which deployment to make|are made by the platform/, /^isolation\.models$/),
  anywhere(/Must say where the tenant’s own account is/, /^ownAccount$/),
  anywhere(/There is no alias/, /^ownAccount\.deployments$/),
  anywhere(/Must name the directory in which/, /^ownAccount\.directoryId$/),
]

const keyBody = {
  name: 'a key',
  scopes: ['inference'],
  aliases: ['chat'],
  limits: { requestsPerMinute: 1, tokensPerMinute: 1, concurrentCalls: 1 },
  budgets,
  expiresAt: '2027-01-31T00:00:00Z',
}
const keyRules = [anywhere(/is not an alias of this tenant/, /^aliases/), anywhere(/tier allows 1 to/, /^limits\./)]

/** A tenant has only so many keys that work, and each trial that is taken makes one. */
async function revokeOtherKeys({ server, apiKey, tenantId, keyId }: World): Promise<void> {
  const scope = TenantScope.ofPlatform(tenantId)
  for (const record of await server.parts.keys.list(scope))
    if (record.keyId !== keyId && !apiKey.includes(record.keyId.slice('key_'.length)))
      await server.parts.keys.revoke(scope, record.keyId)
}

/** Nobody has datasets or uploads here: that an id is read, and one of nobody's is nothing, shows without. */
const noDataset: Baseline = {
  params: () => ({ datasetId: `dts_${'0'.repeat(26)}` }),
  answers: { status: 404, says: /nothing here/ },
}
const noUpload: Baseline = {
  params: () => ({ uploadId: `upl_${'0'.repeat(26)}` }),
  answers: { status: 404, says: /nothing here/ },
}
const aDataset = {
  file: `file-${'0'.repeat(26)}`,
  baseModel: 'gpt-4.1',
  method: 'supervised',
  role: 'training',
  trainingType: 'standard',
  epochs: 3,
  validation: `dts_${'0'.repeat(26)}`,
  consent: true,
}

/** What an upload is called is sealed with the tenant's key. */
async function makeDataKey({ server, tenantId }: World): Promise<void> {
  const scope = TenantScope.ofPlatform(tenantId)
  const { keyring } = server.parts
  if ((await keyring.versions(scope)).length === 0) await keyring.create(scope)
}

/** Jobs need a host that trains; that an id is read, and one of nobody's is nothing, shows without. */
const noJob: Baseline = {
  params: () => ({ jobId: 'ftjob-00000000000000000000000000' }),
  answers: { status: 404, says: /nothing here/ },
}

const jobOrder = {
  model: 'gpt-4.1-mini-2025-04-14',
  trainingFile: `file-${'0'.repeat(26)}`,
  consent: true,
  suffix: 'support',
  seed: 7,
  trainingType: 'standard',
  metadata: { team: 'care' },
}
const validationFile = `file-${'1'.repeat(26)}`
const ofEveryMethod = { n_epochs: 2, batch_size: 4, learning_rate_multiplier: 0.5 }
const route = {
  alias: 'chat',
  percentages: [{ percent: 5, forMinutes: 60 }],
  rollBackOn: { errorRate: 0.1, latencyMs: 100 },
}
const evaluation = {
  fileId: validationFile,
  sampleMax: 50,
  grader: { alias: 'chat', prompt: 'Is it right?' },
  answersKept: 5,
}
/** One for each method, and what comes after the training spread over them. */
const jobOrders = [
  {
    ...jobOrder,
    method: 'supervised',
    hyperparameters: { ...ofEveryMethod, prompt_loss_weight: 0.1 },
    deploy: { sku: 'Standard', capacity: 50 },
    evaluate: evaluation,
    gate: { kind: 'threshold', metric: 'token_f1', scoreMin: 0.5 },
    route,
  },
  {
    ...jobOrder,
    validationFile,
    method: 'dpo',
    hyperparameters: { ...ofEveryMethod, beta: 0.1 },
    gate: { kind: 'approval', timeoutHours: 72 },
  },
  {
    ...jobOrder,
    model: 'o4-mini-2025-04-16',
    validationFile,
    method: 'reinforcement',
    hyperparameters: {
      ...ofEveryMethod,
      eval_interval: 5,
      eval_samples: 10,
      compute_multiplier: 1,
      reasoning_effort: 'medium',
    },
    grader: { type: 'string_check', name: 'same', operation: 'eq', input: '{{sample.output_text}}', reference: 'yes' },
  },
]
const jobRules: readonly Exception[] = [
  anywhere(/not deployed cannot have/, /^deploy$/),
  anywhere(/A threshold needs an evaluation/, /^evaluate$/),
  anywhere(/Must be another file/, /^evaluate\.fileId$/),
  anywhere(
    /no hyperparameter of the method|must be a grader|must be given for the method|Only the method/,
    /^method$|^grader$/,
  ),
  anywhere(/must be given for the method/, /^validationFile$/),
  anywhere(/Must be another file/, /^validationFile$|^trainingFile$/),
]

/** Percentages rise, and only those that rise are judged: rules between fields. */
const routeRules = [
  anywhere(/Only shares that rise/, /percentages$/),
  anywhere(/Must be above the one before/, /percentages$/),
]

/** No model is trained here either. */
const noModel: Baseline = {
  params: () => ({ modelId: `mdl_${'0'.repeat(26)}` }),
  answers: { status: 404, says: /no such model|nothing here/ },
}
const ofTenantsModel: Baseline = {
  ...noModel,
  params: ({ tenantId }) => ({ tenantId, modelId: `mdl_${'0'.repeat(26)}` }),
}

/** Of an alias that is not there: such a rule means nothing. */
const drift = { watch: true, topicsAlias: 'embed', callsPerDayMax: 100, windowDays: 7, warnAt: 0.1, alarmAt: 0.25 }
/** The smaller bound is not above the larger. */
const driftRules = [anywhere(/Must be at most alarmAt/, /drift\.(warnAt|alarmAt)$/)]
const tunedModels = { idleHours: 24, whileAsleep: [{ alias: 'tuned', answeredBy: 'chat' }] }

const standInRules = [anywhere(/is named above already/, /whileAsleep$/)]

const memberBody = { directoryId: DIRECTORY, objectId: OWNER, role: 'owner' }
const memberOf = { memberId: `${DIRECTORY}~${OTHER_OWNER}` }

const limits = { requestsPerMinute: 1, tokensPerMinute: 1, concurrentCalls: 1 }
const backends = [
  { ...backendBody, capacity: 'payg', enabled: true },
  {
    ...backendBody,
    api: { kind: 'openai-compatible' },
    credential: { kind: 'identity' },
    throughput: { kind: 'units', units: 15, model: 'gpt-4.1' },
    timeouts: { connectMs: 1_000, firstTokenMs: 1_000, wholeAnswerMs: 1_000, idleMs: 1_000, totalMs: 1_000 },
  },
  {
    ...backendBody,
    credential: { kind: 'none' },
    throughput: { kind: 'tokens-per-minute', tokensPerMinute: 1_000, outputWeight: 4 },
  },
]
const stamp = { acceptsTenants: true, reservedFor: `ten_${'0'.repeat(26)}` }

const ofOperation = () => ({ operationId: `onb_${'0'.repeat(26)}` })
const ofSecret = ({ tenantId }: World) => ({ tenantId, name: 'account-key' })
const ofKey = ({ keyId }: World) => ({ keyId })
const ofBackend = ({ backendId }: World) => ({ backendId })
/** Azure has no account at its address. */
const noAccount = { answers: { status: 409, says: /No stamp names the account|Only keys/ } }
const ofStamp = ({ stampId }: World) => ({ stampId })
const stale = { 'if-match': '"999"' }

/** No shared model is made here, and nobody consents. */
const noSharedModel: Baseline = {
  params: () => ({ sharedModelId: `shm_${'0'.repeat(26)}` }),
  answers: { status: 404, says: /nothing here|no such shared model/ },
}
const consents = [
  {
    kind: 'consent',
    purpose: 'order-support',
    textVersion: 1,
    files: [`file-${'0'.repeat(26)}`],
    terms: ['Project Sandpiper'],
  },
  { kind: 'objection', purpose: 'order-support' },
]
const purpose = { title: 'Invoices', region: 'swedencentral', text: 'Your examples are used.' }
async function makePurpose({ server }: World): Promise<void> {
  expectStatus(await server.operate('PUT', '/api/platform/purposes/invoices', purpose), 200)
}
const sharedOrder = {
  purpose: 'order-support',
  baseModel: 'gpt-4.1-mini-2025-04-14',
  suffix: 'shared',
  hyperparameters: { n_epochs: 2, batch_size: 4, learning_rate_multiplier: 0.5 },
  tenantsMin: 3,
}

/** By operation. One of no parameters and no body needs none. */
export const baselines: Readonly<Record<string, Baseline>> = {
  ...billingBaselines,
  ...usageBaselines,
  ...capacityBaselines,
  ...notificationBaselines,
  ...slaBaselines,
  'POST /api/platform/backends': { bodies: () => backends },
  'PUT /api/platform/backends/{backendId}': { params: ofBackend, bodies: () => backends },
  'PATCH /api/platform/backends/{backendId}': { params: ofBackend, bodies: () => backends },
  'PUT /api/platform/backends/{backendId}/key-rotation': {
    params: ofBackend,
    bodies: () => [{ everyDays: 90 }],
    ...noAccount,
  },
  'POST /api/platform/stamps': { bodies: () => [{ ...stampBody, ...stamp }] },
  'PATCH /api/platform/stamps/{stampId}': {
    params: ofStamp,
    bodies: () => [{ name: stampBody.name, modelAccountIds: stampBody.modelAccountIds, ...stamp }],
  },
  'GET /api/platform/tenants/{tenantId}/limits': { params: ofTenant },
  'GET /api/platform/tenants/{tenantId}/noisy-policy': { params: ofTenant },
  'PUT /api/platform/tenants/{tenantId}/noisy-policy': { params: ofTenant, bodies: () => [defaultPolicy] },
  'POST /api/platform/tenants/{tenantId}/measures/lift': { params: ofTenant, bodies: () => [{ holdMinutes: 5 }] },
  'POST /api/platform/operations/{operationId}/decision': {
    params: ofOperation,
    bodies: () => [{ approved: true, reason: 'a reason' }],
    // No host runs operations here, so that there are none to decide on.
    answers: { status: 404, says: /./ },
  },
  'PUT /api/platform/registration-settings': {
    bodies: ({ backendId }) => [
      { mode: 'approval', tier: 'premium', regions: ['swedencentral'], aliases: aliasesWithFallback(backendId) },
      {
        mode: 'approval',
        tier: 'premium',
        regions: ['swedencentral'],
        aliases: [deploymentOf(sharedAlias())],
      },
    ],
    exceptions: aliasRules,
  },
  'POST /api/platform/tenants': {
    bodies: ({ backendId }) => [
      {
        ...tenantBody,
        tier: 'premium',
        residency: ['swedencentral'],
        isolation: { models: 'shared', data: 'logical' },
        aliases: aliasesWithFallback(backendId),
        directory: { directoryId: DIRECTORY, ownerObjectId: OWNER },
        limitOverrides: limits,
        budgetOverrides: budgets,
        settings: {
          hidePromptFilterChunk: true,
          budgetWarnPercents: [50, 100],
          clientGone: 'drain',
          tunedModels,
          drift,
        },
      },
      { ...tenantBody, isolation: { models: 'dedicated' }, aliases: [deploymentOf(sharedAlias())] },
      {
        ...tenantBody,
        isolation: { models: 'tenant-owned' },
        aliases: [sharedAlias()],
        ownAccount: accountOf('identity'),
      },
      {
        ...tenantBody,
        isolation: { models: 'tenant-owned' },
        aliases: [sharedAlias()],
        ownAccount: accountOf('secret'),
      },
    ],
    exceptions: [...aliasRules, ...limitRules, ...isolationRules, ...driftRules, ...standInRules],
  },
  'PATCH /api/platform/tenants/{tenantId}': {
    params: ({ changedTenantId }) => ({ tenantId: changedTenantId }),
    bodies: ({ backendId }) => [
      {
        displayName: 'Contoso',
        contact: tenantBody.contact,
        tier: 'premium',
        residency: ['swedencentral'],
        aliases: aliasesWithFallback(backendId),
        limitOverrides: limits,
        budgetOverrides: budgets,
        settings: {
          hidePromptFilterChunk: true,
          budgetWarnPercents: [50, 100],
          clientGone: 'drain',
          tunedModels,
          drift,
        },
      },
      { aliases: [deploymentOf(sharedAlias())] },
    ],
    exceptions: [...aliasRules, ...limitRules, ...driftRules, ...standInRules],
  },
  'POST /api/platform/tenants/{tenantId}/directories': {
    params: ofTenant,
    bodies: () => [{ directoryId: DIRECTORY }],
  },
  'POST /api/platform/tenants/{tenantId}/keys': {
    params: ofTenant,
    prepare: revokeOtherKeys,
    bodies: () => [keyBody],
    exceptions: keyRules,
  },
  'POST /api/platform/tenants/{tenantId}/members': { params: ofTenant, bodies: () => [memberBody] },
  'POST /api/platform/tenants/{tenantId}/move': {
    params: ({ newTenantId }) => ({ tenantId: newTenantId }),
    bodies: ({ backendId, stampId }) => [
      {
        data: 'container',
        models: {
          isolation: 'tenant-owned',
          aliases: [{ name: 'chat', groups: [{ members: [{ backendId, weight: 1 }] }] }],
          ownAccount: accountOf('identity'),
        },
        stampId,
      },
      {
        models: {
          isolation: 'tenant-owned',
          aliases: [deploymentOf({ name: 'chat' })],
          ownAccount: accountOf('secret'),
        },
      },
    ],
    // What may be moved where is for the rules' tests; here nothing starts.
    answers: { status: 409, says: /onboarding cannot be moved/ },
    exceptions: [{ field: /^models$/, what: /left out/, status: 400, says: /Must name at least one of/ }],
  },
  'PUT /api/platform/tenants/{tenantId}/secrets/{name}': {
    params: ofSecret,
    bodies: () => [{ value: 'a-secret' }],
  },
  'POST /api/registrations': { prepare: openRegistration, bodies: () => [tenantBody] },
  'PATCH /api/tenant': {
    bodies: () => [
      { settings: { hidePromptFilterChunk: true, budgetWarnPercents: [80], clientGone: 'cancel', tunedModels, drift } },
    ],
    exceptions: [...driftRules, ...standInRules],
  },
  'POST /api/tenant/keys': { prepare: revokeOtherKeys, bodies: () => [keyBody], exceptions: keyRules },
  'POST /api/tenant/keys/{keyId}/rotate': { params: ofKey, bodies: () => [{ overlapMs: 1 }] },
  'POST /api/tenant/members': {
    bodies: () => [memberBody],
    exceptions: [anywhere(/linked to this tenant/, /directoryId/)],
  },
  'PATCH /api/tenant/members/{memberId}': { params: () => memberOf, bodies: () => [{ role: 'admin' }] },
  'GET /api/platform/tenants/{tenantId}/models': { params: ofTenant },
  'GET /api/platform/tenants/{tenantId}/models/{modelId}': ofTenantsModel,
  'GET /api/tenant/models/{modelId}': noModel,
  'POST /api/tenant/models/{modelId}/archive': noModel,
  'GET /api/tenant/models/{modelId}/compare': { ...noModel, query: { with: `mdl_${'1'.repeat(26)}` } },
  'GET /api/tenant/models/{modelId}/drift': noModel,
  'PUT /api/tenant/models/{modelId}/drift': {
    ...noModel,
    bodies: () => [
      { retrain: { kind: 'propose' } },
      { retrain: { kind: 'start', filenamePrefix: 'support-', perMonthMax: 1 } },
    ],
  },
  'POST /api/tenant/models/{modelId}/deploy': { ...noModel, bodies: () => [{ sku: 'Standard', capacity: 50 }] },
  'POST /api/tenant/models/{modelId}/undeploy': noModel,
  'GET /api/tenant/operations/{operationId}': {
    params: () => ({ operationId: `hos_${'0'.repeat(26)}` }),
    answers: { status: 404, says: /nothing here/ },
  },
  'GET /api/tenant/models/{modelId}/evaluations': noModel,
  'GET /api/tenant/models/{modelId}/evaluations/{evaluationId}': {
    ...noModel,
    params: () => ({ modelId: `mdl_${'0'.repeat(26)}`, evaluationId: `evl_${'0'.repeat(26)}` }),
  },
  'POST /api/tenant/models/{modelId}/evaluate': { ...noModel, bodies: () => [evaluation] },
  'POST /api/tenant/models/{modelId}/promote': { ...noModel, bodies: () => [route], exceptions: routeRules },
  'POST /api/tenant/models/{modelId}/restore': noModel,
  'POST /api/tenant/models/{modelId}/rollback': noModel,
  'POST /api/tenant/consents': {
    bodies: () => consents,
    answers: { status: 404, says: /no such purpose/ },
    exceptions: [
      anywhere(/A consent says which/, /^textVersion$|^files$|^kind$/),
      anywhere(/An objection is/, /^kind$/),
    ],
  },
  'POST /api/tenant/shared-models/{sharedModelId}/aliases': { ...noSharedModel, bodies: () => [{ alias: 'chat' }] },
  'DELETE /api/tenant/shared-models/{sharedModelId}/aliases/{alias}': {
    params: () => ({ sharedModelId: `shm_${'0'.repeat(26)}`, alias: 'chat' }),
    answers: { status: 404, says: /No such alias leads/ },
  },
  'GET /api/platform/purposes/{purposeId}': {
    params: () => ({ purposeId: 'no-purpose' }),
    answers: { status: 404, says: /nothing here/ },
  },
  'PUT /api/platform/purposes/{purposeId}': {
    params: () => ({ purposeId: 'invoices' }),
    prepare: makePurpose,
    bodies: () => [purpose],
    exceptions: [{ field: /^region$/, status: 409, says: /region of a purpose stays/ }],
  },
  'POST /api/platform/shared-models': {
    bodies: () => [sharedOrder],
    answers: { status: 400, says: /names no purpose/ },
  },
  'GET /api/platform/shared-models/{sharedModelId}': noSharedModel,
  'POST /api/platform/shared-models/{sharedModelId}/retrain': noSharedModel,
  'POST /api/platform/shared-models/{sharedModelId}/retire': noSharedModel,
  'POST /api/platform/shared-models/{sharedModelId}/grants': {
    ...noSharedModel,
    bodies: ({ tenantId }) => [{ tenantId }],
  },
  'DELETE /api/platform/shared-models/{sharedModelId}/grants/{tenantId}': {
    ...noSharedModel,
    params: ({ tenantId }) => ({ sharedModelId: `shm_${'0'.repeat(26)}`, tenantId }),
  },
  'POST /api/tenant/tuning/jobs': {
    bodies: () => jobOrders,
    // Nobody has files here: whoever is told so has a sound body.
    answers: { status: 400, says: /names no file of yours/ },
    exceptions: [...jobRules, ...routeRules],
  },
  'POST /api/tenant/datasets': { bodies: () => [aDataset], answers: { status: 400, says: /names no file of yours/ } },
  'GET /api/tenant/datasets/{datasetId}': noDataset,
  'DELETE /api/tenant/datasets/{datasetId}': noDataset,
  'GET /api/tenant/datasets/{datasetId}/report': noDataset,
  'GET /api/tenant/datasets/{datasetId}/report.csv': noDataset,
  'POST /api/tenant/datasets/{datasetId}/leakage': {
    ...noDataset,
    bodies: () => [{ validation: aDataset.validation }],
  },
  'PUT /api/tenant/datasets/{datasetId}/consent': { ...noDataset, bodies: () => [{ consent: true }] },
  'DELETE /api/tenant/datasets/{datasetId}/consent': noDataset,
  'POST /api/tenant/datasets/uploads': { prepare: makeDataKey, bodies: () => [{ filename: 'train.jsonl', bytes: 1 }] },
  'GET /api/tenant/datasets/uploads/{uploadId}': noUpload,
  'DELETE /api/tenant/datasets/uploads/{uploadId}': noUpload,
  'POST /api/tenant/datasets/uploads/{uploadId}/link': noUpload,
  'POST /api/tenant/datasets/uploads/{uploadId}/complete': noUpload,
  'GET /api/tenant/tuning/jobs/{jobId}': noJob,
  'POST /api/tenant/tuning/jobs/{jobId}/cancel': noJob,
  'POST /api/tenant/tuning/jobs/{jobId}/pause': noJob,
  'POST /api/tenant/tuning/jobs/{jobId}/resume': noJob,
  'POST /api/tenant/tuning/jobs/{jobId}/retry': noJob,
  'POST /api/tenant/tuning/jobs/{jobId}/decision': { ...noJob, bodies: () => [{ approved: true, reason: 'good' }] },
  'PUT /api/tenant/secrets/{name}': { params: () => ({ name: 'account-key' }), bodies: () => [{ value: 'a-secret' }] },
  'GET /api/platform/backends/{backendId}': { params: ofBackend },
  'DELETE /api/platform/backends/{backendId}': { params: ofBackend },
  'GET /api/platform/backends/{backendId}/key-rotation': { params: ofBackend, ...noAccount },
  'POST /api/platform/backends/{backendId}/rotate-key': { params: ofBackend, ...noAccount },
  'GET /api/platform/operations/{operationId}': { params: ofOperation },
  'POST /api/platform/tenants/{tenantId}/models/{modelId}/copy-to-region': {
    params: ({ tenantId }) => ({ tenantId, modelId: `mdl_${'0'.repeat(26)}` }),
    bodies: () => [
      { region: 'norwayeast', capacity: 50, lead: 'behind' },
      { accountId: '/subscriptions/0/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a' },
    ],
    answers: { status: 404, says: /nothing here/ },
    exceptions: [anywhere(/Must name one of/, /^region$|^accountId$/)],
  },
  'POST /api/platform/tenants/{tenantId}/models/{modelId}/rebuild': {
    params: ({ tenantId }) => ({ tenantId, modelId: `mdl_${'0'.repeat(26)}` }),
    bodies: () => [{ region: 'norwayeast', lead: 'replace' }],
    answers: { status: 404, says: /nothing here/ },
  },
  'GET /api/platform/reconciliation': {
    // Of two times each alone is sound, and one of them may yet lie on the wrong side of the other, which is now.
    exceptions: [{ field: /^from$/, status: 400, says: /Must lie before "to"/ }],
  },
  'POST /api/platform/tenants/{tenantId}/recovery/restore': {
    params: ofTenant,
    bodies: () => [{ lostSince: '2026-01-31T00:00:00Z' }],
    // Here nothing is replicated: whoever is told so has a sound body.
    answers: { status: 409, says: /Nothing is replicated/ },
  },
  'GET /api/platform/stamps/{stampId}': { params: ofStamp },
  'DELETE /api/platform/stamps/{stampId}': { params: ofStamp },
  'GET /api/platform/tenants/{tenantId}': { params: ofTenant },
  'DELETE /api/platform/tenants/{tenantId}': {
    params: ofTenant,
    // Sound, and yet nothing is deleted.
    headers: stale,
    answers: { status: 412, says: /changed since/ },
  },
  'GET /api/platform/tenants/{tenantId}/audit': { params: ofTenant },
  'GET /api/platform/tenants/{tenantId}/data-key': { params: ofTenant },
  'POST /api/platform/tenants/{tenantId}/data-key/rewrap': { params: ofTenant },
  'POST /api/platform/tenants/{tenantId}/data-key/rotate': { params: ofTenant },
  'GET /api/platform/tenants/{tenantId}/deletion-certificate': { params: ofTenant },
  'GET /api/platform/tenants/{tenantId}/directories': { params: ofTenant },
  'DELETE /api/platform/tenants/{tenantId}/directories/{directoryId}': {
    params: ({ tenantId }) => ({ tenantId, directoryId: DIRECTORY }),
  },
  'GET /api/platform/tenants/{tenantId}/keys': { params: ofTenant },
  'GET /api/platform/tenants/{tenantId}/members': { params: ofTenant },
  'POST /api/platform/tenants/{tenantId}/resume': { params: ofTenant },
  'GET /api/platform/tenants/{tenantId}/secrets': { params: ofTenant },
  'DELETE /api/platform/tenants/{tenantId}/secrets/{name}': { params: ofSecret },
  'POST /api/platform/tenants/{tenantId}/suspend': { params: ofTenant },
  'GET /api/registrations/{operationId}': {
    params: ofOperation,
    query: { token: 'a-token' },
    answers: { status: 404, says: /nothing here/ },
  },
  'DELETE /api/tenant/keys/{keyId}': { params: ofKey },
  'DELETE /api/tenant/members/{memberId}': { params: () => memberOf },
  'DELETE /api/tenant/secrets/{name}': { params: () => ({ name: 'account-key' }) },
}

/** Wherever a trial may want to be at home. */
async function openRegistration({ server }: World): Promise<void> {
  const regions = [tenantBody.region, ...(textExamples({ pattern: regionPattern })?.taken ?? [])]
  const settings = { mode: 'open', tier: 'free', regions, aliases: [] }
  const path = '/api/platform/registration-settings'
  expectStatus(await server.operate('PUT', path, settings, { 'if-match': '*' }), 200)
}
