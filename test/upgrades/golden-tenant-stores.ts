import { createDirectories } from '../../src/access/directories'
import { createMembers } from '../../src/access/members'
import { createIdempotency } from '../../src/http/idempotency'
import { budgetsIn } from '../../src/budgets/create-budget-keeper'
import { createWrappedSecrets } from '../../src/encryption/wrapped-secrets'
import { createShelves } from '../../src/files/shelves'
import { windowsIn } from '../../src/limits/create-limiter'
import { noticeKey, noticeRow } from '../../src/notifications/outbox-rows'
import { createOutbox, type KeptNotice } from '../../src/notifications/outbox'
import { createRegistrationSettings } from '../../src/onboarding/registration-settings'
import { fromJsonColumns } from '../../src/storage/json-columns'
import { TenantScope } from '../../src/storage/tenant-scope'
import { DAY_MS, scope, tenantId, writtenAt, type GoldenStore, type GoldenWorld } from './golden-world'

const directoryId = 'dddddddd-0000-4000-8000-000000000001'
const objectId = 'eeeeeeee-0000-4000-8000-000000000001'

/** Whose data is not where that of the others is. */
const elsewhere = TenantScope.ofPlatform('ten_01kdvdna008z71thvsevzwqvaz')

const directories = ({ own, rows }: GoldenWorld) =>
  createDirectories({ index: own('directories'), rows: rows('directories') })

const members = ({ rows, clock }: GoldenWorld) => createMembers({ rows: rows('members'), clock, onChange: () => {} })

const secrets = ({ rows, wrappingKey, clock }: GoldenWorld) => createWrappedSecrets(rows('secrets'), wrappingKey, clock)

const creation = ({ clock, chance, rows }: GoldenWorld) => {
  const { once } = createIdempotency({ clock, chance, secret: 'a-secret-of-the-golden-rows' })
  return (answer: () => Promise<{ status: number; headers: object; body: string }>) =>
    once(
      {
        rows: rows('idempotency').partition(scope),
        name: 'POST api/tenant/keys',
        idempotencyKey: 'golden',
        content: '{}',
        newSubject: () => 'key_1',
      },
      async () => ({ ...(await answer()), headers: {} }),
    )
}

/** What tenants are, may and have. */
export const goldenTenantStores: readonly GoldenStore[] = [
  {
    tables: ['directories'],
    write: (world) => directories(world).link(scope, directoryId),
    read: async (world) => [await directories(world).list(scope), await directories(world).tenantOf(directoryId)],
  },
  {
    tables: ['members'],
    write: (world) => members(world).put(scope, { directoryId, objectId }, 'owner'),
    read: (world) => members(world).list(scope),
  },
  {
    tables: ['idempotency'],
    write: (world) => creation(world)(async () => ({ status: 201, headers: {}, body: '{"made":1}' })),
    read: (world) => creation(world)(() => Promise.reject(new Error('it was answered'))),
  },
  {
    tables: ['limits'],
    write: ({ storage }) =>
      windowsIn(storage).write(
        scope,
        {
          bornMs: writtenAt,
          asOfMs: writtenAt,
          holders: new Map([['ins_1', { sequence: 1, expiresAtMs: writtenAt + 6_000 }]]),
          sections: new Map([
            ['tenant', { spent: [{ cell: 1, requests: 2, tokens: 300 }], leases: new Map() }],
            ['key_1', { spent: [], leases: new Map([['ins_1', { requests: 1, tokens: 20, slots: 1 }]]) }],
          ]),
        },
        undefined,
      ),
    read: async ({ storage }) => (await windowsIn(storage).read(scope))?.state,
  },
  {
    tables: ['budgets'],
    write: ({ storage }) =>
      budgetsIn(storage).write(
        scope,
        { kind: 'tenant' },
        {
          state: {
            asOfMs: writtenAt,
            trueUpToHour: 490_000,
            spent: [{ hour: 490_001, tokens: 40, microUsd: 50 }],
            holders: new Map([
              [
                'ins_1',
                {
                  expiresAtMs: writtenAt + 60_000,
                  lease: { tokens: 1, microUsd: 2 },
                  spent: [],
                  foldedToHour: 490_000,
                },
              ],
            ]),
          },
          tag: undefined,
        },
      ),
    read: async ({ storage }) => (await budgetsIn(storage).read(scope, { kind: 'tenant' }))?.state,
  },
  {
    tables: ['registrations'],
    write: ({ own }) =>
      createRegistrationSettings(own('registrations')).put(
        { mode: 'approval', tier: 'standard', regions: ['swedencentral'], aliases: [] },
        () => true,
      ),
    read: ({ own }) => createRegistrationSettings(own('registrations')).get(),
  },
  {
    tables: ['datakeys', 'content'],
    write: async ({ keyring, records }) => {
      await keyring.create(scope)
      await records.put(scope, 'a-record', { said: 'sealed' })
    },
    read: async ({ keyring, records }) => [
      await keyring.versions(scope),
      (await records.get(scope, 'a-record'))?.value,
    ],
  },
  {
    tables: ['secrets'],
    write: (world) => secrets(world).put(scope, 'account-key', 'a secret of these fixtures'),
    read: (world) => secrets(world).get(scope, 'account-key'),
  },
  {
    tables: ['tenantplaces'],
    write: ({ places }) => places.set(elsewhere, { kind: 'container', suffix: 'golden' }),
    read: ({ places }) => places.get(elsewhere),
  },
  {
    tables: ['files'],
    write: ({ rows }) =>
      createShelves(rows('files')).change(scope, (shelf) => ({
        shelf: { ...shelf, files: 1, bytes: 20, added: 1, expiresFrom: writtenAt + DAY_MS },
        answer: undefined,
      })),
    read: ({ rows }) => createShelves(rows('files')).get(scope),
  },
  {
    tables: ['notifications'],
    write: ({ own, rows, clock }) =>
      createOutbox({
        rows: { owned: rows('notifications'), index: own('notifications') },
        subscriptions: { listening: async () => [] },
        isThere: async () => true,
        clock,
        wake: () => {},
      }).publish({
        id: 'golden',
        kind: 'key-expiry',
        audience: 'tenant',
        tenantId,
        severity: 'warning',
        title: 'A',
        text: 'B',
      }),
    read: async ({ rows }) => {
      const row = await rows('notifications').get(scope, noticeRow(noticeKey('golden')))
      return row && fromJsonColumns<KeptNotice>(row.columns)
    },
  },
]
