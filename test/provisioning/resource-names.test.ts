import fc from 'fast-check'
import { createIdMaker, parseBackendId } from '../../src/base/ids'
import { isModel } from '../../src/provisioning/probe-backend'
import {
  accountNameOf,
  backendIdOf,
  deploymentNameOf,
  roleAssignmentName,
  storageAccountNameOf,
} from '../../src/provisioning/resource-names'
import { systemChance } from '../../src/base/chance'
import { handClock } from '../harness/hand-clock'

const ids = createIdMaker({ clock: handClock(), chance: systemChance() })
const alias = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)

describe('names of what is made for a tenant', () => {
  it('are valid in Azure, whatever the alias', () => {
    fc.assert(
      fc.property(alias, (name) => {
        const tenantId = ids.tenantId()
        expect(accountNameOf(tenantId)).toMatch(/^[a-z0-9][a-z0-9-]{0,62}[a-z0-9]$/)
        expect(storageAccountNameOf(tenantId)).toMatch(/^[a-z0-9]{24}$/)
        expect(deploymentNameOf(tenantId, name)).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]{1,63}$/)
        expect(parseBackendId(backendIdOf(tenantId, name))).toBeDefined()
      }),
    )
  })

  it('are the same each time, and differ between tenants and between aliases', () => {
    fc.assert(
      fc.property(alias, alias, (a, b) => {
        fc.pre(a !== b)
        const [one, other] = [ids.tenantId(), ids.tenantId()]
        for (const nameOf of [deploymentNameOf, backendIdOf]) {
          expect(nameOf(one, a)).toBe(nameOf(one, a))
          expect(nameOf(one, a)).not.toBe(nameOf(one, b))
          expect(nameOf(one, a)).not.toBe(nameOf(other, a))
        }
        expect(storageAccountNameOf(one)).not.toBe(storageAccountNameOf(other))
      }),
    )
  })

  it('of a role assignment is a GUID that follows from scope, principal and role in whatever case', () => {
    const parts = { scope: '/subscriptions/S', principalId: 'p', roleId: 'r' }
    expect(roleAssignmentName(parts)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(roleAssignmentName({ ...parts, scope: '/Subscriptions/s' })).toBe(roleAssignmentName(parts))
    expect(roleAssignmentName({ ...parts, roleId: 'q' })).not.toBe(roleAssignmentName(parts))
  })
})

it.each<[string, string, boolean]>([
  ['gpt-4.1-2025-04-14', 'gpt-4.1', true],
  ['gpt-4.1', 'gpt-4.1', true],
  ['gpt-4.1-mini-2025-04-14', 'gpt-4.1', false],
  ['gpt-4.1-2025-04-14.ft-0123', 'gpt-4.1', true],
  ['text-embedding-ada-002-v2', 'text-embedding-ada-002', true],
  ['gpt-4o-2024-08-06', 'gpt-4', false],
  ['', 'gpt-4.1', false],
])('an answer of the model %p to an alias of %p: %p', (answered, model, is) => {
  expect(isModel(answered, model)).toBe(is)
})
