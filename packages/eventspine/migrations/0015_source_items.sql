-- additive: what a source has taken and may meet again, such as objects of a bucket.
CREATE TABLE eventspine.source_item (
  source text NOT NULL,
  -- In the order of its bytes, as object stores list their keys.
  item text NOT NULL COLLATE "C",
  version text NOT NULL,
  PRIMARY KEY (source, item)
);
