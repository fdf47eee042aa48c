import { operations } from '../../../../src/inference/operations'
import type { Operation } from '../../../../src/inference/operation'
import { surfaceOf, type Shot } from '../../../chaos/surfaces'
import { badBodies, fieldsRead, formOf, jsonOf, wrongValues, type BadBody } from './bodies'
import { expectClearError, send } from './tenant'
import type { BadInputWorld } from './world'

/** Whatever a client sends to whichever surface: a clear error, or an answer. */
export function describeBadBodies(world: () => BadInputWorld): void {
  const ask = (
    operation: Operation,
    shot: { contentType?: string; body: Shot['body'] },
    headers?: Record<string, string>,
  ) => send(world().stack, world().tenant.apiKey, operation, shot, headers)

  describe.each(operations.map((operation) => ({ name: operation.name, operation })))(
    '$name',
    ({ name, operation }) => {
      it('is served when it is asked rightly', async () => {
        expect((await ask(operation, world().tenant.shot(name))).status).toBe(200)
      })

      it.each(badBodies(operation))('$what: $status $code', async ({ make, status, code, param }: BadBody) => {
        const answer = await ask(operation, make(world().tenant.shot(name)))
        const error = expectClearError(answer)
        expect([answer.status, error.code]).toEqual([status, code])
        if (param !== undefined) expect(error.param).toBe(param)
      })

      it.each(fieldsRead(operation, surfaceOf(name).shot({ alias: name, text: 'x', stream: false })))(
        'any value of "%s" gets an answer or a clear error',
        async (field) => {
          for (const value of wrongValues) {
            const shot = world().tenant.shot(name)
            const changed =
              operation.body === 'json' ? jsonOf(shot, { [field]: value }) : formOf(shot, { [field]: String(value) })
            const answer = await ask(operation, changed).catch((error: unknown) => {
              throw new Error(`no answer for ${JSON.stringify(value).slice(0, 50)}`, { cause: error })
            })
            if (answer.status === 200) continue
            expect([field, value, answer.status]).toEqual([
              field,
              value,
              answer.status < 500 ? answer.status : 'below 500',
            ])
            expectClearError(answer)
          }
        },
      )
    },
  )
}
