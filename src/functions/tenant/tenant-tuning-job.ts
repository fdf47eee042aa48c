import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { tuningJobParams } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'
import { operationOf } from '../../tuning/tuning-job'
import { shownTuningJob, tuningRecordView } from '../../tuning/tuning-record-view'

export const tenantTuningJob = ({ tuningJobs }: ControlPlane): HttpTrigger => ({
  name: 'tenant-tuning-job',
  route: 'api/tenant/tuning/jobs/{jobId}',
  endpoints: {
    GET: tenantEndpoint('models.read', {
      summary: 'Shows a fine-tuning job with its steps.',
      params: tuningJobParams,
      answer: shownTuningJob,
      run: async ({ caller, params, orchestrations }) => {
        const job = await tuningJobs.get(TenantScope.ofCaller(caller), params.jobId)
        if (!job) return notFound
        return ok(tuningRecordView(job, await orchestrations.status(operationOf(job))))
      },
    }),
  },
})
