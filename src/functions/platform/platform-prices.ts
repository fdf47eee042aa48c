import { z } from 'zod'
import { Problem } from '../../base/problem'
import { priceEntriesInput, priceEntryInput } from '../../billing/price-entry'
import type { StoredPrices } from '../../billing/price-store'
import { hostingPrices } from '../../hosting/hosting-prices'
import { trainingPrices } from '../../datasets/training-prices'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'
import { listPrices } from '../../metering/prices'

const shownPrices = z.object({
  entries: z.array(priceEntryInput),
  version: z.int().meta({ description: 'Rises with every change; in quotes the ETag.' }),
  builtIn: z
    .array(z.object({ of: z.string(), asOf: z.string(), source: z.string(), prices: z.unknown() }))
    .meta({ description: 'What counts where no entry holds; in USD, as price lists print it.' }),
})

const builtIn = [
  { of: 'tokens', asOf: listPrices.asOf, source: listPrices.source, prices: listPrices.models },
  { of: 'training', asOf: trainingPrices.asOf, source: trainingPrices.source, prices: trainingPrices.prices },
  { of: 'hosting', asOf: hostingPrices.asOf, source: hostingPrices.source, prices: hostingPrices.usdPerHour },
]

const answerOf = (stored: StoredPrices) => ok({ ...stored, builtIn }, { etag: `"${stored.version}"` })

/** Operators' own prices over the built-in lists. */
export const platformPrices = ({ billing }: ControlPlane): HttpTrigger => ({
  name: 'platform-prices',
  route: 'api/platform/prices',
  endpoints: {
    GET: operatorEndpoint('platform.billing.read', {
      summary: 'Shows the price book: operators’ own prices with their periods, and the built-in lists.',
      answer: shownPrices,
      run: async () => answerOf(await billing.prices.read()),
    }),
    PUT: operatorEndpoint('platform.billing.manage', {
      summary: 'Replaces operators’ own prices; those of days that are priced already stay as they are.',
      body: priceEntriesInput,
      answer: shownPrices,
      needsIfMatch: true,
      run: async ({ body, ifMatch }) => {
        const stored = await billing.prices.replace(body.entries, ifMatch)
        return stored instanceof Problem ? stored : answerOf(stored)
      },
    }),
  },
})
