// A thread of its own that says when the next events are due: the thread under load may be late, this one may not.
import { parentPort, workerData } from 'node:worker_threads'

const { offsets, leadMs } = workerData
const bell = new Int32Array(new SharedArrayBuffer(4))
const late = new Float64Array(offsets.length)
const now = () => Number(process.hrtime.bigint()) / 1e6

// Counted from here, where the thread runs: its start is nobody's latency.
const startAtMs = now() + leadMs
parentPort.postMessage({ startAtMs }, [])
let next = 0
while (next < offsets.length) {
  const waitMs = startAtMs + offsets[next] - now()
  if (waitMs > 0) Atomics.wait(bell, 0, 0, waitMs)
  const from = next
  const at = now() - startAtMs
  while (next < offsets.length && offsets[next] <= at) {
    late[next] = at - offsets[next]
    next += 1
  }
  if (next > from) parentPort.postMessage({ from, to: next }, [])
}
parentPort.postMessage({ late }, [late.buffer])
