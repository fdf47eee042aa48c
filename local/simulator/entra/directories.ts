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

export interface Application extends User {
  readonly clientId: string
}

/** What every user's password and every application's secret is. */
export const SIMULATED_SECRET = 'simulator-secret'
/** The platform's own application, whose client id tokens for the platform carry as `aud`. */
export const PLATFORM_CLIENT_ID = '0a000000-0000-4000-8000-0000000000aa'

const guid = (directory: number, object: number) =>
  `d${directory}000000-0000-4000-8000-${String(object).padStart(12, '0')}`

function customer(number: number, name: string): Directory {
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
  customer(1, 'acorn'),
  customer(2, 'birch'),
  customer(3, 'cedar'),
]

/** By id or by name. */
export const findDirectory = (text: string) =>
  directories.find(({ id, name }) => id === text.toLowerCase() || name === text)
