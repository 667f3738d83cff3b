-- SPDX-License-Identifier: Apache-2.0
-- What suppressions took out, and on how many machines. One that took nothing can go. Lines of --redact name none.
SELECT
    visitParamExtractString(one, 'name') AS name,
    visitParamExtractString(one, 'file') AS from_file,
    sum(visitParamExtractUInt(one, 'used')) AS taken_out,
    uniqExactIf(host, visitParamExtractUInt(one, 'used') > 0) AS machines
FROM
(
    SELECT host, arrayJoin(extractAll(suppressions, '"name":.*?"used":[0-9]+')) AS one
    FROM fencepost.lines
    WHERE type = 'summary' AND suppressions != ''
)
GROUP BY name, from_file
ORDER BY taken_out DESC, name, from_file
