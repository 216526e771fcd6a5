// Loaded into a process before all else: SIGUSR2 makes its wall clock jump an hour ahead, then two back, then to where
// it belongs. The monotonic clock goes on as it does on a real machine.
const jumpsMs = [3_600_000, -3_600_000, 0]
const RealDate = globalThis.Date
let offsetMs = 0

process.on('SIGUSR2', () => {
  offsetMs = jumpsMs.shift() ?? 0
})

globalThis.Date = class Date extends RealDate {
  constructor(...parameters) {
    if (parameters.length === 0) super(Date.now())
    else super(...parameters)
  }

  static now() {
    return RealDate.now() + offsetMs
  }
}
