-- SPDX-License-Identifier: Apache-2.0
-- How often each mistake is met, by release: lines for each billion allocations that the release ran. So releases can be
-- compared that ran for different times on different numbers of machines.
SELECT
    fingerprint, version, what, place, line_count, round(1000000000 * line_count / allocations_run, 2) AS per_billion
FROM
(
    SELECT
        fingerprint, program, version, maxMerge(kind) AS what, maxMerge(function) AS place, countMerge(lines) AS line_count
    FROM fencepost.findings_by_day
    GROUP BY fingerprint, program, version
)
ALL INNER JOIN
(
    SELECT program, version, sumMerge(allocations) AS allocations_run
    FROM fencepost.runs_by_day
    GROUP BY program, version
)
USING program, version
ORDER BY fingerprint, version, program
