-- SPDX-License-Identifier: Apache-2.0
--
-- For more than one server. Each shard has the tables in a database of its own, fencepost_shard:
--
--     sed 's/\bfencepost\b/fencepost_shard/g' schema.sql | clickhouse-client --multiquery
--
-- and the server that is asked, one of them or another one, has tables in the database fencepost that stand for those of
-- all shards: load this file and views.sql there. The servers are a cluster with the name fencepost in the configuration
-- of the server that is asked:
--
--     <remote_servers><fencepost>
--         <shard><replica><host>fleet-1</host><port>9000</port></replica></shard>
--         <shard><replica><host>fleet-2</host><port>9000</port></replica></shard>
--     </fencepost></remote_servers>
--
-- Load lines into fencepost_shard.lines of any shard: it does not matter which shard has a line. Queries are the same.
CREATE DATABASE IF NOT EXISTS fencepost;
CREATE TABLE fencepost.lines AS fencepost_shard.lines ENGINE = Distributed(fencepost, fencepost_shard, lines);
CREATE TABLE fencepost.findings_by_day AS fencepost_shard.findings_by_day
    ENGINE = Distributed(fencepost, fencepost_shard, findings_by_day);
CREATE TABLE fencepost.runs_by_day AS fencepost_shard.runs_by_day
    ENGINE = Distributed(fencepost, fencepost_shard, runs_by_day);
