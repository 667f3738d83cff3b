-- SPDX-License-Identifier: Apache-2.0
-- Which build introduced each mistake: of the builds that have it, the one that the fleet ran first; and how often older
-- builds ran without it. Few clean runs mean that it may be older.
SELECT
    fingerprint, program, max(what) AS mistake, max(place) AS code,
    argMin(build_id, began) AS introduced_by, argMin(version, began) AS release, min(began) AS build_since,
    arraySum((other, other_began) -> if(other_began < build_since, other, toUInt64(0)), any(every_count), any(every_began))
        AS clean_runs
FROM
(
    SELECT fingerprint, program, build_id, version, maxMerge(kind) AS what, maxMerge(function) AS place
    FROM fencepost.findings_by_day
    GROUP BY fingerprint, program, build_id, version
)
ALL INNER JOIN
(
    SELECT program, build_id, version, began, every_count, every_began
    FROM fencepost.builds
    ALL INNER JOIN
    (
        SELECT program, groupArray(processes) AS every_count, groupArray(began) AS every_began
        FROM fencepost.builds
        GROUP BY program
    )
    USING program
)
USING program, build_id, version
GROUP BY fingerprint, program
ORDER BY build_since DESC, fingerprint, program
