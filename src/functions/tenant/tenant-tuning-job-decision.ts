import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { tuningJobParams } from '../../http/request-params'
import { changedTuningJob } from '../../http/tuning-job-change'
import { TenantScope } from '../../storage/tenant-scope'
import { tuningDecisionInput } from '../../tuning/tuning-input'
import { shownTuningJob } from '../../tuning/tuning-record-view'

/** The first decision counts. */
export const tenantTuningJobDecision = ({ tuningJobs }: ControlPlane): HttpTrigger => ({
  name: 'tenant-tuning-job-decision',
  route: 'api/tenant/tuning/jobs/{jobId}/decision',
  endpoints: {
    POST: tenantEndpoint('models.manage', {
      summary: 'Approves or rejects the model of a job whose gate waits for approval.',
      params: tuningJobParams,
      body: tuningDecisionInput,
      answer: shownTuningJob,
      problems: ['conflict'],
      run: async ({ caller, params, body }) => {
        const decision = { ...body, by: caller.callerId }
        return changedTuningJob(await tuningJobs.decide(TenantScope.ofCaller(caller), params.jobId, decision))
      },
    }),
  },
})
