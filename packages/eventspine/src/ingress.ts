// For those who build a border of their own, such as an HTTP server: the guards that every way in uses.
export { type JsonSchemaObject, jsonSchemaOf } from './contract/index.js'
export {
  compileEventFilter,
  compileFilter,
  explainFilter,
  type Filter,
  type FilterCondition,
  FilterError,
  type FilterExplanation,
  type FilterOperator,
  type FilterPattern,
  type FilterSet,
  filterSet,
} from './event/filter/index.js'
export { JsonError, type JsonLimits, jsonLimitsDefault, parseJson, writeJson } from './event/json/index.js'
