-- What a community does with pictures: variations in one message, favourites, search, deletion,
-- settings of its own. The table of jobs is made anew, since its checks change.

-- Pictures that share one message.
CREATE TABLE groups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL,
    guild_id INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    message_id INTEGER,
    message_at REAL,
    report TEXT NOT NULL DEFAULT 'open' CHECK (report IN ('open', 'posted', 'silenced'))
) STRICT;

CREATE TABLE jobs_new (
    id INTEGER PRIMARY KEY AUTOINCREMENT,

    -- Who asked, and where the picture is shown (Discord's ids).
    user_id INTEGER NOT NULL,
    guild_id INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    message_id INTEGER,
    message_at REAL,
    -- open: the message does not show the end yet; posted: it does;
    -- silenced: the message or the channel is out of reach, so nothing is sent any more;
    -- grouped: the message is that of its group, unless it was taken out into one of its own.
    report TEXT NOT NULL DEFAULT 'open'
        CHECK (report IN ('open', 'posted', 'silenced', 'grouped')),
    group_id INTEGER REFERENCES groups (id),

    -- What to draw: JSON of engine.settings.Settings and engine.protocol.Provenance.
    asked TEXT NOT NULL,
    resolved TEXT,
    provenance TEXT,
    seed INTEGER NOT NULL,
    -- SHA-256 of the picture to start from.
    init_image TEXT,
    -- What it was made from; the relation stays when that is forgotten.
    parent_id INTEGER REFERENCES jobs_new (id) ON DELETE SET NULL,
    relation TEXT CHECK (relation IN ('reroll', 'again', 'variation', 'remix', 'start')),
    -- What words are searched in.
    prompt TEXT GENERATED ALWAYS AS (json_extract(asked, '$.prompts')) VIRTUAL,
    -- Whether the picture is posted behind a spoiler.
    spoiler INTEGER NOT NULL DEFAULT 0,

    -- The queue's order is (lane, round, yields, id). Lane 0 is for jobs that were on an easel
    -- before; yields is 1 for those of people who do not come first in their server.
    state TEXT NOT NULL DEFAULT 'queued'
        CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    attempt INTEGER NOT NULL DEFAULT 0,
    lane INTEGER NOT NULL DEFAULT 1,
    round INTEGER NOT NULL,
    yields INTEGER NOT NULL DEFAULT 0,
    -- Since when its owner wants a running job stopped.
    cancel_at REAL,

    -- A suspect was on the engine when it died, and is drawn alone until it is finished.
    suspect INTEGER NOT NULL DEFAULT 0,
    -- The iteration of the last snapshot, and what it was when the engine last died with this
    -- job alone on it; lone_deaths counts such deaths in a row between which it did not grow.
    snapshot INTEGER NOT NULL DEFAULT 0,
    died_at INTEGER,
    lone_deaths INTEGER NOT NULL DEFAULT 0,

    -- Seconds since 1970; drawing_seconds is the time on the easel.
    asked_at REAL NOT NULL,
    started_at REAL,
    finished_at REAL,
    drawing_seconds REAL,

    -- The outcome: a sentence for people, or two paths below the data directory; how well the
    -- picture fits its prompts, −1…1.
    error TEXT,
    picture TEXT,
    native TEXT,
    score REAL,
    -- Since when the files are gone because somebody deleted the picture.
    deleted_at REAL,

    CHECK (parent_id IS NULL OR relation IS NOT NULL),
    CHECK (state != 'done' OR deleted_at IS NOT NULL
        OR (picture IS NOT NULL AND native IS NOT NULL)),
    CHECK (state != 'failed' OR error IS NOT NULL),
    CHECK (report != 'grouped' OR group_id IS NOT NULL)
) STRICT;

INSERT INTO jobs_new (
    id, user_id, guild_id, channel_id, message_id, message_at, report, asked, resolved, provenance,
    seed, init_image, parent_id, relation, state, attempt, lane, round, suspect, snapshot, died_at,
    lone_deaths, asked_at, started_at, finished_at, drawing_seconds, error, picture, native)
SELECT
    id, user_id, guild_id, channel_id, message_id, message_at, report, asked, resolved, provenance,
    seed, init_image, parent_id, relation, state, attempt, lane, round, suspect, snapshot, died_at,
    lone_deaths, asked_at, started_at, finished_at, drawing_seconds, error, picture, native
FROM jobs;

-- Numbers are never used again: the next one must be that of the old table.
UPDATE sqlite_sequence
SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'jobs') WHERE name = 'jobs_new'
    AND EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'jobs');
