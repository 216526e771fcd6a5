// The console as files: what a server is given to serve it under /console/.
export { createConsole } from './console.js'
