import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { created, ok } from '../../http/plain-request'
import { tuningPageQuery } from '../../http/request-params'
import { TenantScope } from '../../storage/tenant-scope'
import { inOwnTerms, orderOfInput, tuningJobInput, wishesOfInput } from '../../tuning/tuning-input'
import { shownTuningJob, shownTuningJobs, tuningRecordView } from '../../tuning/tuning-record-view'

export const tenantTuningJobs = ({ tuningJobs }: ControlPlane): HttpTrigger => ({
  name: 'tenant-tuning-jobs',
  route: 'api/tenant/tuning/jobs',
  endpoints: {
    GET: tenantEndpoint('models.read', {
      summary: 'Lists the tenant’s fine-tuning jobs, the newest first, page by page.',
      query: tuningPageQuery,
      answer: shownTuningJobs,
      run: async ({ caller, query: { after, limit } }) => {
        const { jobs, hasMore } = await tuningJobs.page(TenantScope.ofCaller(caller), { after, limit })
        const next = hasMore ? jobs.at(-1)?.id : undefined
        return ok({ jobs: jobs.map((job) => tuningRecordView(job)), ...(next === undefined ? {} : { next }) })
      },
    }),
    POST: tenantEndpoint('models.manage', {
      summary: 'Trains a model on the tenant’s files, and deploys, evaluates and routes it as is asked for.',
      body: tuningJobInput,
      answer: shownTuningJob,
      answerStatus: 201,
      problems: ['insufficient_quota', 'tenant_not_active'],
      run: async ({ caller, body }) => {
        const asked = orderOfInput(body)
        if (asked instanceof Problem) return inOwnTerms(asked)
        const scope = TenantScope.ofCaller(caller)
        const job = await tuningJobs.create(scope, caller, {
          asked,
          hasConsent: body.consent === true,
          wishes: wishesOfInput(body),
        })
        if (job instanceof Problem) return inOwnTerms(job)
        return created(tuningRecordView(job), { location: `/api/tenant/tuning/jobs/${job.id}` })
      },
    }),
  },
})
