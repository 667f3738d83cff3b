-- SPDX-License-Identifier: Apache-2.0
--
-- What queries ask of the tables in schema.sql, or of those in distributed.sql.
--
-- Builds, when the fleet began to run them, and how many processes of them have ended.
CREATE VIEW fencepost.builds AS
SELECT program, build_id, version, min(start) AS began, sum(ended) AS processes
FROM
(
    SELECT program, build_id, version, minMerge(first_run) AS start, countMerge(runs) AS ended
    FROM fencepost.runs_by_day
    GROUP BY program, build_id, version
    UNION ALL
    SELECT program, build_id, version, minMerge(first_run) AS start, toUInt64(0) AS ended
    FROM fencepost.findings_by_day
    GROUP BY program, build_id, version
)
GROUP BY program, build_id, version;
