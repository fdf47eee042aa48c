/** Every trigger of the operators’ and the tenants’ API, in one file since it is one list. */
import type { ControlPlane } from '../http/control-plane'
import { registerTrigger } from './register-trigger'
import type { Handle } from '../http/handle'
import type { HttpApp, HttpTrigger } from '../http/http-trigger'
import { openApiDocument } from '../http/openapi'
import type { OpenApiDocument } from '../http/openapi-document'
import { docsPage } from './docs-page'
import { openapi } from './openapi'
import { credentials } from './credentials'
import { platformAlert } from './platform/platform-alert'
import { platformAlertAcknowledge } from './platform/platform-alert-acknowledge'
import { platformAlertResolve } from './platform/platform-alert-resolve'
import { platformAlerts } from './platform/platform-alerts'
import { platformNoisyNeighbours } from './platform/platform-noisy-neighbours'
import { platformTenantMeasuresLift } from './platform/platform-tenant-measures-lift'
import { platformTenantNoisyPolicy } from './platform/platform-tenant-noisy-policy'
import { tenantAlerts } from './tenant/tenant-alerts'
import { platformDeadLetters } from './platform/platform-dead-letters'
import { platformDeadLetterResend } from './platform/platform-dead-letter-resend'
import { platformSubscriptions } from './platform/platform-subscriptions'
import { platformSubscription } from './platform/platform-subscription'
import { platformSubscriptionSecret } from './platform/platform-subscription-secret'
import { platformSubscriptionTest } from './platform/platform-subscription-test'
import { tenantSubscriptions } from './tenant/tenant-subscriptions'
import { tenantSubscription } from './tenant/tenant-subscription'
import { tenantSubscriptionSecret } from './tenant/tenant-subscription-secret'
import { tenantSubscriptionTest } from './tenant/tenant-subscription-test'
import { platformRegistrationSettings } from './platform/platform-registration-settings'
import { registration } from './registration'
import { registrations } from './registrations'
import { exportLink } from './export-link'
import { platformTenantDeletionCertificate } from './platform/platform-tenant-deletion-certificate'
import { signingKeys } from './signing-keys'
import { tenantMembers } from './tenant/tenant-members'
import { tenantMember } from './tenant/tenant-member'
import { platformTenantDirectories } from './platform/platform-tenant-directories'
import { platformTenantDirectory } from './platform/platform-tenant-directory'
import { platformTenantMembers } from './platform/platform-tenant-members'
import { platformTenantSecret } from './platform/platform-tenant-secret'
import { platformTenantSecrets } from './platform/platform-tenant-secrets'
import { tenantSecret } from './tenant/tenant-secret'
import { tenantSecrets } from './tenant/tenant-secrets'
import { platformTenantMove } from './platform/platform-tenant-move'
import { platformTenantDataKey } from './platform/platform-tenant-data-key'
import { platformTenantDataKeyRewrap } from './platform/platform-tenant-data-key-rewrap'
import { platformTenantDataKeyRotate } from './platform/platform-tenant-data-key-rotate'
import { health } from './health'
import { healthReady } from './health-ready'
import { platformHealth } from './platform/platform-health'
import { platformAudit } from './platform/platform-audit'
import { platformBackend } from './platform/platform-backend'
import { platformBackends } from './platform/platform-backends'
import { platformBackendKeyRotation } from './platform/platform-backend-key-rotation'
import { platformBackendRotateKey } from './platform/platform-backend-rotate-key'
import { platformBackendCapacity } from './platform/platform-backend-capacity'
import { platformCapacity } from './platform/platform-capacity'
import { platformCapacityCsv } from './platform/platform-capacity-csv'
import { platformCapacityHeadroom } from './platform/platform-capacity-headroom'
import { platformCapacityProvisioned } from './platform/platform-capacity-provisioned'
import { platformCapacityRefresh } from './platform/platform-capacity-refresh'
import { platformCapacityTerms } from './platform/platform-capacity-terms'
import { platformTenantForecast } from './platform/platform-tenant-forecast'
import { tenantForecast } from './tenant/tenant-forecast'
import { platformOperation } from './platform/platform-operation'
import { platformOperationDecision } from './platform/platform-operation-decision'
import { platformStamp } from './platform/platform-stamp'
import { platformStamps } from './platform/platform-stamps'
import { platformTenant } from './platform/platform-tenant'
import { platformTenantAudit } from './platform/platform-tenant-audit'
import { platformTenantKeys } from './platform/platform-tenant-keys'
import { platformTenantResume } from './platform/platform-tenant-resume'
import { platformTenantSuspend } from './platform/platform-tenant-suspend'
import { platformTenants } from './platform/platform-tenants'
import { platformInvoices } from './platform/platform-invoices'
import { platformMargins } from './platform/platform-margins'
import { platformPrices } from './platform/platform-prices'
import { platformTenantCredits } from './platform/platform-tenant-credits'
import { platformTenantInvoice } from './platform/platform-tenant-invoice'
import { platformTenantInvoiceIssue } from './platform/platform-tenant-invoice-issue'
import { platformTenantPlan } from './platform/platform-tenant-plan'
import { tenantInvoice } from './tenant/tenant-invoice'
import { tenantInvoices } from './tenant/tenant-invoices'
import { platformTiers } from './platform/platform-tiers'
import { tenant } from './tenant/tenant'
import { tenantAudit } from './tenant/tenant-audit'
import { tenantKey } from './tenant/tenant-key'
import { tenantKeyRotate } from './tenant/tenant-key-rotate'
import { tenantKeys } from './tenant/tenant-keys'
import { platformTenantLimits } from './platform/platform-tenant-limits'
import { tenantLimits } from './tenant/tenant-limits'
import { tenantTuningJob } from './tenant/tenant-tuning-job'
import { tenantTuningJobCancel } from './tenant/tenant-tuning-job-cancel'
import { tenantTuningJobDecision } from './tenant/tenant-tuning-job-decision'
import { tenantTuningJobPause } from './tenant/tenant-tuning-job-pause'
import { tenantTuningJobResume } from './tenant/tenant-tuning-job-resume'
import { tenantTuningJobRetry } from './tenant/tenant-tuning-job-retry'
import { tenantTuningJobs } from './tenant/tenant-tuning-jobs'
import { platformIncident } from './platform/platform-incident'
import { platformIncidents } from './platform/platform-incidents'
import { platformMaintenance } from './platform/platform-maintenance'
import { platformMaintenanceWindow } from './platform/platform-maintenance-window'
import { platformTenantSla } from './platform/platform-tenant-sla'
import { platformTenantSlaReport } from './platform/platform-tenant-sla-report'
import { tenantIncidents } from './tenant/tenant-incidents'
import { tenantSla } from './tenant/tenant-sla'
import { platformUsage } from './platform/platform-usage'
import { tenantUsage } from './tenant/tenant-usage'
import { tenantUsageReport } from './tenant/tenant-usage-report'
import { tenantUsageReports } from './tenant/tenant-usage-reports'
import { platformTenantModel } from './platform/platform-tenant-model'
import { platformTenantModels } from './platform/platform-tenant-models'
import { tenantModel } from './tenant/tenant-model'
import { tenantModelArchive } from './tenant/tenant-model-archive'
import { tenantModelCompare } from './tenant/tenant-model-compare'
import { tenantModelDrift } from './tenant/tenant-model-drift'
import { tenantModelEvaluate } from './tenant/tenant-model-evaluate'
import { tenantModelEvaluation } from './tenant/tenant-model-evaluation'
import { tenantModelEvaluations } from './tenant/tenant-model-evaluations'
import { tenantModelDeploy } from './tenant/tenant-model-deploy'
import { tenantModelPromote } from './tenant/tenant-model-promote'
import { tenantModelRestore } from './tenant/tenant-model-restore'
import { tenantModelRollback } from './tenant/tenant-model-rollback'
import { tenantModelUndeploy } from './tenant/tenant-model-undeploy'
import { tenantOperation } from './tenant/tenant-operation'
import { tenantModels } from './tenant/tenant-models'
import { tenantDatasetUploads } from './tenant/tenant-dataset-uploads'
import { tenantDatasetUpload } from './tenant/tenant-dataset-upload'
import { tenantDatasetUploadComplete } from './tenant/tenant-dataset-upload-complete'
import { tenantDatasetUploadLink } from './tenant/tenant-dataset-upload-link'
import { tenantDatasets } from './tenant/tenant-datasets'
import { tenantDataset } from './tenant/tenant-dataset'
import { tenantDatasetConsent } from './tenant/tenant-dataset-consent'
import { tenantDatasetLeakage } from './tenant/tenant-dataset-leakage'
import { tenantDatasetReport } from './tenant/tenant-dataset-report'
import { tenantDatasetReportCsv } from './tenant/tenant-dataset-report-csv'
import { tenantConsents } from './tenant/tenant-consents'
import { tenantSharedModels } from './tenant/tenant-shared-models'
import { tenantSharedModelAliases } from './tenant/tenant-shared-model-aliases'
import { tenantSharedModelAlias } from './tenant/tenant-shared-model-alias'
import { platformPurposes } from './platform/platform-purposes'
import { platformPurpose } from './platform/platform-purpose'
import { platformSharedModels } from './platform/platform-shared-models'
import { platformSharedModel } from './platform/platform-shared-model'
import { platformSharedModelRetrain } from './platform/platform-shared-model-retrain'
import { platformSharedModelRetire } from './platform/platform-shared-model-retire'
import { platformSharedModelGrant } from './platform/platform-shared-model-grant'
import { platformSharedModelGrants } from './platform/platform-shared-model-grants'
import { platformHousekeeping } from './platform/platform-housekeeping'
import { platformReconciliation } from './platform/platform-reconciliation'
import { platformRecovery } from './platform/platform-recovery'
import { platformTenantModelCopy } from './platform/platform-tenant-model-copy'
import { platformTenantModelRebuild } from './platform/platform-tenant-model-rebuild'
import { platformTenantRecoveryRestore } from './platform/platform-tenant-recovery-restore'

