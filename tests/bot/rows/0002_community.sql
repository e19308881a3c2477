-- Every table of the second version, on top of the rows of the first.

INSERT INTO groups (id, user_id, guild_id, channel_id, message_id, message_at, report)
VALUES (1, 11, 21, 31, 51, 1100, 'posted'), (2, 12, 21, 31, NULL, NULL, 'open'),
    (3, 13, 22, 33, 53, 1101, 'silenced');

INSERT INTO jobs (id, user_id, guild_id, channel_id, message_id, message_at, report, group_id,
    asked, resolved, provenance, seed, init_image, parent_id, relation, spoiler, state, attempt,
    lane, round, cancel_at, asked_at, started_at, finished_at, drawing_seconds, error, picture,
    native, score, deleted_at)
VALUES
    (20, 11, 21, 31, NULL, NULL, 'grouped', 1, '{"prompts": "four owls"}',
        '{"prompts": "four owls"}',
        '{"drawing_version": 1, "device": "cpu", "dtype": "float32", "weights": {}}',
        1, NULL, 1, 'variation', 0, 'done', 1, 1, 0, NULL, 1100, 1101, 1110, 9, NULL,
        'pictures/0/20/final.png', 'pictures/0/20/native.png', 0.31, NULL),
    (21, 11, 21, 31, 61, 1120, 'posted', 1, '{"prompts": "four owls"}', '{"prompts": "four owls"}',
        NULL, 2, NULL, 1, 'variation', 1, 'done', 1, 1, 0, NULL, 1100, 1101, 1111, 9, NULL,
        'pictures/0/21/final.png', 'pictures/0/21/native.png', 0.32, NULL),
    (22, 11, 21, 31, NULL, NULL, 'grouped', 1, '{"prompts": "four owls"}', NULL, NULL, 3, NULL,
        NULL, 'variation', 0, 'done', 1, 1, 0, NULL, 1100, 1101, 1112, 9, NULL, NULL, NULL, 0.3,
        1130),
    (23, 12, 21, 31, NULL, NULL, 'open', NULL, '{"prompts": "a remix of a lighthouse"}', NULL, NULL,
        3, NULL, 1, 'remix', 0, 'running', 1, 1, 0, 1141, 1140, 1140.5, NULL, NULL, NULL, NULL,
        NULL, NULL, NULL),
    (24, 12, 21, 31, 64, 1150, 'silenced', NULL,
        '{"prompts": "from a picture", "init_image": "3f5a0000000000000000000000000000000000000000000000000000000000bb", "image_prompts": "3f5a0000000000000000000000000000000000000000000000000000000000cc:0.5 | 3f5a0000000000000000000000000000000000000000000000000000000000aa:2"}',
        NULL, NULL, 3, '3f5a0000000000000000000000000000000000000000000000000000000000bb', 20,
        'start', 0, 'failed', 1, 1, 0, NULL, 1150, 1151, 1152, NULL, 'It failed.', NULL, NULL, NULL,
        NULL),
    (25, 12, 21, 31, NULL, NULL, 'grouped', 2, '{"prompts": "to come"}', NULL, NULL, 3, NULL, NULL,
        NULL, 0, 'queued', 0, 1, 1, NULL, 1160, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (26, 14, 21, 31, 66, 1170, 'silenced', NULL, '{"prompts": "to be forgotten"}', NULL, NULL, 3,
        NULL, NULL, NULL, 0, 'cancelled', 0, 1, 1, NULL, 1170, NULL, 1171, NULL, NULL, NULL, NULL,
        NULL, 1172);

-- Both messages have moved on.
UPDATE jobs SET message_id = 161 WHERE id = 21;
UPDATE groups SET message_id = 151 WHERE id = 1;

INSERT INTO favourites VALUES (12, 1, 1200), (13, 1, 1201), (11, 21, 1202);
INSERT INTO answers VALUES (1, 'time-lapse', 31, 71), (21, 'enlargement', 31, 72);
INSERT INTO starred VALUES (1, 39, 81), (20, 39, NULL);
INSERT INTO preferences VALUES ('user', 13, 'private', 'true'), ('channel', 31, 'gallery', 'true'),
    ('guild', 21, 'running_per_user', '1');
INSERT INTO forgetting VALUES (14, 26, 3, 1, 2);
INSERT INTO bans VALUES (99, 'spam', 1300);
INSERT INTO switches VALUES ('mode', 'paused');
