// API keys: who has one and may what; a new one, shown once; and one that is taken away. For admins.
import { type RefObject, useRef, useState } from 'react'
import { useAnswer, useDoing } from '../api/asking.js'
import { post } from '../api/client.js'
import { Act } from '../parts/act.js'
import { Badge } from '../parts/badge.js'
import { Choice, Dialog, Field, Question, Reason, reasonIn, written } from '../parts/dialog.js'
import { counted } from '../parts/format.js'
import { Heading } from '../parts/heading.js'
import { Moment } from '../parts/moment.js'
import { RowAct } from '../parts/row-act.js'
import { type Column, Rows } from '../parts/rows.js'
import { Empty, Shown } from '../parts/standing.js'

interface ApiKey {
  readonly id: string
  readonly name: string
  readonly role: string | null
  readonly scopes: readonly string[]
  readonly tenant: string | null
  readonly kept: 'database' | 'server'
  readonly createdAtMs: number | null
  readonly createdBy: string | null
  readonly withdrawn: { readonly atMs: number; readonly by: string; readonly reason: string } | null
}

interface MadeKey extends ApiKey {
  readonly key: string
}

const columns: readonly Column<ApiKey>[] = [
  { name: 'Whose', cell: ({ name }) => <span title={name}>{name}</span> },
  {
    name: 'State',
    cell: ({ withdrawn }) => (
      <Badge
        state={withdrawn === null ? 'valid' : 'withdrawn'}
        tone={withdrawn === null ? 'good' : 'plain'}
      />
    ),
  },
  { name: 'May', cell: ({ role, scopes }) => role ?? scopes.join(', ') },
  { name: 'Tenant', kind: 'wide', cell: ({ tenant }) => tenant ?? <span className="faint">all</span> },
  { name: 'Id', kind: 'wide', cell: ({ id }) => <code>{id}</code> },
  {
    name: 'Made',
    kind: 'wide long',
    cell: ({ createdAtMs, createdBy, withdrawn, kept }) => {
      if (kept === 'server') return <span className="faint">in the file or options of this server</span>
      return (
        <span title={withdrawn?.reason}>
          <Moment at={createdAtMs} /> by {createdBy}
          {withdrawn !== null && `; withdrawn by ${withdrawn.by}: ${withdrawn.reason}`}
        </span>
      )
    },
  },
  { name: 'By hand', kind: 'hand', cell: (key) => <Withdraw apiKey={key} /> },
]

export function Keys() {
  const asked = useAnswer<{ readonly items: readonly ApiKey[] }>('/v1/keys')
  const [asks, setAsks] = useState(false)
  const [made, setMade] = useState<MadeKey>()
  return (
    <>
      <Heading title="API keys">
        <Act right="admin" look="primary" act={() => setAsks(true)}>
          Make a key…
        </Act>
      </Heading>
      <Shown asked={asked}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No keys yet">Make one for each person and each machine.</Empty>
          ) : (
            <Rows
              caption="API keys"
              columns={columns}
              items={items}
              keyOf={({ id, kept }) => `${kept} ${id}`}
            />
          )
        }
      </Shown>
      {asks && <MakeQuestion close={() => setAsks(false)} made={setMade} />}
      {made !== undefined && <Once made={made} close={() => setMade(undefined)} />}
    </>
  )
}

const kinds = [
  ['viewer', 'Viewer: sees, and changes nothing'],
  ['operator', 'Operator: redrives, pauses, replays, breakers, workflows'],
  ['admin', 'Admin: keys, too, and what cannot be undone'],
  ['routes', 'A machine that calls routes of the app'],
  ['publish', 'A machine that publishes any event'],
  ['publish read', 'A machine that publishes any event, and reads'],
] as const

const isScopes = (kind: string) => /^(routes|publish)/.test(kind)

interface MakeProps {
  readonly close: () => void
  readonly made: (key: MadeKey) => void
}

function MakeQuestion({ close, made }: MakeProps) {
  const { run, busy, problem } = useDoing((body: unknown) => post<MadeKey>('/v1/keys', body))
  const submit = async (form: FormData) => {
    const kind = String(form.get('kind'))
    const tenant = written(form, 'tenant')
    const key = await run({
      ...{ name: written(form, 'name'), access: isScopes(kind) ? kind.split(' ') : kind },
      ...(tenant === undefined ? {} : { tenant }),
      ...reasonIn(form),
    }).catch(() => undefined)
    if (key === undefined) return
    close()
    made(key)
  }
  return (
    <Question
      title="Make an API key"
      act="Make 1 key"
      {...{ busy, problem, close }}
      submit={(form) => void submit(form)}
    >
      <Field label="Whose it is: the audit shows this name" name="name" required />
      <Choice label="What it may" name="kind" options={kinds} />
      <Field label="Of one tenant alone (empty: of all)" name="tenant" />
      <Reason />
    </Question>
  )
}

interface OnceProps {
  readonly made: MadeKey
  readonly close: () => void
}

function Once({ made: { key, name }, close }: OnceProps) {
  const [copied, setCopied] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const copy = () =>
    navigator.clipboard.writeText(key).then(
      () => setCopied(true),
      () => chosen(field),
    )
  return (
    <Dialog title={`The key of ${name}`} close={close}>
      <p>
        It is shown this once: only its hash is kept. Copy it and hand it over by a way that others do not
        read.
      </p>
      <p className="field">
        <label htmlFor="made">API key</label>
        <input id="made" ref={field} className="mono" readOnly value={key} onFocus={() => chosen(field)} />
      </p>
      <p role="status" className="faint">
        {copied && `${counted(1, 'key')} is in the clipboard.`}
      </p>
      <div className="actions">
        <button type="button" className="primary" onClick={() => void copy()}>
          Copy
        </button>
        <button type="button" onClick={close}>
          I have it
        </button>
      </div>
    </Dialog>
  )
}

// Without a clipboard, which browsers give to https alone, a person copies what is marked.
const chosen = ({ current }: RefObject<HTMLInputElement | null>) => current?.select()

function Withdraw({ apiKey: { id, name, kept, withdrawn } }: { readonly apiKey: ApiKey }) {
  if (kept === 'server') return null
  return (
    <RowAct
      about={id}
      offered={withdrawn === null}
      stands={withdrawn === null ? 'valid' : `withdrawn by ${withdrawn.by}: ${withdrawn.reason}`}
      {...{
        does: 'Withdraw',
        what: `the key of ${name}`,
        act: 'Withdraw 1 key',
        harmful: true,
        right: 'admin',
      }}
      reasonRequired
      doing={(form) => post(`/v1/keys/${encodeURIComponent(id)}/withdraw`, reasonIn(form))}
    >
      <p>It opens nothing any more, and whoever is signed in with it is signed out. This cannot be undone.</p>
    </RowAct>
  )
}
