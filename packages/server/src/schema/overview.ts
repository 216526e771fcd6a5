// The overview of a cell as the API shows it.
import { z } from 'zod'
import { categoryView, findingView } from './views.js'

/** The library counts no further. */
const awaitingApprovalMax = 10_000
const count = z.number().int().min(0)
const perSecond = z.number().min(0)
const moment = z.iso.datetime().describe("By the database's clock")

export const figuresView = z.object({
  at: moment,
  in: perSecond.nullable().describe('Events appended a second. null until two readings tell it'),
  out: perSecond.nullable().describe('Deliveries completed a second, replays apart'),
  subscriptions: z.array(
    z.object({
      name: z.string(),
      state: z.enum(['active', 'paused']),
      lagEvents: count.describe('Events of its types behind its cursor: what it still has to take'),
      lagExact: z.boolean().describe('false: they are many, and it is about so many'),
      lagSeconds: z.number().min(0).describe('Age of the oldest of them'),
      perSecond: perSecond.nullable().describe('Deliveries completed a second'),
      retrying: count,
      dead: count.describe('Dead letters that wait for a person, those of replays apart'),
      replayDead: count.describe('Dead letters of its replays that wait for a person'),
    }),
  ),
  deadLetters: z.object({
    total: count.describe('Those that wait for a person, those of replays among them'),
    byCategory: z.array(z.object({ category: categoryView, count })).describe('The most first'),
  }),
  awaitingApproval: count
    .max(awaitingApprovalMax)
    .describe('Instances of workflows that wait for the decision of a person: so many, or more'),
  breakers: z.object({ open: count, halfOpen: count }),
  workers: count.describe('Those that live'),
  oldestTransactionMs: count.nullable().describe('Of those that hold back cleaning'),
  verdict: z
    .enum(['healthy', 'warning', 'critical'])
    .describe('critical: a finding is an error. warning: one is a warning'),
  findings: z.array(findingView).describe("Doctor's, errors first"),
})

export const overviewView = figuresView.extend({
  history: z
    .array(
      z.object({
        at: moment,
        in: perSecond,
        out: perSecond,
        lagSeconds: z.number().min(0).describe('Of the subscription that is furthest behind'),
        dead: count,
      }),
    )
    .max(120)
    .describe('Oldest first. Rates are averages since the point before'),
  since: moment.nullable().describe('When the history begins. null before its first reading'),
})

/** Names under which the OpenAPI document lists them. */
export const namedOverviewViews = { OverviewFigures: figuresView, Overview: overviewView } as const
