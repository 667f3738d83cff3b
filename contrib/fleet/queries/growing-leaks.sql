-- SPDX-License-Identifier: Apache-2.0
-- Leaks that grow with uptime: bytes and the time that the process had run are in step. A leak of a start is as large
-- after a month as after an hour. At least twenty processes, so that this is no chance.
SELECT
    fingerprint, maxed AS place, processes, round(correlation, 2) AS in_step, round(slope * 3600) AS bytes_an_hour
FROM
(
    SELECT
        fingerprint, max(function) AS maxed, count() AS processes,
        corr(toFloat64(bytes), toFloat64(uptime)) AS correlation,
        covarPop(toFloat64(bytes), toFloat64(uptime)) / varPop(toFloat64(uptime)) AS slope
    FROM fencepost.lines
    WHERE type = 'leak' AND uptime > 0
    GROUP BY fingerprint
    HAVING processes >= 20
)
WHERE correlation > 0.7
ORDER BY bytes_an_hour DESC, fingerprint
