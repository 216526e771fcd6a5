-- additive: events of an import that the log knew already, apart from those that it published.
ALTER TABLE eventspine.file_import ADD COLUMN known bigint NOT NULL DEFAULT 0;
