import { readFileSync } from 'node:fs'
import { platformPermissions, platformRoles, tenantPermissions, tenantRoles } from '../../src/access/permissions'
import { scopes } from '../../src/access/caller'
import { controlPlaneTriggers } from '../../src/functions/register-control-plane'
import type { ControlPlane } from '../../src/http/control-plane'

const page = readFileSync('docs/permissions.md', 'utf8')
const mark = (has: boolean) => (has ? '✓' : '')
const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`

/** The tables as the page must have them; a failure of this test shows what to paste. */
const tenantTable = Object.entries(tenantPermissions).map(([name, { roles, keys }]) =>
  row([
    `\`${name}\``,
    ...tenantRoles.map((role) => mark((roles as readonly string[]).includes(role))),
    ...scopes.map((scope) => mark((keys as readonly string[]).includes(scope))),
  ]),
)
const platformTable = Object.entries(platformPermissions).map(([name, roles]) =>
  row([`\`${name}\``, ...platformRoles.map((role) => mark((roles as readonly string[]).includes(role)))]),
)
const rowsOf = (heading: string) => {
  const section = page.slice(page.indexOf(heading)).split('\n## ')[0] ?? ''
  return section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.replace(/ +/g, ' '))
}
const normal = (rows: readonly string[]) => rows.map((line) => line.replace(/ +/g, ' '))

it('docs/permissions.md has the table of tenants’ permissions', () => {
  expect(rowsOf('## Tenants')).toEqual(normal(tenantTable))
})

it('docs/permissions.md has the table of operators’ permissions', () => {
  expect(rowsOf('## Operators')).toEqual(normal(platformTable))
})

it('every permission is asked for by an endpoint, but for calls of models and for links inside an answer', () => {
  const triggers = controlPlaneTriggers({} as ControlPlane)
  const asked = new Set(
    triggers.flatMap(({ endpoints }) =>
      Object.values(endpoints).flatMap(({ access }) => (access.kind === 'public' ? [] : [access.permission as string])),
    ),
  )
  const all = [...Object.keys(tenantPermissions), ...Object.keys(platformPermissions)]
  expect(all.filter((permission) => !asked.has(permission))).toEqual(['inference.call', 'platform.links.read'])
})
