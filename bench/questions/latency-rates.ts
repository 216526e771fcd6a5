// The rates at which latency is asked for. A quick run asks the peers at the lower one only.
import type { Lab } from '../core/lab.js'
import type { SystemName } from '../systems/system.js'

const rates = [1_000, 5_000]

export function ratesOf(lab: Lab, systems: readonly SystemName[]) {
  return systems.flatMap((system) =>
    (system === 'eventspine' || !lab.options.quick ? rates : rates.slice(0, 1)).map((rate) => ({
      system,
      rate,
      name: `${system} ${rate}/s`,
    })),
  )
}
