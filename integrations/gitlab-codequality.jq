# SPDX-License-Identifier: Apache-2.0
#
# GitLab's code quality report from SARIF: jq -f gitlab-codequality.jq report.sarif. Findings without a file of the
# repository (--source-root) are left out, because GitLab refuses them.
[.runs[].results[]
 | .locations[0].physicalLocation as $place
 | select($place.artifactLocation.uriBaseId and $place.region.startLine)
 | {description: .message.text,
    check_name: .ruleId,
    fingerprint: (.partialFingerprints | to_entries | map(.value) | join("-")),
    severity: ({error: "critical", warning: "major"}[.level // "error"] // "minor"),
    location: {path: $place.artifactLocation.uri, lines: {begin: $place.region.startLine}}}]
