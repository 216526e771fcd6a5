// What has no domain word: time, chance, ids, errors.
export { assert, safeInteger } from './assert.js'
export { Cancellation } from './cancellation.js'
export { type Clock, systemClock } from './clock.js'
export { type ErrorCode, type ErrorDetails, EventspineError, errorCodes } from './errors.js'
export { hash32 } from './hash.js'
export { randomHex, uuidv7 } from './ids.js'
export { type Random, seededRandom, systemRandom } from './random.js'
export { Wake } from './wake.js'
