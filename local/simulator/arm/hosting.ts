import type { Bill, Charge } from '../fine-tuning/bill'
import { ServiceClock } from '../service-clock'
import type { DeploymentSku } from './arm-config'
import type { StoredDeployment } from './stored-resource'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** How long a tuned model's deployment may go without a call of chat or responses, and how long a developer's lives. */
const IDLE_MS_MAX = 15 * DAY_MS
const DEVELOPER_MS_MAX = DAY_MS

interface Meter {
  readonly account: string
  readonly deployment: string
  readonly model: string
  readonly sku: DeploymentSku
  readonly fromMs: number
  calledMs: number
}

const key = (id: string) => id.toLowerCase()

/** What tuned models cost where they are deployed, and when Azure takes them down by itself: by a clock that can be moved. */
export class Hosting {
  readonly clock: ServiceClock
  readonly #bill: Bill
  readonly #meters = new Map<string, Meter>()

  constructor(bill: Bill, speed: number) {
    this.#bill = bill
    this.clock = new ServiceClock(speed, Date.now())
  }

  /** Follows a deployment of a tuned model that is there. Another model or sku is charged anew. */
  follow({ id, name, model, sku, createdAt, accountId }: StoredDeployment): void {
    const before = this.#meters.get(key(id))
    if (before?.model === model.name && before.sku === sku.name) return
    const now = this.clock.now()
    // What outlived a restart is as old as it is.
    const fromMs = before === undefined ? now - Math.max(0, Date.now() - createdAt) : now
    if (before !== undefined) this.end(id)
    const account = accountId.split('/').at(-1) ?? ''
    this.#meters.set(key(id), { account, deployment: name, model: model.name, sku: sku.name, fromMs, calledMs: now })
  }

  called(id: string): void {
    const meter = this.#meters.get(key(id))
    if (meter !== undefined) meter.calledMs = this.clock.now()
  }

  end(id: string): void {
    const meter = this.#meters.get(key(id))
    if (meter === undefined) return
    this.#meters.delete(key(id))
    this.#bill.add(chargeOf(meter, Math.min(this.clock.now(), endOf(meter)), false))
  }

  /** Azure has taken it down. */
  isOver(id: string): boolean {
    const meter = this.#meters.get(key(id))
    return meter !== undefined && endOf(meter) <= this.clock.now()
  }

  get followed(): readonly string[] {
    return [...this.#meters.keys()]
  }

  /** Of what still runs, up to now. */
  get running(): readonly Charge[] {
    return [...this.#meters.values()].map((meter) => chargeOf(meter, this.clock.now(), true))
  }

  /** Starts anew. */
  clear(speed: number): void {
    this.#meters.clear()
    this.clock.speed = speed
    this.clock.set(Date.now())
  }
}

const endOf = ({ sku, fromMs, calledMs }: Meter): number =>
  sku === 'DeveloperTier' ? fromMs + DEVELOPER_MS_MAX : Math.max(fromMs, calledMs) + IDLE_MS_MAX

function chargeOf({ account, deployment, model, sku, fromMs }: Meter, untilMs: number, open: boolean): Charge {
  const hours = sku === 'DeveloperTier' ? 0 : Math.max(0, untilMs - fromMs) / HOUR_MS
  return { kind: 'hosting', account, deployment, model, sku, hours, open }
}
