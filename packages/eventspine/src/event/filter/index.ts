// The content filter of a subscription: which events it takes, judged by what is in them.
// Pure: a pattern in, a yes or no per event out; no clock, no I/O, no regular expressions from users.
export { compileFilter, type Filter } from './compile.js'
export { FilterError } from './error.js'
export { explainFilter, type FilterCondition, type FilterExplanation } from './explain.js'
export { compileEventFilter } from './of-events.js'
export { type FilterLimits, type FilterOperator, type FilterPattern, filterLimits } from './pattern.js'
export { type FilterSet, filterSet } from './set.js'
