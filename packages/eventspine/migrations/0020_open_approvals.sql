-- additive: the decisions of people that instances of workflows wait for, beside the events.

-- `asked`: the position of the entry that asks. What is asked stands there alone: it may be long, and personal.
ALTER TABLE eventspine.workflow_awaited ADD COLUMN asked int, ADD COLUMN due_at timestamptz;
CREATE INDEX workflow_awaited_asked ON eventspine.workflow_awaited (number) WHERE asked IS NOT NULL;

-- What is open already. What a worker of the version before asks or settles meanwhile is put right when its instance is moved
-- on the next time.
INSERT INTO eventspine.workflow_awaited (number, place, tenant, type, key, asked, due_at)
SELECT q.number, q.place, w.tenant, 'eventspine.approval', q.name, q.position, (
  SELECT to_timestamp((t.data->>'dueAtMs')::float8 / 1000) FROM eventspine.workflow_entry t
  WHERE t.number = q.number AND t.place = q.place AND t.kind = 'timer-set' ORDER BY t.position DESC LIMIT 1)
FROM eventspine.workflow w JOIN eventspine.workflow_entry q ON q.number = w.number AND q.kind = 'asked'
WHERE w.ended_at IS NULL AND w.state = 'running' AND NOT EXISTS (
  SELECT FROM eventspine.workflow_entry a WHERE a.number = q.number AND a.position > q.position
    AND ((a.kind IN ('timer-fired', 'withdrawn') AND a.place = q.place)
      OR (a.kind = 'signal' AND a.name = q.name AND a.data->>'question' = q.place AND a.data->>'dropped' IS NULL)))
ON CONFLICT (number, place) DO NOTHING;
