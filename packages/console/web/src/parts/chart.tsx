// Lines and bars without a library: the figures behind them stand beside or in the title.

const width = 240
const height = 40

interface ChartProps {
  readonly label: string
  readonly values: readonly number[]
  readonly say: (value: number) => string
}

/** How a figure went, oldest first. */
export function Line({ label, values, say }: ChartProps) {
  const top = Math.max(...values, 0)
  const last = values.at(-1)
  if (values.length < 2 || last === undefined)
    return <p className="faint chart-empty">Drawn once there is a minute of it.</p>
  const x = (at: number) => (at / (values.length - 1)) * width
  const y = (value: number) => height - 2 - (top === 0 ? 0 : (value / top) * (height - 4))
  const line = values.map((value, at) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(' ')
  return (
    <svg className="line" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img">
      <title>{`${label}: now ${say(last)}, at most ${say(top)}`}</title>
      <polygon className="line-area" points={`0,${height} ${line} ${width},${height}`} />
      <polyline className="line-stroke" points={line} />
    </svg>
  )
}

/** Counts side by side, such as of 24 hours. */
export function Bars({ label, values, say }: ChartProps) {
  const top = Math.max(...values, 1)
  const each = 96 / Math.max(1, values.length)
  return (
    <svg className="bars" viewBox="0 0 96 20" role="img">
      <title>{`${label}: ${say(values.reduce((sum, value) => sum + value, 0))}`}</title>
      {values.map((value, at) => {
        const tall = value === 0 ? 1 : Math.max(2, (value / top) * 20)
        const key = `${at}`
        return <rect key={key} x={at * each} y={20 - tall} width={Math.max(1, each - 1)} height={tall} />
      })}
    </svg>
  )
}

/** How far something is, 0 to 1. */
export function Progress({ part, label }: { readonly part: number; readonly label: string }) {
  return <progress max={1} value={part} aria-label={label} />
}
