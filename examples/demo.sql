-- A little of everything: tables, an index, a join, aggregates, deletion.
CREATE TABLE guard(id INTEGER PRIMARY KEY, name TEXT NOT NULL, paces INTEGER);
CREATE TABLE round(guard_id INTEGER REFERENCES guard(id), hour INTEGER, remark TEXT);
INSERT INTO guard(name, paces) VALUES ('Ada', 1200), ('Grace', 900), ('Edsger', 1500);
WITH RECURSIVE hours(h) AS (SELECT 0 UNION ALL SELECT h + 1 FROM hours WHERE h < 23)
INSERT INTO round SELECT h % 3 + 1, h, printf('hour %02d, all quiet', h) FROM hours;
CREATE INDEX round_by_guard ON round(guard_id, hour);
SELECT name, count(*), max(hour), upper(max(remark))
  FROM guard JOIN round ON guard.id = guard_id GROUP BY name ORDER BY name;
DELETE FROM round WHERE hour >= 12;
SELECT 'left', count(*), sum(length(remark)) FROM round;
