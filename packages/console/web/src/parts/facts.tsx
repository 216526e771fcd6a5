// Names with their values, and JSON: always text, whatever it holds.
import { Fragment, type ReactNode } from 'react'

export function Facts({ of }: { readonly of: readonly (readonly [string, ReactNode])[] }) {
  const told = of.filter(([, value]) => value !== undefined && value !== null && value !== '')
  return (
    <dl className="facts">
      {told.map(([name, value]) => (
        <Fragment key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </Fragment>
      ))}
    </dl>
  )
}

const charactersMax = 200_000

export function Json({ value, label }: { readonly value: unknown; readonly label: string }) {
  const text = JSON.stringify(value, null, 2) ?? 'undefined'
  return (
    <pre className="json" aria-label={label} tabIndex={0} role="region">
      {text.slice(0, charactersMax)}
      {text.length > charactersMax && `\n… ${text.length - charactersMax} characters more`}
    </pre>
  )
}
