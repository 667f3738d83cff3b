-- SPDX-License-Identifier: Apache-2.0
-- The lines of release @RELEASE@, for "fencepost report --html=page.html -". Of a mistake that very many have met, take
-- fewer: LIMIT 1000 BY fingerprint.
SELECT raw
FROM fencepost.lines
WHERE version = '@RELEASE@'
FORMAT TSVRaw
