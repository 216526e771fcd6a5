// The one door through which crashes and faults enter the library's own tests: processes and servers that can be
// killed are made there already.
export { Program } from '../../packages/eventspine/test/crash/system/program.js'
export { OwnServer } from '../../packages/eventspine/test/crash/system/server.js'
export { startWhenThere } from '../../packages/eventspine/test/crash/system/start.js'
export { until } from '../../packages/eventspine/test/crash/system/until.js'
