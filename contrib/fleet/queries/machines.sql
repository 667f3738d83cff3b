-- SPDX-License-Identifier: Apache-2.0
-- Machines affected by each mistake, and how many there are of a hundred that ran the program.
SELECT
    fingerprint, program, what, place, machines, round(100 * machines / ran, 1) AS percent, line_count
FROM
(
    SELECT
        fingerprint, program, maxMerge(kind) AS what, maxMerge(function) AS place,
        uniqExactMerge(hosts) AS machines, countMerge(lines) AS line_count
    FROM fencepost.findings_by_day
    GROUP BY fingerprint, program
)
ALL INNER JOIN
(
    SELECT program, uniqExactMerge(hosts) AS ran
    FROM fencepost.runs_by_day
    GROUP BY program
)
USING program
ORDER BY machines DESC, fingerprint, program
LIMIT 100
