-- additive: instances that a person ended where they stood, and answers that lie in the object store.
ALTER TABLE eventspine.workflow DROP CONSTRAINT workflow_state_check;
ALTER TABLE eventspine.workflow ADD CONSTRAINT workflow_state_check
  CHECK (state IN ('running', 'compensating', 'completed', 'failed', 'compensated', 'cancelled', 'terminated'));
CREATE INDEX workflow_entry_claimed ON eventspine.workflow_entry (at) WHERE kind IN ('step-claimed', 'event-claimed');
