// For those who build a border of their own, such as an HTTP server: the guards that every way in uses.
export { compileFilter, type Filter, FilterError } from './event/filter/index.js'
export { JsonError, type JsonLimits, jsonLimitsDefault, parseJson, writeJson } from './event/json/index.js'
