// Webhooks out: events of the app on their way to the endpoints of others.

export { type Post, poster } from './post.js'
export { type NetworkOptions, TargetRefused, targetOf } from './target.js'
