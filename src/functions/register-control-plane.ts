import type { ControlPlane } from '../http/control-plane'
import { registerTrigger, type HttpApp } from './register-trigger'
import type { Handle } from '../http/handle'
import type { HttpTrigger } from '../http/http-trigger'
import { openApiDocument } from '../http/openapi'
import type { OpenApiDocument } from '../http/openapi-document'
import { docsPage } from './docs-page'
import { openapi } from './openapi'
import { credentials } from './credentials'
import { platformAlerts } from './platform-alerts'
import { platformRegistrationSettings } from './platform-registration-settings'
import { registration } from './registration'
import { registrations } from './registrations'
import { exportLink } from './export-link'
import { platformTenantDeletionCertificate } from './platform-tenant-deletion-certificate'
import { signingKeys } from './signing-keys'
import { tenantMembers } from './tenant-members'
import { tenantMember } from './tenant-member'
import { platformTenantDirectories } from './platform-tenant-directories'
import { platformTenantDirectory } from './platform-tenant-directory'
import { platformTenantMembers } from './platform-tenant-members'
import { platformTenantSecret } from './platform-tenant-secret'
import { platformTenantSecrets } from './platform-tenant-secrets'
import { tenantSecret } from './tenant-secret'
import { tenantSecrets } from './tenant-secrets'
import { platformTenantMove } from './platform-tenant-move'
import { platformTenantDataKey } from './platform-tenant-data-key'
import { platformTenantDataKeyRewrap } from './platform-tenant-data-key-rewrap'
import { platformTenantDataKeyRotate } from './platform-tenant-data-key-rotate'
import { health } from './health'
import { platformAudit } from './platform-audit'
import { platformBackend } from './platform-backend'
import { platformBackends } from './platform-backends'
import { platformOperation } from './platform-operation'
import { platformOperationDecision } from './platform-operation-decision'
import { platformStamp } from './platform-stamp'
import { platformStamps } from './platform-stamps'
import { platformTenant } from './platform-tenant'
import { platformTenantAudit } from './platform-tenant-audit'
import { platformTenantKeys } from './platform-tenant-keys'
import { platformTenantResume } from './platform-tenant-resume'
import { platformTenantSuspend } from './platform-tenant-suspend'
import { platformTenants } from './platform-tenants'
import { platformTiers } from './platform-tiers'
import { tenant } from './tenant'
import { tenantAudit } from './tenant-audit'
import { tenantKey } from './tenant-key'
import { tenantKeyRotate } from './tenant-key-rotate'
import { tenantKeys } from './tenant-keys'
import { platformTenantLimits } from './platform-tenant-limits'
import { tenantLimits } from './tenant-limits'
import { tenantTuningJob } from './tenant-tuning-job'
import { tenantTuningJobCancel } from './tenant-tuning-job-cancel'
import { tenantTuningJobDecision } from './tenant-tuning-job-decision'
import { tenantTuningJobPause } from './tenant-tuning-job-pause'
import { tenantTuningJobResume } from './tenant-tuning-job-resume'
import { tenantTuningJobRetry } from './tenant-tuning-job-retry'
import { tenantTuningJobs } from './tenant-tuning-jobs'
import { tenantUsage } from './tenant-usage'
import { platformTenantModel } from './platform-tenant-model'
import { platformTenantModels } from './platform-tenant-models'
import { tenantModel } from './tenant-model'
import { tenantModelArchive } from './tenant-model-archive'
import { tenantModelCompare } from './tenant-model-compare'
import { tenantModelDrift } from './tenant-model-drift'
import { tenantModelEvaluate } from './tenant-model-evaluate'
import { tenantModelEvaluation } from './tenant-model-evaluation'
import { tenantModelEvaluations } from './tenant-model-evaluations'
import { tenantModelDeploy } from './tenant-model-deploy'
import { tenantModelPromote } from './tenant-model-promote'
import { tenantModelRestore } from './tenant-model-restore'
import { tenantModelRollback } from './tenant-model-rollback'
import { tenantModelUndeploy } from './tenant-model-undeploy'
import { tenantOperation } from './tenant-operation'
import { tenantModels } from './tenant-models'
import { tenantDatasetUploads } from './tenant-dataset-uploads'
import { tenantDatasetUpload } from './tenant-dataset-upload'
import { tenantDatasetUploadComplete } from './tenant-dataset-upload-complete'
import { tenantDatasetUploadLink } from './tenant-dataset-upload-link'
import { tenantDatasets } from './tenant-datasets'
import { tenantDataset } from './tenant-dataset'
import { tenantDatasetConsent } from './tenant-dataset-consent'
import { tenantDatasetLeakage } from './tenant-dataset-leakage'
import { tenantDatasetReport } from './tenant-dataset-report'
import { tenantDatasetReportCsv } from './tenant-dataset-report-csv'
import { tenantConsents } from './tenant-consents'
import { tenantSharedModels } from './tenant-shared-models'
import { tenantSharedModelAliases } from './tenant-shared-model-aliases'
import { tenantSharedModelAlias } from './tenant-shared-model-alias'
import { platformPurposes } from './platform-purposes'
import { platformPurpose } from './platform-purpose'
import { platformSharedModels } from './platform-shared-models'
import { platformSharedModel } from './platform-shared-model'
import { platformSharedModelRetrain } from './platform-shared-model-retrain'
import { platformSharedModelRetire } from './platform-shared-model-retire'
import { platformSharedModelGrant } from './platform-shared-model-grant'
import { platformSharedModelGrants } from './platform-shared-model-grants'
import { platformRecovery } from './platform-recovery'
import { platformTenantModelCopy } from './platform-tenant-model-copy'
import { platformTenantModelRebuild } from './platform-tenant-model-rebuild'
import { platformTenantRecoveryRestore } from './platform-tenant-recovery-restore'

const triggers = [
  health,
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
  credentials,
  platformAudit,
  platformBackend,
  platformBackends,
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
