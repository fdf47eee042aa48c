import type { Clock } from '../base/clock'
import type { Orchestrations } from '../base/durable-steps'
import type { ChecklistInput } from '../checklists/run-checklist'
import type { Dataset } from '../datasets/dataset'
import { datasetName } from '../datasets/dataset-checklist'
import type { LinkUpload } from '../files/link-upload'
import { linkUploadName } from '../files/link-upload-checklist'
import type { TenantScope } from '../storage/tenant-scope'

/** What has its checklist begun the moment that it is made shows progress by then; what does not was forgotten by a crash in between. */
const BEGUN_MS_MAX = 30_000

/** Has a dataset read; again for one that is being read does nothing. */
export const beginDataset = (orchestrations: Pick<Orchestrations, 'start'>, { tenantId }: TenantScope, id: string) =>
  orchestrations.start(datasetName, id, { tenantId, input: {} } satisfies ChecklistInput)

/** Has what came by a link taken in. */
export const beginTaking = (orchestrations: Pick<Orchestrations, 'start'>, { tenantId }: TenantScope, id: string) =>
  orchestrations.start(linkUploadName, id, { tenantId, input: {} } satisfies ChecklistInput)

export const isForgottenDataset = ({ state }: Dataset, clock: Clock): boolean =>
  state.kind === 'validating' && clock.now() - state.sinceMs > BEGUN_MS_MAX

export const isForgottenTaking = ({ state }: LinkUpload, clock: Clock): boolean =>
  state.kind === 'taking' && clock.now() - state.atMs > BEGUN_MS_MAX