const triggers = [
  health,
  healthReady,
  platformHealth,
  platformTenantDataKeyRotate,
  platformTenantDataKeyRewrap,
  platformTenantDataKey,
  platformTenantMove,
  platformTenantMembers,
  platformTenantSecret,
  platformTenantSecrets,
  platformTenantDirectory,
  platformTenantDirectories,
  tenantMember,
  tenantMembers,
  tenantSecret,
  tenantSecrets,
  signingKeys,
  platformTenantDeletionCertificate,
  exportLink,
  registrations,
  registration,
  platformRegistrationSettings,
  platformAlerts,
  platformAlert,
  platformAlertAcknowledge,
  platformAlertResolve,
  tenantAlerts,
  platformNoisyNeighbours,
  platformTenantMeasuresLift,
  platformTenantNoisyPolicy,
  platformDeadLetters,
  platformDeadLetterResend,
  platformSubscriptions,
  platformSubscription,
  platformSubscriptionSecret,
  platformSubscriptionTest,
  tenantSubscriptions,
  tenantSubscription,
  tenantSubscriptionSecret,
  tenantSubscriptionTest,
  credentials,
  platformAudit,
  platformBackend,
  platformBackends,
  platformBackendKeyRotation,
  platformBackendRotateKey,
  platformBackendCapacity,
  platformCapacity,
  platformCapacityCsv,
  platformCapacityHeadroom,
  platformCapacityProvisioned,
  platformCapacityRefresh,
  platformCapacityTerms,
  platformTenantForecast,
  tenantForecast,
  platformOperation,
  platformOperationDecision,
  platformStamp,
  platformStamps,
  platformTenant,
  platformTenantAudit,
  platformTenantKeys,
  platformTenantResume,
  platformTenantSuspend,
  platformTenants,
  platformTiers,
  platformInvoices,
  platformMargins,
  platformPrices,
  platformTenantCredits,
  platformTenantInvoice,
  platformTenantInvoiceIssue,
  platformTenantPlan,
  tenantInvoice,
  tenantInvoices,
  tenant,
  tenantAudit,
  tenantKey,
  tenantKeyRotate,
  tenantKeys,
  // Before those of one dataset: their name stands where its id would.
  tenantDatasetUploads,
  tenantDatasetUpload,
  tenantDatasetUploadComplete,
  tenantDatasetUploadLink,
  tenantDatasets,
  tenantDataset,
  tenantDatasetConsent,
  tenantDatasetLeakage,
  tenantDatasetReport,
  tenantDatasetReportCsv,
  tenantTuningJob,
  tenantTuningJobCancel,
  tenantTuningJobDecision,
  tenantTuningJobPause,
  tenantTuningJobResume,
  tenantTuningJobRetry,
  tenantTuningJobs,
  tenantUsage,
  tenantUsageReport,
  tenantUsageReports,
  platformUsage,
  platformIncident,
  platformIncidents,
  platformMaintenance,
  platformMaintenanceWindow,
  platformTenantSla,
  platformTenantSlaReport,
  tenantIncidents,
  tenantSla,
  tenantLimits,
  platformTenantLimits,
  platformTenantModel,
  platformTenantModels,
  tenantModel,
  tenantModelArchive,
  tenantModelCompare,
  tenantModelDrift,
  tenantModelEvaluate,
  tenantModelEvaluation,
  tenantModelEvaluations,
  tenantModelDeploy,
  tenantModelPromote,
  tenantModelRestore,
  tenantModelRollback,
  tenantModelUndeploy,
  tenantOperation,
  tenantModels,
  tenantConsents,
  tenantSharedModels,
  tenantSharedModelAliases,
  tenantSharedModelAlias,
  platformPurposes,
  platformPurpose,
  platformSharedModels,
  platformSharedModel,
  platformSharedModelRetrain,
  platformSharedModelRetire,
  platformSharedModelGrant,
  platformSharedModelGrants,
  platformHousekeeping,
  platformReconciliation,
  platformRecovery,
  platformTenantRecoveryRestore,
  platformTenantModelCopy,
  platformTenantModelRebuild,
]

/** Registers every trigger of the operators' and the tenants' API. Routes stand whole, with `routePrefix: ""` in host.json. */
export function registerControlPlane(app: HttpApp, controlPlane: ControlPlane, handle: Handle): void {
  for (const trigger of controlPlaneTriggers(controlPlane)) registerTrigger(app, trigger, handle)
}

/** The API, and its documentation made of it. */
export function controlPlaneTriggers(controlPlane: ControlPlane): readonly HttpTrigger[] {
  const made = triggers.map((trigger) => trigger(controlPlane))
  let known: OpenApiDocument | undefined
  // Made when first asked for: most instances never are, and it takes longer than all else at a start.
  const document = (): OpenApiDocument => (known ??= openApiDocument(all, controlPlane))
  const all: readonly HttpTrigger[] = [...made, openapi(document), docsPage(document)]
  return all
}
