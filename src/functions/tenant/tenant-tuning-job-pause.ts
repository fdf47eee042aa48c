import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { tuningJobParams } from '../../http/request-params'
import { changedTuningJob } from '../../http/tuning-job-change'
import { TenantScope } from '../../storage/tenant-scope'
import { shownTuningJob } from '../../tuning/tuning-record-view'

export const tenantTuningJobPause = ({ tuningJobs }: ControlPlane): HttpTrigger => ({
  name: 'tenant-tuning-job-pause',
  route: 'api/tenant/tuning/jobs/{jobId}/pause',
  endpoints: {
    POST: tenantEndpoint('models.manage', {
      summary: 'Pauses a fine-tuning job, before it trains or while it does.',
      params: tuningJobParams,
      answer: shownTuningJob,
      problems: ['conflict'],
      run: async ({ caller, params }) =>
        changedTuningJob(await tuningJobs.pause(TenantScope.ofCaller(caller), params.jobId)),
    }),
  },
})
