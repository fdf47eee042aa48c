import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, sep } from 'node:path'

/** Each folder of src imports only itself and what stands above it. */
const order = [
  'base',
  'storage',
  'azure',
  'encryption',
  'audit',
  'alerts',
  'checklists',
  'stamps',
  'tenants',
  'access',
  'notifications',
  'limits',
  'budgets',
  'routing',
  'fairness',
  'metering',
  'inference',
  'telemetry',
  'files',
  'batches',
  'responses',
  'datasets',
  'registry',
  'usage',
  'sla',
  'neighbours',
  'provisioning',
  'evaluation',
  'tuning',
  'shared-models',
  'hosting',
  'drift',
  'onboarding',
  'capacity',
  'billing',
  'offboarding',
  'moving',
  'recovery',
  'reconciliation',
  'key-rotation',
  'housekeeping',
  'health',
  'http',
  'functions',
]

/** The one place of each vendor package (a file or a folder); the rest of src knows only our own words. */
const homes: Record<string, string[]> = {
  '@azure/functions': ['src/functions/', 'src/http/', 'src/main.ts'],
  'durable-functions': ['src/functions/', 'src/main.ts'],
  undici: ['src/azure/', 'src/notifications/webhook-http.ts', 'src/metering/append-blob.ts'],
  '@azure/identity': ['src/azure/identity.ts'],
  '@azure/keyvault-keys': ['src/azure/'],
  jose: ['src/access/', 'src/offboarding/'],
  fflate: ['src/offboarding/'],
  '@azure/monitor-opentelemetry-exporter': ['src/telemetry/azure-monitor-sink.ts'],
  '@opentelemetry/api': ['src/telemetry/azure-monitor-sink.ts'],
  '@opentelemetry/resources': ['src/telemetry/azure-monitor-sink.ts'],
  '@opentelemetry/sdk-metrics': ['src/telemetry/azure-monitor-sink.ts'],
  '@opentelemetry/sdk-trace-base': ['src/telemetry/azure-monitor-sink.ts'],
  'tinyld/light': ['src/drift/'],
  '@azure/data-tables': ['src/storage/'],
  '@azure/storage-blob': ['src/storage/', 'src/metering/', 'src/usage/', 'src/offboarding/'],
  '@azure/storage-queue': ['src/storage/'],
}

interface Import {
  file: string
  target: string
}

const posix = (path: string) => path.split(sep).join('/')
const files = (pattern: string) => globSync(pattern).map(posix)
const sources = files('src/**/*.ts')
const read = (file: string) => readFileSync(file, 'utf8')

function importsOf(file: string): Import[] {
  const found = read(file).matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)
  return [...found].map(([, target = '']) => ({
    file,
    target: target.startsWith('.') ? posix(normalize(join(dirname(file), target))) : target,
  }))
}

const folderOf = (path: string) => /^src\/([^/]+)\//.exec(path)?.[1]

describe('imports', () => {
  it('of src point only upwards in the order of slices', () => {
    const wrong = sources.flatMap(importsOf).filter(({ file, target }) => {
      const [from, to] = [folderOf(file), folderOf(`${target}/`) ?? folderOf(target)]
      if (!target.startsWith('src/') || from === undefined || to === undefined || from === to) return false
      return order.indexOf(to) > order.indexOf(from) || order.indexOf(from) < 0
    })
    expect(wrong).toEqual([])
  })

  it('of slices never reach for the composition root', () => {
    const roots = ['src/main', 'src/compose', 'src/compose-lifecycle', 'src/storage-needs', 'src/config']
    const wrong = sources.flatMap(importsOf).filter(({ file, target }) => folderOf(file) && roots.includes(target))
    expect(wrong).toEqual([])
  })

  it('of vendor packages stand in the one place that adapts them', () => {
    const wrong = sources.flatMap(importsOf).filter(({ file, target }) => {
      const home = homes[target]
      return home !== undefined && !home.some((place) => file.startsWith(place))
    })
    expect(wrong).toEqual([])
  })

  it('of the local host and the simulator name nothing of src, and src nothing of local', () => {
    const local = [...files('local/host/**/*.ts'), ...files('local/simulator/**/*.ts')].flatMap(importsOf)
    expect(local.filter(({ target }) => target.startsWith('src/'))).toEqual([])
    expect(sources.flatMap(importsOf).filter(({ target }) => target.startsWith('local/'))).toEqual([])
  })
})

