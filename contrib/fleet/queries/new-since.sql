-- SPDX-License-Identifier: Apache-2.0
-- New since release @RELEASE@: mistakes that no older release has. A release is older when the fleet ran it first.
SELECT
    fingerprint, max(what) AS mistake, max(place) AS code, sum(lines_of) AS line_count,
    uniqExactMerge(host_states) AS machines, min(seen) AS since
FROM
(
    SELECT
        fingerprint, version, maxMerge(kind) AS what, maxMerge(function) AS place, countMerge(lines) AS lines_of,
        uniqExactMergeState(hosts) AS host_states, minMerge(first_seen) AS seen
    FROM fencepost.findings_by_day
    GROUP BY fingerprint, version
)
ALL INNER JOIN
(
    SELECT version, min(began) AS release_began
    FROM fencepost.builds
    GROUP BY version
)
USING version
GROUP BY fingerprint
HAVING min(release_began) >= (SELECT min(began) FROM fencepost.builds WHERE version = '@RELEASE@')
ORDER BY machines DESC, fingerprint
