export {
  Appender,
  type AppenderServices,
  type AppendLimits,
  appendLimitsDefault,
  bytesOf,
  type Sequence,
} from './appender.js'
export type { Act, AppendOutcome, AppendPort, ClaimPort, SqlExecutor } from './port.js'
export { type CallerTransaction, executorOf } from './transaction.js'
