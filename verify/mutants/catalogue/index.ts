// Every bug that is planted, in the order of what it breaks.
import type { Mutant } from '../mutant.js'
import { delivery } from './delivery.js'
import { leases } from './leases.js'
import { log } from './log.js'
import { operating } from './operating.js'
import { workflowMutants } from './workflows.js'

export const catalogue: readonly Mutant[] = [...log, ...delivery, ...operating, ...leases, ...workflowMutants]