INSERT INTO sqlite_sequence (name, seq)
SELECT 'jobs_new', seq FROM sqlite_sequence
WHERE name = 'jobs' AND NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'jobs_new');

DROP TABLE jobs;
ALTER TABLE jobs_new RENAME TO jobs;

-- Who is next, and how many are before a job; ids of user and guild spare the look into the row.
CREATE INDEX jobs_queued ON jobs (lane, round, yields, id, user_id, guild_id) WHERE state = 'queued';
CREATE INDEX jobs_queued_by_user ON jobs (user_id, guild_id, round) WHERE state = 'queued';
-- In which round a server is.
CREATE INDEX jobs_queued_by_guild ON jobs (guild_id, lane, round) WHERE state = 'queued';
CREATE INDEX jobs_running ON jobs (user_id, guild_id, suspect) WHERE state = 'running';

-- The pictures of a person and of a channel, and the durations from which the waiting time
-- is estimated.
CREATE INDEX jobs_done_by_user
    ON jobs (user_id, id, channel_id) WHERE state = 'done' AND deleted_at IS NULL;
CREATE INDEX jobs_done_by_channel
    ON jobs (channel_id, id) WHERE state = 'done' AND deleted_at IS NULL;
CREATE INDEX jobs_done ON jobs (finished_at, drawing_seconds) WHERE state = 'done';

-- The pictures that can be shown.
CREATE VIEW art AS SELECT * FROM jobs WHERE state = 'done' AND deleted_at IS NULL;

