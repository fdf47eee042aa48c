/** The directories that the simulated Entra has, with who is in them. Ids are fixed, so that examples and tests can name them. */
export interface Directory {
  readonly id: string
  readonly name: string
  readonly users: readonly User[]
  readonly applications: readonly Application[]
}

export interface User {
  readonly objectId: string
  readonly name: string
  /** App roles of the platform's API that the directory has given. */
  readonly roles: readonly string[]
}

/** An application as a directory knows it: `objectId` is its service principal there. */
export interface Application extends User {
  readonly clientId: string
}

/** What every user's password and every application's secret is. */
export const SIMULATED_SECRET = 'simulator-secret'
/** The platform's own application, whose client id tokens for the platform carry as `aud`. */
export const PLATFORM_CLIENT_ID = '0a000000-0000-4000-8000-0000000000aa'

const guid = (directory: number, object: number) =>
  `d${directory}000000-0000-4000-8000-${String(object).padStart(12, '0')}`

/** Whether an administrator of the directory has let the platform's application in. */
interface Consent {
  readonly consented: boolean
}

function customer(number: number, name: string, { consented }: Consent): Directory {
  return {
    id: guid(number, 0),
    name,
    users: [
      { objectId: guid(number, 1), name: 'ann', roles: ['Tenantry.Owner'] },
      { objectId: guid(number, 2), name: 'dev', roles: ['Tenantry.Developer'] },
      { objectId: guid(number, 3), name: 'aud', roles: ['Tenantry.Auditor'] },
      { objectId: guid(number, 4), name: 'vic', roles: ['Tenantry.Viewer'] },
      { objectId: guid(number, 5), name: 'nobody', roles: [] },
    ],
    applications: [
      { objectId: guid(number, 9), clientId: guid(number, 90), name: 'service', roles: ['Tenantry.Developer'] },
      ...(consented ? [{ objectId: guid(number, 10), clientId: PLATFORM_CLIENT_ID, name: 'tenantry', roles: [] }] : []),
    ],
  }
}

export const directories: readonly Directory[] = [
  {
    id: guid(0, 0),
    name: 'platform',
    users: [
      { objectId: guid(0, 1), name: 'olga', roles: ['Platform.Operator'] },
      { objectId: guid(0, 2), name: 'sam', roles: ['Platform.Support'] },
      { objectId: guid(0, 3), name: 'ada', roles: ['Platform.Auditor'] },
    ],
    applications: [{ objectId: guid(0, 9), clientId: PLATFORM_CLIENT_ID, name: 'tenantry', roles: [] }],
  },
  customer(1, 'acorn', { consented: true }),
  customer(2, 'birch', { consented: true }),
  customer(3, 'cedar', { consented: false }),
  customer(4, 'contoso', { consented: true }),
]

/** By id or by name. */
export const findDirectory = (text: string) =>
  directories.find(({ id, name }) => id === text.toLowerCase() || name === text)

/** Users and applications; `name` is one of the directory's. */
export const findPrincipal = ({ users, applications }: Directory, name: string) =>
  [...applications, ...users].find((principal) => principal.name === name)
