export { Settler } from './settler.js'
