// The questions, in the order in which they are asked.
import type { Question } from '../core/answer.js'
import { backlog } from './backlog.js'
import { webConsole } from './console.js'
import { fanOut } from './fan-out.js'
import { filters } from './filters.js'
import { heldTransaction } from './held-transaction.js'
import { history } from './history.js'
import { idle } from './idle.js'
import { importing } from './import.js'
import { latencyOneProcess } from './latency-one-process.js'
import { latencyTwoProcesses } from './latency-two-processes.js'
import { mqtt } from './mqtt.js'
import { rawShare } from './raw-share.js'
import { sleeping } from './sleeping.js'
import { throughput } from './throughput.js'
import { transactional } from './transactional.js'
import { transactionalMany } from './transactional-many.js'
import { twoWorkers } from './two-workers.js'
import { workflows } from './workflows.js'

export const questions: readonly Question[] = [
  throughput,
  fanOut,
  rawShare,
  latencyOneProcess,
  latencyTwoProcesses,
  heldTransaction,
  backlog,
  transactional,
  transactionalMany,
  twoWorkers,
  history,
  idle,
  workflows,
  sleeping,
  filters,
  importing,
  mqtt,
  webConsole,
]
