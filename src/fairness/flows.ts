import type { TenantId } from '../base/ids'
import { Flow, learned } from './flow'

/** Tenants known at one set of backends. */
export const FLOWS_MAX = 2_000
/** Looked at to find one that can be forgotten. */
const FLOWS_TRIED_MAX = 32

/** The tenants at one set of backends. */
export class Flows {
  readonly #flows = new Map<TenantId, Flow>()
  #last: Flow | undefined
  #sharedAtMs = -Infinity
  #ratio = 1

  /** When calls of two tenants last came one after the other. */
  get sharedAtMs(): number {
    return this.#sharedAtMs
  }

  /** What all of them use of their estimates: expected of a tenant that is new here. */
  get ratio(): number {
    return this.#ratio
  }

  /** Of a tenant whose call comes now. */
  of(tenantId: TenantId, nowMs: number): Flow {
    let flow = this.#flows.get(tenantId)
    if (!flow) {
      if (this.#flows.size >= FLOWS_MAX) this.#forgetOne()
      flow = new Flow(this.#ratio)
      this.#flows.set(tenantId, flow)
    }
    if (this.#last && this.#last !== flow) this.#sharedAtMs = nowMs
    this.#last = flow
    return flow
  }

  /** A call has ended. */
  learn(flow: Flow, { usedTokens, estimatedTokens }: { usedTokens: number; estimatedTokens: number }): void {
    flow.learn(usedTokens, estimatedTokens)
    this.#ratio = learned(this.#ratio, usedTokens, estimatedTokens)
  }

  /**
   * The oldest that has nothing here; who has is taken for younger. There are no more of those than calls, which have bounds of their
   * own.
   */
  #forgetOne(): void {
    let tried = 0
    for (const [tenantId, flow] of this.#flows) {
      this.#flows.delete(tenantId)
      if (flow.idle) return
      this.#flows.set(tenantId, flow)
      if (++tried >= FLOWS_TRIED_MAX) return
    }
  }
}
