-- SPDX-License-Identifier: Apache-2.0
--
-- Tables for the lines that "fencepost run --ndjson" sends. Written for ClickHouse 18.16 (Debian 12), with nothing that later versions are known to have changed: a
-- line is text, and columns are taken out of it when it comes in. Load it with
--
--     cat schema.sql views.sql | clickhouse-client --multiquery
--
-- The version that queries compare is the label "release" (--label=release=1.4). To use another label, write its name
-- in place of 'release' below. Labels cannot disturb the other columns, whatever their names are.
CREATE DATABASE IF NOT EXISTS fencepost;

-- Lines of a week are a partition. To forget them: ALTER TABLE fencepost.lines DROP PARTITION '2026-11-23'. What the
-- tables by day have of them stays.
CREATE TABLE fencepost.lines
(
    raw String,
    labels String MATERIALIZED extract(raw, '"labels":(\\{.*?\\}),"(?:kind|count)":'),
    -- The object "line" behind its labels.
    fields String MATERIALIZED extract(raw, '"labels":\\{.*?\\}(,"(?:kind|count)":.*?\\}),"process":\\{'),
    type String MATERIALIZED visitParamExtractString(raw, 'type'),
    time DateTime('UTC') MATERIALIZED toDateTime(concat(
        substring(visitParamExtractString(raw, 'time'), 1, 10), ' ',
        substring(visitParamExtractString(raw, 'time'), 12, 8)), 'UTC'),
    host String MATERIALIZED visitParamExtractString(raw, 'host'),
    run String MATERIALIZED visitParamExtractString(raw, 'run'),
    build_id String MATERIALIZED visitParamExtractString(raw, 'build_id'),
    version String MATERIALIZED visitParamExtractString(labels, 'release'),
    kind String MATERIALIZED visitParamExtractString(fields, 'kind'),
    fingerprint String MATERIALIZED visitParamExtractString(fields, 'fingerprint'),
    count UInt64 MATERIALIZED visitParamExtractUInt(fields, 'count'),
    bytes UInt64 MATERIALIZED visitParamExtractUInt(fields, 'bytes'),
    function String MATERIALIZED visitParamExtractString(fields, 'function'),
    source_file String MATERIALIZED visitParamExtractString(fields, 'file'),
    source_line UInt32 MATERIALIZED visitParamExtractUInt(fields, 'line'),
    module String MATERIALIZED visitParamExtractString(fields, 'module'),
    module_offset String MATERIALIZED visitParamExtractString(fields, 'offset'),
    uptime UInt64 MATERIALIZED visitParamExtractUInt(fields, 'uptime'),
    left_out UInt64 MATERIALIZED visitParamExtractUInt(fields, 'left_out'),
    -- When the process began, as far as that is known.
    started DateTime('UTC') MATERIALIZED toDateTime(toUInt32(toUInt32(time) - uptime), 'UTC'),
    program String MATERIALIZED extract(visitParamExtractString(raw, 'executable'), '[^/]*$'),
    -- Only in the last line of a process.
    exit String MATERIALIZED visitParamExtractRaw(if(type = 'summary', raw, ''), 'exit'),
    protection String MATERIALIZED visitParamExtractRaw(if(type = 'summary', raw, ''), 'protection'),
    suppressions String MATERIALIZED extract(if(type = 'summary', raw, ''), '"suppressions":(\\[\\{.*\\}\\]),"summary":'),
    suppressed UInt64 MATERIALIZED visitParamExtractUInt(if(type = 'summary', raw, ''), 'suppressed')
)
ENGINE = MergeTree
PARTITION BY toMonday(time)
ORDER BY (fingerprint, version, time)
SETTINGS index_granularity = 1024;

-- Findings and leaks by fingerprint, build, version and day: a few rows for each mistake, however many machines.
CREATE TABLE fencepost.findings_by_day
(
    day Date,
    fingerprint String,
    program String,
    build_id String,
    version String,
    kind AggregateFunction(max, String),
    function AggregateFunction(max, String),
    source_file AggregateFunction(max, String),
    source_line AggregateFunction(max, UInt32),
    lines AggregateFunction(count),
    count AggregateFunction(sum, UInt64),
    bytes AggregateFunction(sum, UInt64),
    hosts AggregateFunction(uniqExact, String),
    first_run AggregateFunction(min, DateTime('UTC')),
    first_seen AggregateFunction(min, DateTime('UTC')),
    last_seen AggregateFunction(max, DateTime('UTC'))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (fingerprint, program, build_id, version, day);

CREATE MATERIALIZED VIEW fencepost.findings_to_day TO fencepost.findings_by_day AS
SELECT
    toDate(time) AS day, fingerprint, program, build_id, version,
    maxState(lines.kind) AS kind, maxState(lines.function) AS function,
    maxState(lines.source_file) AS source_file, maxState(lines.source_line) AS source_line,
    countState() AS lines, sumState(lines.count) AS count, sumState(lines.bytes) AS bytes,
    uniqExactState(host) AS hosts, minState(started) AS first_run,
    minState(time) AS first_seen, maxState(time) AS last_seen
FROM fencepost.lines
WHERE type != 'summary'
GROUP BY day, fingerprint, program, build_id, version;

-- What ran: processes by build, version and day, with or without findings.
CREATE TABLE fencepost.runs_by_day
(
    day Date,
    program String,
    build_id String,
    version String,
    runs AggregateFunction(count),
    hosts AggregateFunction(uniqExact, String),
    first_run AggregateFunction(min, DateTime('UTC')),
    allocations AggregateFunction(sum, UInt64),
    guarded AggregateFunction(sum, UInt64),
    padded AggregateFunction(sum, UInt64),
    plain AggregateFunction(sum, UInt64),
    killed AggregateFunction(sum, UInt8),
    suppressed AggregateFunction(sum, UInt64),
    left_out AggregateFunction(sum, UInt64)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (program, build_id, version, day);

CREATE MATERIALIZED VIEW fencepost.runs_to_day TO fencepost.runs_by_day AS
SELECT
    toDate(time) AS day, program, build_id, version,
    countState() AS runs, uniqExactState(host) AS hosts, minState(started) AS first_run,
    sumState(visitParamExtractUInt(protection, 'allocations')) AS allocations,
    sumState(visitParamExtractUInt(protection, 'guarded')) AS guarded,
    sumState(visitParamExtractUInt(protection, 'padded')) AS padded,
    sumState(visitParamExtractUInt(protection, 'plain')) AS plain,
    sumState(toUInt8(position(exit, 'signal') > 0)) AS killed,
    sumState(lines.suppressed) AS suppressed, sumState(lines.left_out) AS left_out
FROM fencepost.lines
WHERE type = 'summary'
GROUP BY day, program, build_id, version;
