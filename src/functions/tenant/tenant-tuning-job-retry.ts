import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { tuningJobParams } from '../../http/request-params'
import { changedTuningJob } from '../../http/tuning-job-change'
import { TenantScope } from '../../storage/tenant-scope'
import { shownTuningJob } from '../../tuning/tuning-record-view'

export const tenantTuningJobRetry = ({ tuningJobs }: ControlPlane): HttpTrigger => ({
  name: 'tenant-tuning-job-retry',
  route: 'api/tenant/tuning/jobs/{jobId}/retry',
  endpoints: {
    POST: tenantEndpoint('models.manage', {
      summary: 'Tries a job that failed or was cancelled again; a model that is trained is not trained again.',
      params: tuningJobParams,
      answer: shownTuningJob,
      problems: ['conflict'],
      run: async ({ caller, params }) =>
        changedTuningJob(await tuningJobs.retry(TenantScope.ofCaller(caller), params.jobId)),
    }),
  },
})
