-- SPDX-License-Identifier: Apache-2.0
-- Day by day: mistakes, lines and machines affected, by release.
SELECT
    day, version, uniqExact(fingerprint) AS mistakes, countMerge(lines) AS line_count, uniqExactMerge(hosts) AS machines
FROM fencepost.findings_by_day
GROUP BY day, version
ORDER BY day, version
