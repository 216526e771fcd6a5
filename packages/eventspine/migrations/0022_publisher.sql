-- additive: the subscription whose handler published an event; null of all others, and of those from before.

ALTER TABLE eventspine.event ADD COLUMN publisher text;
