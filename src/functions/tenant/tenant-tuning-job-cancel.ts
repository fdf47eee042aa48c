import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { tuningJobParams } from '../../http/request-params'
import { changedTuningJob } from '../../http/tuning-job-change'
import { TenantScope } from '../../storage/tenant-scope'
import { shownTuningJob } from '../../tuning/tuning-record-view'

export const tenantTuningJobCancel = ({ tuningJobs }: ControlPlane): HttpTrigger => ({
  name: 'tenant-tuning-job-cancel',
  route: 'api/tenant/tuning/jobs/{jobId}/cancel',
  endpoints: {
    POST: tenantEndpoint('models.manage', {
      summary: 'Calls a fine-tuning job off, and takes back what was made for it.',
      params: tuningJobParams,
      answer: shownTuningJob,
      problems: ['conflict'],
      run: async ({ caller, params }) =>
        changedTuningJob(await tuningJobs.cancel(TenantScope.ofCaller(caller), params.jobId)),
    }),
  },
})