describe('src', () => {
  it('reads the time from a Clock only', () => {
    const clocks = ['src/base/clock.ts']
    expect(sources.filter((file) => !clocks.includes(file) && /new Date\(\)/.test(read(file)))).toEqual([])
  })

  it('has no file over 300 lines whose header does not say why it is one thing', () => {
    const long = sources.filter((file) => read(file).split('\n').length > 300)
    expect(long.filter((file) => !read(file).startsWith('/**'))).toEqual([])
  })

  it('makes a platform scope only where the platform acts for one named tenant', () => {
    const makers = sources.filter((file) => read(file).includes('TenantScope.ofPlatform('))
    expect(makers.sort()).toMatchInlineSnapshot(`
     [
       "src/batches/batch-operation.ts",
       "src/batches/begin-batch.ts",
       "src/billing/close-days.ts",
       "src/billing/issue-invoices.ts",
       "src/billing/margins.ts",
       "src/billing/measure-storage.ts",
       "src/billing/remove-old-invoices.ts",
       "src/budgets/remove-old-budgets.ts",
       "src/capacity/capacity-store.ts",
       "src/capacity/look-at-shared.ts",
       "src/capacity/look-at-tenant.ts",
       "src/datasets/dataset-checklist.ts",
       "src/drift/watch-tenants.ts",
       "src/evaluation/evaluation-checklist.ts",
       "src/files/link-upload-checklist.ts",
       "src/files/sweep-files.ts",
       "src/functions/credentials.ts",
       "src/functions/platform/platform-incident.ts",
       "src/functions/platform/platform-purpose.ts",
       "src/functions/platform/platform-tenant-audit.ts",
       "src/functions/platform/platform-tenant-credits.ts",
       "src/functions/platform/platform-tenant-data-key-rewrap.ts",
       "src/functions/platform/platform-tenant-data-key-rotate.ts",
       "src/functions/platform/platform-tenant-data-key.ts",
       "src/functions/platform/platform-tenant-directories.ts",
       "src/functions/platform/platform-tenant-directory.ts",
       "src/functions/platform/platform-tenant-forecast.ts",
       "src/functions/platform/platform-tenant-invoice-issue.ts",
       "src/functions/platform/platform-tenant-invoice.ts",
       "src/functions/platform/platform-tenant-keys.ts",
       "src/functions/platform/platform-tenant-limits.ts",
       "src/functions/platform/platform-tenant-measures-lift.ts",
       "src/functions/platform/platform-tenant-members.ts",
       "src/functions/platform/platform-tenant-model-copy.ts",
       "src/functions/platform/platform-tenant-model-rebuild.ts",
       "src/functions/platform/platform-tenant-model.ts",
       "src/functions/platform/platform-tenant-models.ts",
       "src/functions/platform/platform-tenant-move.ts",
       "src/functions/platform/platform-tenant-noisy-policy.ts",
       "src/functions/platform/platform-tenant-plan.ts",
       "src/functions/platform/platform-tenant-recovery-restore.ts",
       "src/functions/platform/platform-tenant-resume.ts",
       "src/functions/platform/platform-tenant-secret.ts",
       "src/functions/platform/platform-tenant-secrets.ts",
       "src/functions/platform/platform-tenant-sla-report.ts",
       "src/functions/platform/platform-tenant-sla.ts",
       "src/functions/platform/platform-tenant-suspend.ts",
       "src/functions/platform/platform-tenant.ts",
       "src/hosting/begin-hosting.ts",
       "src/hosting/hosting-checklist.ts",
       "src/hosting/look-after-models.ts",
       "src/housekeeping/purge-idempotency.ts",
       "src/housekeeping/watch-budgets.ts",
       "src/housekeeping/watch-key-expiry.ts",
       "src/housekeeping/watch-rotation.ts",
       "src/http/audit-request.ts",
       "src/http/named-subjects.ts",
       "src/moving/data-steps.ts",
       "src/moving/models-steps.ts",
       "src/moving/moving-checklist.ts",
       "src/moving/rotation-checklist.ts",
       "src/neighbours/carry-out.ts",
       "src/neighbours/findings-run.ts",
       "src/neighbours/watch-neighbours.ts",
       "src/notifications/outbox-rows.ts",
       "src/offboarding/offboarding-checklist.ts",
       "src/offboarding/start-offboarding.ts",
       "src/offboarding/tenant-stores.ts",
       "src/onboarding/canary.ts",
       "src/onboarding/credential-links.ts",
       "src/onboarding/steps/access-step.ts",
       "src/onboarding/steps/activation-step.ts",
       "src/onboarding/steps/data-key-step.ts",
       "src/onboarding/steps/limits-step.ts",
       "src/onboarding/steps/metering-step.ts",
       "src/onboarding/steps/models-step.ts",
       "src/onboarding/steps/monitoring-step.ts",
       "src/onboarding/steps/notification-step.ts",
       "src/onboarding/steps/register-step.ts",
       "src/onboarding/steps/storage-step.ts",
       "src/onboarding/steps/validation-step.ts",
       "src/onboarding/validation/validate-tenant.ts",
       "src/reconciliation/our-counts.ts",
       "src/recovery/copy-checklist.ts",
       "src/recovery/rebuild-checklist.ts",
       "src/recovery/replicate-tenants.ts",
       "src/recovery/restore-checklist.ts",
       "src/registry/promotion-checklist.ts",
       "src/responses/follow-up.ts",
       "src/shared-models/build-run.ts",
       "src/shared-models/collect-contributors.ts",
       "src/shared-models/grants.ts",
       "src/shared-models/objections.ts",
       "src/shared-models/retirement.ts",
       "src/shared-models/steps/collect-step.ts",
       "src/shared-models/steps/offer-step.ts",
       "src/shared-models/steps/sample-step.ts",
       "src/shared-models/steps/words-step.ts",
       "src/shared-models/watch.ts",
       "src/sla/freeze-reports.ts",
       "src/sla/watch-slas.ts",
       "src/tenants/tenants.ts",
       "src/tuning/begin-tuning.ts",
       "src/tuning/tuning-run.ts",
       "src/usage/compact-hours.ts",
       "src/usage/make-days.ts",
       "src/usage/query-platform-usage.ts",
       "src/usage/roll-up-blob.ts",
       "src/usage/write-period-reports.ts",
     ]
    `)
  })
})
