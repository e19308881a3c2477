-- Room on the disk: what is kept of a picture's files, and which pictures drawings need. And a note.

-- What is different from what was asked, and why: a sentence for people.
ALTER TABLE jobs ADD COLUMN note TEXT;

-- What is to be kept of a job's files; where tidied is 0, more than that may still be there.
ALTER TABLE jobs ADD COLUMN kept TEXT NOT NULL DEFAULT 'all'
    CHECK (kept IN ('all', 'picture', 'nothing'));
ALTER TABLE jobs ADD COLUMN tidied INTEGER NOT NULL DEFAULT 1;

-- The oldest files that might go, those that nobody can look at, and what is still to be removed.
CREATE INDEX jobs_kept ON jobs (kept, finished_at, id) WHERE state = 'done' AND deleted_at IS NULL;
CREATE INDEX jobs_left_over ON jobs (id)
    WHERE kept != 'nothing' AND (deleted_at IS NOT NULL OR state IN ('failed', 'cancelled'));
CREATE INDEX jobs_untidied ON jobs (id) WHERE tidied = 0;

-- The pictures whose files are there, for whoever only looks at them.
CREATE INDEX jobs_shown_by_channel ON jobs (channel_id, id)
    WHERE state = 'done' AND deleted_at IS NULL AND kept != 'nothing';

-- Which jobs need which pictures of people's, by their SHA-256. One may need several, as
-- prompts with weights: “<name>:0.5 | <name>”; whatever looks like such a name is taken for one.
CREATE TABLE attached (
    name TEXT NOT NULL,
    job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    PRIMARY KEY (name, job_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX attached_by_job ON attached (job_id);
CREATE VIEW named_pictures AS
    SELECT DISTINCT trim(part.value) AS name, jobs.id AS job_id
    FROM jobs, json_tree(jobs.asked) AS setting,
        json_each('[' || replace(replace(json_quote(setting.atom), '|', '","'), ':', '","') || ']')
            AS part
    WHERE setting.type = 'text'
        AND length(trim(part.value)) = 64 AND trim(part.value) NOT GLOB '*[^0-9a-f]*';
INSERT INTO attached (name, job_id) SELECT name, job_id FROM named_pictures;
CREATE TRIGGER jobs_attached AFTER INSERT ON jobs BEGIN
    INSERT INTO attached (name, job_id)
    SELECT name, job_id FROM named_pictures WHERE job_id = new.id;
END;

-- The same table with its key in front: SQLite 3.40's integrity check takes any other order for
-- damage.
CREATE TABLE answers_new (
    job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    -- What it is, such as “time-lapse”.
    what TEXT NOT NULL,
    message_id INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    PRIMARY KEY (job_id, what, message_id)
) STRICT, WITHOUT ROWID;
INSERT INTO answers_new (job_id, what, message_id, channel_id)
SELECT job_id, what, message_id, channel_id FROM answers;
DROP TABLE answers;
ALTER TABLE answers_new RENAME TO answers;
