// Shows that something long is going on: a line that turns on a terminal, plain lines elsewhere (logs, CI).

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const frameMs = 100
const plainLineMs = 15_000

/** Shows progress while the work goes on. `work` may call its argument to say what it does now. */
export async function withProgress(title, work) {
  const beganAt = Date.now()
  let doing = title
  const seconds = () => `${Math.round((Date.now() - beganAt) / 1000)} s`
  const stop = process.stderr.isTTY
    ? turn(() => `${doing} · ${seconds()}`)
    : report(() => `${doing} (${seconds()})`)
  try {
    const result = await work((words) => {
      doing = words
    })
    stop()
    return result
  } catch (error) {
    stop()
    throw error
  }
}

/** A duration as a person reads it. */
export function inWords(durationMs) {
  const seconds = durationMs / 1000
  return seconds < 60
    ? `${seconds.toFixed(1)} s`
    : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
}

function turn(line) {
  let frame = 0
  const timer = setInterval(() => {
    const text = `${frames[frame % frames.length]} ${line()}`.slice(0, (process.stderr.columns || 80) - 1)
    process.stderr.write(`\r\x1b[2K${text}`)
    frame += 1
  }, frameMs)
  return () => {
    clearInterval(timer)
    process.stderr.write('\r\x1b[2K')
  }
}

function report(line) {
  process.stderr.write(`${line()}\n`)
  const timer = setInterval(() => process.stderr.write(`${line()}\n`), plainLineMs)
  return () => clearInterval(timer)
}
