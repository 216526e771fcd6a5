// Every move of a delivery's row, noted by the database itself with its own clock: what no process can colour.
import { sql } from '../support.js'

/** Begins to note the moves in `schema`. */
export async function noteTransitions(schema: string): Promise<void> {
  await sql(`CREATE TABLE ${schema}.transition (
      place bigserial, at timestamptz, subscription text, seq bigint, round int, attempt int, before text, state text, due_at timestamptz);
    CREATE FUNCTION ${schema}.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO ${schema}.transition (at, subscription, seq, round, attempt, before, state, due_at)
      VALUES (clock_timestamp(), NEW.subscription, NEW.seq, NEW.round, NEW.attempt,
        CASE WHEN TG_OP = 'UPDATE' THEN OLD.state END, NEW.state, NEW.due_at);
      RETURN NULL; END $$;
    CREATE TRIGGER note AFTER INSERT OR UPDATE ON ${schema}.delivery FOR EACH ROW EXECUTE FUNCTION ${schema}.note()`)
}

export interface Wait {
  readonly subscription: string
  readonly seq: number
  /** The attempt that failed. */
  readonly attempt: number
  /** Milliseconds from the moment it was recorded until it was due: what the policy said, less what recording took. */
  readonly waitMs: number
}

/** What each failed attempt had to wait, by the database's clock. */
export const waits = (schema: string) =>
  sql<Wait>(`SELECT subscription, seq::int AS seq, attempt, (extract(epoch FROM due_at - at) * 1000)::float8 AS "waitMs"
    FROM ${schema}.transition WHERE state = 'retry' AND (before IS NULL OR before = 'running') AND attempt > 0 ORDER BY place`)

/** Attempts that started before they were due. */
export const early = (schema: string) =>
  sql(`SELECT * FROM ${schema}.transition WHERE before = 'retry' AND state = 'running' AND at < due_at`)

/** Attempts that started from a row. */
export const claims = (schema: string) =>
  sql(`SELECT * FROM ${schema}.transition WHERE before = 'retry' AND state = 'running'`)
