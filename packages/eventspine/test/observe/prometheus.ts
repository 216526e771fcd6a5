// A strict reader of the Prometheus text format 0.0.4: throws at whatever a scraper would refuse.
// Source: prometheus.io, exposition formats.

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const types = ['counter', 'gauge', 'histogram']
const numberForm = /^(?:[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?|[+-]Inf|NaN)$/
const sampleForm = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
const labelForm = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\n"])*)"(?:,|$)/

export function parsePrometheus(text: string): readonly Sample[] {
  if (!text.endsWith('\n')) throw new Error('The last line does not end')
  const samples: Sample[] = []
  const families = new Map<string, string>()
  const series = new Set<string>()
  let family = ''
  for (const line of text.slice(0, -1).split('\n')) {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? []
    if (kind === 'HELP') {
      if (families.has(name)) throw new Error(`${name} comes in two groups`)
      families.set(name, '')
      family = name
    } else if (kind === 'TYPE') {
      if (name !== family || !types.includes(rest)) throw new Error(`Wrong type line: ${line}`)
      families.set(name, rest)
    } else {
      const sample = sampleOf(line)
      checkFamily(sample, family, families.get(family))
      const id = JSON.stringify([sample.name, Object.entries(sample.labels).sort()])
      if (series.has(id)) throw new Error(`Twice: ${line}`)
      series.add(id)
      samples.push(sample)
    }
  }
  return samples
}

function sampleOf(line: string): Sample {
  const [, name, labels = '', value = ''] = sampleForm.exec(line) ?? []
  if (name === undefined || !numberForm.test(value)) throw new Error(`No sample: ${line}`)
  return {
    name,
    labels: labelsOf(labels),
    value: value.endsWith('Inf') ? Number(`${value}inity`) : Number(value),
  }
}

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  let rest = text
  while (rest !== '') {
    const [all = '', name, value = ''] = labelForm.exec(rest) ?? []
    if (name === undefined || name in labels) throw new Error(`No labels: ${text}`)
    labels[name] = value.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character))
    rest = rest.slice(all.length)
  }
  return labels
}

function checkFamily({ name, labels, value }: Sample, family: string, type: string | undefined): void {
  const endings = type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']
  if (!endings.some((ending) => name === family + ending)) throw new Error(`${name} stands under ${family}`)
  if (name.endsWith('_bucket') && type === 'histogram' && labels['le'] === undefined)
    throw new Error(`${name} has no le`)
  if (type === 'counter' && !(value >= 0 && name.endsWith('_total'))) throw new Error(`${name} is no counter`)
}
