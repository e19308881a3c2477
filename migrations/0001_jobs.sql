-- One row a picture: the queue, the history, and what is needed to draw it again.

CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,

    -- Who asked, and where the picture is shown (Discord's ids).
    user_id INTEGER NOT NULL,
    guild_id INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    message_id INTEGER,
    message_at REAL,
    -- open: the message does not show the end yet; posted: it does;
    -- silenced: the message or the channel is out of reach, so nothing is sent any more.
    report TEXT NOT NULL DEFAULT 'open' CHECK (report IN ('open', 'posted', 'silenced')),

    -- What to draw: JSON of engine.settings.Settings and engine.protocol.Provenance.
    asked TEXT NOT NULL,
    resolved TEXT,
    provenance TEXT,
    seed INTEGER NOT NULL,
    -- SHA-256 of the picture to start from.
    init_image TEXT,
    parent_id INTEGER REFERENCES jobs (id),
    relation TEXT CHECK (relation IN ('reroll', 'again')),

    -- The queue's order is (lane, round, id). Lane 0 is for jobs that were on an easel before.
    state TEXT NOT NULL DEFAULT 'queued'
        CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    attempt INTEGER NOT NULL DEFAULT 0,
    lane INTEGER NOT NULL DEFAULT 1,
    round INTEGER NOT NULL,

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

    -- The outcome: a sentence for people, or two paths below the data directory.
    error TEXT,
    picture TEXT,
    native TEXT,

    CHECK ((parent_id IS NULL) = (relation IS NULL)),
    CHECK (state != 'done' OR (picture IS NOT NULL AND native IS NOT NULL)),
    CHECK (state != 'failed' OR error IS NOT NULL)
) STRICT;

-- Who is next, and how many are before a job; ids of user and guild spare the look into the row.
CREATE INDEX jobs_queued ON jobs (lane, round, id, user_id, guild_id) WHERE state = 'queued';
CREATE INDEX jobs_queued_by_user ON jobs (user_id, round) WHERE state = 'queued';
CREATE INDEX jobs_running ON jobs (user_id, guild_id, suspect) WHERE state = 'running';

-- One person's pictures, and the durations from which the waiting time is estimated.
CREATE INDEX jobs_done_by_user ON jobs (user_id, id) WHERE state = 'done';
CREATE INDEX jobs_done ON jobs (finished_at, drawing_seconds) WHERE state = 'done';

-- What is still to be told after a restart.
CREATE INDEX jobs_open ON jobs (id) WHERE report = 'open';
