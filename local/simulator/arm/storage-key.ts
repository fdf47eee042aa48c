import { createHash } from 'node:crypto'

/**
 * The key of a storage account that was made through ARM. It follows from the account's name, so that Azurite, which is
 * another process, takes it without being told: `azurite-preload/accounts.js` derives the same.
 */
export const storageKey = (name: string): string =>
  createHash('sha512').update(`simulated storage account ${name}`).digest('base64')