-- What somebody asked for last, everywhere and in one server; what was made from a picture, and what
-- shares a message.
CREATE INDEX jobs_by_user ON jobs (user_id, id);
CREATE INDEX jobs_by_member ON jobs (user_id, guild_id, id);
CREATE INDEX jobs_by_parent ON jobs (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX jobs_by_group ON jobs (group_id) WHERE group_id IS NOT NULL;
CREATE INDEX jobs_by_message ON jobs (message_id) WHERE message_id IS NOT NULL;

-- What is still to be told after a restart.
CREATE INDEX jobs_open ON jobs (id) WHERE report = 'open';
CREATE INDEX groups_open ON groups (id) WHERE report = 'open';
CREATE INDEX groups_by_message ON groups (message_id) WHERE message_id IS NOT NULL;

-- Words of prompts, and beside them where and by whom, so that a search looks only at what it may
-- show. Every beginning of a word is a term of its own (of up to 16 letters; longer ones are put
-- together when they are looked for): then the newest are read one after the other, and no more of
-- them than are shown, however many there are.
CREATE VIEW searched AS
    SELECT id, prompt, 'c' || channel_id || ' u' || user_id AS place
    FROM jobs WHERE deleted_at IS NULL;
CREATE VIRTUAL TABLE words USING fts5 (prompt, place, content = 'searched', content_rowid = 'id',
    tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16');
INSERT INTO words (words) VALUES ('rebuild');

-- Kept in step with the jobs.
CREATE TRIGGER jobs_words_added AFTER INSERT ON jobs BEGIN
    INSERT INTO words (rowid, prompt, place)
    SELECT id, prompt, place FROM searched WHERE id = new.id;
END;
CREATE TRIGGER jobs_words_hidden BEFORE UPDATE OF deleted_at ON jobs
WHEN old.deleted_at IS NULL AND new.deleted_at IS NOT NULL BEGIN
    INSERT INTO words (words, rowid, prompt, place)
    SELECT 'delete', id, prompt, place FROM searched WHERE id = old.id;
END;
CREATE TRIGGER jobs_words_removed BEFORE DELETE ON jobs BEGIN
    INSERT INTO words (words, rowid, prompt, place)
    SELECT 'delete', id, prompt, place FROM searched WHERE id = old.id;
END;

CREATE TABLE favourites (
    user_id INTEGER NOT NULL,
    job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    added_at REAL NOT NULL,
    PRIMARY KEY (user_id, job_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX favourites_by_job ON favourites (job_id);

-- Other messages that show pictures and groups: those that they moved on from, and those that
-- somebody had them shown in. They go when those go.
CREATE TABLE left_messages (
    message_id INTEGER PRIMARY KEY,
    channel_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    job_id INTEGER REFERENCES jobs (id) ON DELETE CASCADE
) STRICT;
CREATE INDEX left_messages_by_user ON left_messages (user_id);
CREATE INDEX left_messages_by_job ON left_messages (job_id);
CREATE TRIGGER jobs_message_left AFTER UPDATE OF message_id ON jobs
WHEN old.message_id IS NOT NULL AND old.message_id IS NOT new.message_id BEGIN
    INSERT OR IGNORE INTO left_messages
    VALUES (old.message_id, old.channel_id, old.user_id, old.id);
END;
CREATE TRIGGER groups_message_left AFTER UPDATE OF message_id ON groups
WHEN old.message_id IS NOT NULL AND old.message_id IS NOT new.message_id BEGIN
    INSERT OR IGNORE INTO left_messages
    VALUES (old.message_id, old.channel_id, old.user_id, NULL);
END;

-- What was made of a picture and posted besides: it goes when the picture goes.
CREATE TABLE answers (
    job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    -- What it is, such as “time-lapse”.
    what TEXT NOT NULL,
    channel_id INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    PRIMARY KEY (job_id, what, message_id)
) STRICT, WITHOUT ROWID;

-- Where a favourite of many was posted once more.
CREATE TABLE starred (
    job_id INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    channel_id INTEGER NOT NULL,
    message_id INTEGER
) STRICT;

-- What people, channels and servers have set for themselves; values are JSON.
CREATE TABLE preferences (
    scope TEXT NOT NULL CHECK (scope IN ('user', 'channel', 'guild')),
    scope_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (scope, scope_id, name)
) STRICT, WITHOUT ROWID;

-- The pictures that others may come upon: not those of people who keep theirs private.
CREATE VIEW open_art AS SELECT * FROM art WHERE user_id NOT IN (
    SELECT scope_id FROM preferences
    WHERE scope = 'user' AND name = 'private' AND value = 'true');

-- The channels whose pictures anybody may see on the gallery page, which are none unless they
-- opted in, and those pictures.
CREATE VIEW gallery_channels AS SELECT scope_id AS id FROM preferences
    WHERE scope = 'channel' AND name = 'gallery' AND value = 'true';
CREATE INDEX preferences_by_name ON preferences (name, scope, value);
CREATE VIEW gallery_art AS
    SELECT * FROM open_art WHERE channel_id IN (SELECT id FROM gallery_channels);

-- Whose data is being deleted, up to which job and group, and how many messages of theirs were
-- out of reach so far.
CREATE TABLE forgetting (
    user_id INTEGER PRIMARY KEY,
    last_job INTEGER NOT NULL,
    last_group INTEGER NOT NULL,
    pictures INTEGER NOT NULL DEFAULT 0,
    unreachable INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Whom the bot's owner has shut out.
CREATE TABLE bans (
    user_id INTEGER PRIMARY KEY,
    reason TEXT NOT NULL,
    banned_at REAL NOT NULL
) STRICT;

-- What the bot's owner has set for the whole bot, above all whether jobs are handed out.
CREATE TABLE switches (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
