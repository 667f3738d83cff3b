-- SPDX-License-Identifier: Apache-2.0
-- What protection the fleet had, by program and release: of all allocations the per cent that had guard pages, that had
-- padding, and that were left to libc. Killed processes and lines that were not sent say what is missing here.
SELECT
    program, version,
    uniqExactMerge(hosts) AS machines,
    countMerge(runs) AS processes,
    sumMerge(allocations) AS allocations_run,
    round(100 * sumMerge(guarded) / sumMerge(allocations), 2) AS guarded_percent,
    round(100 * sumMerge(padded) / sumMerge(allocations), 2) AS padded_percent,
    round(100 * sumMerge(plain) / sumMerge(allocations), 2) AS plain_percent,
    sumMerge(killed) AS killed_by_signal,
    sumMerge(suppressed) AS suppressed_count,
    sumMerge(left_out) AS not_sent
FROM fencepost.runs_by_day
GROUP BY program, version
ORDER BY program, version
