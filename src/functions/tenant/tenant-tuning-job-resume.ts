import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { tuningJobParams } from '../../http/request-params'
import { changedTuningJob } from '../../http/tuning-job-change'
import { TenantScope } from '../../storage/tenant-scope'
import { shownTuningJob } from '../../tuning/tuning-record-view'

export const tenantTuningJobResume = ({ tuningJobs }: ControlPlane): HttpTrigger => ({
  name: 'tenant-tuning-job-resume',
  route: 'api/tenant/tuning/jobs/{jobId}/resume',
  endpoints: {
    POST: tenantEndpoint('models.manage', {
      summary: 'Lets a paused fine-tuning job go on.',
      params: tuningJobParams,
      answer: shownTuningJob,
      problems: ['conflict'],
      run: async ({ caller, params }) =>
        changedTuningJob(await tuningJobs.resume(TenantScope.ofCaller(caller), params.jobId)),
    }),
  },
})
