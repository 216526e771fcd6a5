// Eventspine beside BullMQ: jobs of a queue become events, and events become jobs.
export { type BullmqSourceOptions, bullmqSource } from './source.js'
export { type BullmqTargetOptions, toBullmq } from './target.js'
