const { createHash } = require('node:crypto')
const { default: AccountDataStore } = require('azurite/dist/src/common/AccountDataStore')

/**
 * Azurite knows only the accounts that its environment names when it starts; with this it also has every account whose name is one of a
 * tenant's own, which Resource Manager makes later. The key follows from the name, as the simulator's `listKeys` derives it too
 * (`simulator/arm/storage-key.ts`).
 */
const TENANTS_ACCOUNT = /^tnt[a-z0-9]{3,21}$/

const known = AccountDataStore.prototype.getAccount
AccountDataStore.prototype.getAccount = function getAccount(name) {
  return known.call(this, name) ?? (TENANTS_ACCOUNT.test(name) ? { name, key1: keyOf(name) } : undefined)
}

const keyOf = (name) => createHash('sha512').update(`simulated storage account ${name}`).digest()
